"""How a test of tests/real starts its program: in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from real.harness import Running, Start


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """A function that makes a program of a class of those; it runs inside `with`."""
    runtime = tmp_path / "runtime"
    monkeypatch.setenv("MIDFLIGHT_RUNTIME_DIR", str(runtime))

    def make(program: type[Running], **options: bool) -> Running:
        return program(tmp_path, runtime, **options)

    return make
