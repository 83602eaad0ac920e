"""`@on_change`: a function of one module is told that another one has a new version."""

from __future__ import annotations

import sys

import pytest

from midflight import code

DESK = """
from midflight import code
import shop
TOLD = []
PRICES = [shop.PRICE]

@code.on_change("shop")
def rebuild(change):
    PRICES[:] = [shop.PRICE]
    TOLD.append(change)
"""


@pytest.fixture
def desk(project):
    project.load_text("shop", "PRICE = 2\ndef sell(): return 1\nclass Price: x = 1\n")
    project.load_text("desk", DESK)
    return sys.modules["desk"]


def test_a_function_is_told_of_a_new_version(project, desk):
    """With what changed, and what each name meant before and means now."""
    before = vars(sys.modules["shop"])
    sell = before["sell"]

    project.load_text("shop", "PRICE = 3\ndef sell(): return 2\ndef buy(): pass\n")

    assert desk.PRICES == [3]
    (change,) = desk.TOLD
    assert (change.module, change.version) == ("shop", 2)
    assert (change.added, change.changed, change.removed) == (("buy",), ("PRICE", "sell"), ("Price",))
    assert (sell, sys.modules["shop"].sell) in list(change.pairs())


def test_it_is_told_of_no_other_module_and_of_no_load_that_fails(project, desk):
    """Only what has become current is news."""
    project.load_text("other", "x = 1")
    with pytest.raises(code.LoadError):
        project.load_text("shop", "1 / 0\n")

    assert desk.TOLD == []


def test_the_next_version_of_its_own_module_takes_its_place(project, desk):
    """A function of an older version is told no more, nor one of a version that was not loaded."""
    told = desk.TOLD
    project.load_text("desk", DESK.replace("TOLD.append(change)", "TOLD.append('new')"))
    with pytest.raises(code.LoadError):
        project.load_text("desk", f"{DESK}\n1 / 0\n")

    project.load_text("shop", "PRICE = 4\n")

    assert told + sys.modules["desk"].TOLD == ["new"] or sys.modules["desk"].TOLD == ["new"]
    assert sys.modules["desk"].PRICES == [4]


def test_an_error_of_it_is_a_warning(project, desk):
    """The load stands, and the others are told."""
    project.load_text("third", DESK.replace("PRICES[:] =", "1 / 0 #"))

    report = project.load_text("shop", "PRICE = 5\n")

    assert [each.message for each in report.warnings if each.code == "hook"] == [
        "@on_change rebuild raised ZeroDivisionError: division by zero"
    ]
    assert desk.PRICES == [5]


@pytest.mark.parametrize("text", ["@code.on_change\ndef f(c): pass", "@code.on_change('shop')\nasync def f(c): pass"])
def test_misuse_is_refused_in_words(project, text):
    """A module by its name, and a plain function."""
    with pytest.raises(code.LoadError, match="on_change takes"):
        project.load_text("desk", f"from midflight import code\n{text}\n")
