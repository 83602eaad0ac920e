"""A project in a folder of its own, and a runtime folder of its own, for real programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program


@pytest.fixture
def runtime_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runtime folder of this test, set for this process too."""
    folder = tmp_path / "runtime"
    monkeypatch.setenv("MIDFLIGHT_RUNTIME_DIR", str(folder))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The root of a project with nothing in it."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").touch()
    return root


@pytest.fixture
def run(project: Path, runtime_dir: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Commands in a project in which no server runs."""
    return Shell(project, runtime_dir, capsys)


@pytest.fixture
def start(project: Path, runtime_dir: Path) -> Iterator[Callable[..., Program]]:
    """A function that starts `midflight ARGUMENTS` in the project; what still runs after the test is killed."""
    with ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(Program(*arguments, runtime=runtime_dir, cwd=project))
