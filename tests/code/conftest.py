"""A project folder for each test, whose modules are forgotten after it."""

from __future__ import annotations

import builtins
import gc
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

from helpers.gates import Gates
from helpers.ledgers import load_ledger
from helpers.stage import Stage
from helpers.versions import Project, project_in
from midflight.code.lowlevel import watch_imports
from midflight.code.version import import_watch
from midflight.testing import TestRuntime


@pytest.fixture(autouse=True, scope="module")
def _what_is_there_is_put_aside() -> None:
    """The collector leaves alone what tests before these have left, as tests/conftest.py has it for all tests."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Give an empty project folder. What was loaded from it is gone after the test, as in a new interpreter."""
    with project_in(tmp_path) as found:
        yield found


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have imports go unseen, as before a runtime is made, until something asks to watch them."""
    monkeypatch.setattr(import_watch, "_notes", {})
    before = vars(SourceFileLoader).get("exec_module")
    if before is not None:
        del SourceFileLoader.exec_module  # type: ignore[misc]  # it inherits the import system's own
    yield
    if before is not None:
        SourceFileLoader.exec_module = before  # type: ignore[method-assign]


@pytest.fixture
def watched() -> None:
    """Watch imports, as a runtime does."""
    watch_imports()


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gates]:
    """Give gates that module bodies know by the name GATES. All are open after the test."""
    found = Gates()
    monkeypatch.setattr(builtins, "GATES", found, raising=False)
    yield found
    for gate in found.values():
        gate.opened.set()


@pytest.fixture
def ledger_1(project: Project) -> None:
    """Load version 1 of the server that upgrades are tested on."""
    load_ledger(project)


@pytest.fixture
def stage(project: Project, runtime: TestRuntime) -> Iterator[Stage]:
    """Give a stage, with the module `thing` to load and processes to start in it; they end with the test."""
    found = Stage(project, runtime)
    yield found
    found.end()


Versions = Callable[..., tuple[Any, Any]]


@pytest.fixture
def versions(project: Project) -> Versions:
    """Give a function that loads a text, makes an object by an expression in it, loads another, and returns the
    object and the module."""

    def load(old: str, new: str, expression: str = "K()") -> tuple[Any, Any]:
        project.load_text("thing", old)
        value = eval(expression, vars(sys.modules["thing"]))
        project.load_text("thing", new)
        return value, sys.modules["thing"]

    return load
