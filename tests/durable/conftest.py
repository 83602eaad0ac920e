"""A project folder and runtimes with a store, one after another, for tests of state that outlives them."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.lives import Lives
from helpers.versions import Project, project_in
from midflight.code.lowlevel import note_project


@pytest.fixture(autouse=True, scope="module")
def _what_is_there_is_put_aside() -> None:
    """The collector leaves alone what tests before these have left, as tests/conftest.py has it for all tests."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """Give an empty project folder. What was loaded from it is gone after the test, as in a new interpreter."""
    # Python takes byte code for a file's that was written again in the same second with the same length.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    root = tmp_path / "project"
    root.mkdir()
    take_back = note_project(root)  # else a store keeps the texts of the tests, too
    with project_in(root) as found:
        yield found
    take_back()


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[Lives]:
    """Give what runs a program again and again on the same store."""
    found = Lives(tmp_path / "state.sqlite")
    yield found
    found.close()
