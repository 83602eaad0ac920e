"""Identities of the values of dictionaries, in C and in Python: equal if they are the same objects, and only then."""

from __future__ import annotations

import gc
import weakref

import pytest

from midflight.kernel import value_identities
from midflight.kernel.identities import in_python


class Thing:
    """An object that is equal to any other."""

    def __eq__(self, _: object) -> bool:
        raise AssertionError("nobody is to be asked")

    __hash__ = None


@pytest.fixture(params=[value_identities, in_python], ids=["chosen", "python"])
def identities(request):
    """The function of the kernel that runs, and the one in Python."""
    return request.param


def test_they_are_equal_if_all_values_are_the_same_objects(identities):
    """Keys do not count: of a module nobody takes a name away and gives another one its value, place and all."""
    thing = Thing()
    first, second = {"a": thing, "b": None}, {1: 2}

    assert identities([first, second]) == identities([dict(first), dict(second)])
    assert identities([]) == []
    assert len(identities([{}, {}])) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda names: names.update(a=Thing()),
        lambda names: names.update(c=None),
        lambda names: names.pop("b"),
        lambda names: names.update(a=names["b"], b=names["a"]),
        lambda names: names.clear(),
    ],
)
def test_each_change_of_a_value_makes_them_differ(identities, change):
    """One that is set, added, taken away or put in another place."""
    names = {"a": Thing(), "b": Thing()}
    before = identities([names, {}])

    change(names)

    after = identities([names, {}])
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_they_hold_none_of_the_values(identities):
    """A module's old value dies when the module lets go of it."""
    names = {"a": Thing()}
    alive = weakref.ref(names["a"])
    found = identities([names])

    names.clear()
    gc.collect()

    assert alive() is None
    assert len(found) == 1


def test_what_is_no_list_of_dictionaries_is_refused():
    """By the one in C, which would read other memory; by the other one likewise."""
    for wrong in ((), [1], [{}, None]):
        with pytest.raises((TypeError, AttributeError)):
            value_identities(wrong)  # type: ignore[arg-type]
