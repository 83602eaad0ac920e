"""Changes of a commit besides the modules: they are undone, the last first, if the load does not come to its swap."""

from __future__ import annotations

import signal
import sys
from functools import partial

import pytest

from midflight import code
from midflight.code.load import commit


@pytest.fixture
def shelf(monkeypatch):
    """Give a list that every load appends its version to, by two changes, and `last`, which the second one calls."""
    found = type("Shelf", (), {"books": [], "undone": [], "last": staticmethod(lambda: None)})()

    def first(_, new, undo):
        undo.callback(found.undone.append, ("first", new.unit.name))
        undo.callback(found.books.remove, new.version.number)
        found.books.append(new.version.number)

    def second(_, new, undo):
        undo.callback(found.undone.append, ("second", new.unit.name))
        found.last()

    monkeypatch.setattr(commit, "CHANGES", (first, second))
    return found


def test_changes_stay_when_the_load_is_done(project, shelf):
    """They are made before the swap, and not undone."""
    seen = []
    project.load_text("thing", "NUMBER = 1")
    shelf.last = lambda: seen.append((list(shelf.books), sys.modules["thing"].NUMBER))

    project.load_text("thing", "NUMBER = 2")

    assert (shelf.books, shelf.undone) == ([1, 2], [])
    assert seen == [([1, 2], 1)]


def test_a_change_that_raises_undoes_all_before_it(project, shelf):
    """The last one first, of all modules of the load; and none of those is current."""
    project.load_text("thing", "NUMBER = 1")
    project.load_text("other", "NUMBER = 1")
    paths = [project.path("thing.py"), project.path("other.py")]

    def fail():
        if len(shelf.books) == 4:
            raise RuntimeError("no more")

    shelf.last = fail
    with pytest.raises(RuntimeError, match="no more"):
        code.load_many([(path, "NUMBER = 2") for path in paths])

    assert shelf.books == [1, 1]
    assert shelf.undone == [("second", "thing"), ("first", "other"), ("first", "thing")]
    assert [sys.modules[name].NUMBER for name in ("thing", "other")] == [1, 1]
    assert [each.version for each in code.versions("thing")] == [1]
    shelf.last = lambda: None
    assert project.load_text("thing", "NUMBER = 2").version == 2


def test_a_ctrl_c_amid_the_changes_undoes_them(project, shelf):
    """It is noted, and raised at the last moment at which nothing has changed."""
    project.load_text("thing", "NUMBER = 1")
    shelf.last = partial(signal.raise_signal, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        project.load_text("thing", "NUMBER = 2")

    assert shelf.books == [1]
    assert sys.modules["thing"].NUMBER == 1
