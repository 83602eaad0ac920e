"""Names whose statements changed or are gone: what the load leaves behind, and how long it can be brought back."""

from __future__ import annotations

import pytest

from midflight import code

from .conftest import told


def test_a_changed_statement_wins_and_what_is_left_behind_is_named_and_comes_back(thing):
    """With its size before and after the load."""
    thing.load("CACHE = {}\n")
    old = thing.module.CACHE
    old.update(a=1, b=2)

    report = thing.edit("{}", "{'z': 0}")

    assert thing.module.CACHE == {"z": 0}
    ((outcome, why),) = told(report, "CACHE")
    assert outcome == "left"
    assert "its statement changed, so it is new, with 1 item; the old one (2 items) is left behind" in why
    assert "code.recover('thing', 'CACHE')" in code.text(report)
    assert code.recover("thing", "CACHE") is old
    assert thing.module.CACHE is old


def test_all_the_statements_count_and_their_order(thing):
    """A second one that is added makes the name new."""
    thing.load("hits = 1\n")
    thing.module.hits = 50

    report = thing.load("hits = 1\nhits += 1\n")

    assert thing.module.hits == 2
    assert told(report, "hits")[0][0] == "left"
    assert "the old one (50)" in told(report, "hits")[0][1]


def test_a_constant_that_changes_leaves_nothing_behind(thing):
    """Nor does a container that nobody has touched."""
    thing.load("PRICE = 2\nNAMES = ['a']\n")

    report = thing.load("PRICE = 3\nNAMES = ['b']\n")

    assert report.state == ()
    assert (thing.module.PRICE, thing.module.NAMES) == (3, ["b"])


def test_a_name_that_is_gone_leaves_its_value_behind(thing):
    """It comes back under that name."""
    thing.load("CACHE = {}\n")
    thing.module.CACHE["a"] = 1

    report = thing.load("x = 1\n")

    assert not hasattr(thing.module, "CACHE")
    assert "it is gone from the text" in told(report, "CACHE")[0][1]
    assert code.recover("thing", "CACHE") == {"a": 1}


def test_what_is_left_behind_goes_with_the_load_after_the_next(thing):
    """It stays recoverable until then."""
    thing.load("CACHE = {}\n")
    thing.module.CACHE["a"] = 1
    thing.load("CACHE = dict()\n")
    thing.again()
    assert code.recover("thing", "CACHE") == {"a": 1}
    code.recover("thing", "CACHE")
    thing.again()

    with pytest.raises(LookupError, match=r"no load has left a value of thing\.CACHE behind"):
        code.recover("thing", "CACHE")
