"""`gc.freeze()` of the program hides nothing: a search finds who holds what, though the program has put all aside."""

from __future__ import annotations

import functools
import gc
import sys

import pytest

from midflight import code, collection

UNFREEZE = collection._unfreeze  # tests/conftest.py replaces it when all tests are collected


@pytest.fixture
def frozen(project, monkeypatch):
    """Give a function that loads a text as `thing`, has another module `holder` hold some of it, and freezes all."""
    monkeypatch.setattr(collection, "_unfreeze", UNFREEZE)

    def load(text, holder):
        project.load_text("thing", text)
        project.load_text("holder", holder)
        gc.collect()
        gc.freeze()
        return sys.modules["thing"], sys.modules["holder"]

    yield load
    gc.unfreeze()


ENUM = "import enum\nclass Color(enum.Enum):\n    RED = 1\n"
CLASS = "class Order:\n    def __init__(self):\n        self.lines = []\n"


def test_members_of_an_enum_are_renewed(project, frozen):
    """Those in a list of another module."""
    thing, holder = frozen(ENUM, "import thing\nHELD = [thing.Color.RED]\n")

    project.load_text("thing", f"{ENUM}    BLUE = 2\n")

    assert holder.HELD[0] is thing.Color.RED


def test_old_objects_are_counted(project, frozen):
    """Those of a superseded class."""
    frozen(CLASS, "import thing\nHELD = [thing.Order()]\n")

    project.load_text("thing", f"{CLASS}        self.more = 1\n")

    assert code.old_instances("thing") == {"Order": 1}


def test_who_keeps_a_version_is_named(project, frozen):
    """A function of it in a list of another module."""
    text = "def f():\n    def g():\n        return 1\n    return g\n"
    frozen(text, "import thing\nHELD = [thing.f()]\n")

    project.load_text("thing", text.replace("1", "2"))

    assert any("holder.HELD" in each.text for each in code.why_alive("thing", 1).keepers)


def test_what_a_library_keeps_of_a_refused_body_is_named(project, frozen, monkeypatch):
    """It had a list for it before."""
    monkeypatch.setattr(functools, "TAKEN", [], raising=False)
    frozen("x = 1\n", "")

    with pytest.raises(code.LoadError) as caught:
        project.load_text("thing", "import functools\ndef f(): pass\nfunctools.TAKEN.append(f)\n1 / 0\n")

    assert any("functools.TAKEN" in each.message for each in caught.value.report.refusals)


def test_it_is_told_in_the_log(project, frozen, caplog):
    """For what the program had put aside is collected again."""
    caplog.set_level("INFO", "midflight.code")
    frozen(ENUM, "import thing\nHELD = [thing.Color.RED]\n")

    project.load_text("thing", f"{ENUM}    BLUE = 2\n")

    assert any("gc.freeze() is undone for" in each.message for each in caplog.records)
    assert gc.get_freeze_count() == 0
