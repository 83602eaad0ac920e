"""State that a load is asked to make anew or to let go, and a load that fails."""

from __future__ import annotations

import pytest

from midflight import code

from .conftest import told


def test_fresh_names_are_new(thing):
    """By the option; what goes is left behind."""
    thing.load("CACHE = {}\nhits = 0\n")
    thing.module.CACHE["a"], thing.module.hits = 1, 3

    report = thing.again(fresh=["CACHE"])

    assert thing.module.CACHE == {}
    assert thing.module.hits == 3
    assert "it was to be new" in told(report, "CACHE")[0][1]
    assert code.recover("thing", "CACHE") == {"a": 1}


def test_the_text_can_say_which_names_are_fresh(thing):
    """At each load."""
    thing.load("__fresh__ = ['CACHE']\nCACHE = {}\n")
    thing.module.CACHE["a"] = 1

    thing.again()

    assert thing.module.CACHE == {}


def test_a_fresh_name_that_is_not_there_is_an_error(thing):
    """Else a slip of the pen would keep what was to go."""
    thing.load("CACHE = {}\n")

    with pytest.raises(code.LoadError, match="CAHCE") as error:
        thing.again(fresh=["CAHCE"])

    assert thing.module.CACHE == {}
    assert error.value.report.version is None


def test_what_was_left_behind_can_be_let_go(thing):
    """Then it is gone."""
    thing.load("CACHE = {}\n")
    thing.module.CACHE["a"] = 1
    thing.load("CACHE = dict()\n")

    assert code.forget("thing", "CACHE") == 1
    with pytest.raises(LookupError):
        code.recover("thing", "CACHE")


def test_a_load_that_fails_changes_nothing_of_the_state(thing):
    """At whichever step it fails."""
    thing.load("X = {}\nhits = 0\nLOCK = object()\ndef add(n): X[n] = 1\nadd('a')\n")
    x = thing.module.X
    x["late"] = 1
    thing.module.hits = 4
    before = dict(vars(thing.module))

    for end in ("raise ValueError", "undefined_name", "add('b')\n1/0"):
        with pytest.raises(code.LoadError):
            thing.load("X = {}\nhits = 0\nLOCK = object()\ndef add(n): X[n] = 2\nadd('a')\n" + end)

    assert dict(vars(thing.module)) == before
    assert x == {"a": 1, "late": 1}
    assert thing.module.hits == 4
