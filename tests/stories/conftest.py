"""A place to work in with nobody else's servers, and a real Emacs in a terminal there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.emacs import PROGRAM, Emacs, Workplace

missing = [program for program in (PROGRAM, "tmux") if shutil.which(program) is None]
if missing:
    pytest.skip(f"no {' and no '.join(missing)} on PATH", allow_module_level=True)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    """A project; its server, if one was started, is ended."""
    place = Workplace(tmp_path)
    for name, value in place.variables.items():
        monkeypatch.setenv(name, value)
    yield place
    place.stop()


@pytest.fixture
def open_emacs(place: Workplace) -> Iterator[Callable[..., Emacs]]:
    """Return a function that opens a file of the project in an Emacs, which is ended after the test."""
    opened: list[Emacs] = []

    def open_emacs(file: str, *options: str) -> Emacs:
        opened.append(Emacs(place, file, *options))
        return opened[-1]

    yield open_emacs
    for emacs in opened:
        emacs.close()
