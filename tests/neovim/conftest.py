"""A project with the tutorial's module, a real Neovim in it, and runtime files that nobody else uses."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.neovim import Neovim, Project

COUNTER = Path(__file__).parents[2] / "examples" / "counter.py"

if shutil.which("nvim") is None:
    pytest.skip("no nvim on PATH", allow_module_level=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project; its server, if one was started, is ended."""
    monkeypatch.setenv("MIDFLIGHT_RUNTIME_DIR", str(tmp_path / "run"))
    root = tmp_path / "project"
    root.mkdir()
    shutil.copy(COUNTER, root / "counter.py")
    project = Project(root)
    yield project
    project.stop()


@pytest.fixture
def neovim(project: Project) -> Iterator[Neovim]:
    """A Neovim that starts a server without asking."""
    neovim = Neovim(project.root, sys.executable)
    yield neovim
    neovim.close()
