"""What an object of the next version of a class takes over."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict, deque

import pytest

from midflight.code.identity.fields import fields_of
from midflight.code.identity.migrate import become
from midflight.code.identity.server_state import copied
from midflight.errors import MigrationError


class Plain:
    pass


class Other:
    pass


class Slotted:
    __slots__ = ("__private", "shown")

    def __init__(self):
        self.__private = "private"


class Bare:
    __slots__ = ()


class WithBoth(Slotted):
    pass


def make(**attributes):
    server = Plain()
    vars(server).update(attributes)
    return server


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ([1], lambda value: value.append(2)),
        ({1: 2}, lambda value: value.clear()),
        ({1}, lambda value: value.add(2)),
        (deque([1], maxlen=1), lambda value: value.append(2)),
        (bytearray(b"1"), lambda value: value.extend(b"2")),
        (defaultdict(list, {1: []}), lambda value: value[2].append(3)),
        (OrderedDict(a=1), lambda value: value.popitem()),
        ([[1]], lambda value: value[0].append(2)),
        ({1: {2: [3]}}, lambda value: value[1][2].append(4)),
        (deque([[1]]), lambda value: value[0].append(2)),
    ],
)
def test_containers_are_copied(value, change):
    """In one another too, and they stay of their type."""
    server = make(value=value)

    twin = copied(server, Other)
    assert twin.value == value
    assert type(twin.value) is type(value)
    change(twin.value)

    assert twin.value != value


def test_all_else_is_shared():
    """Locks and sockets live; a tuple's elements are not looked at."""
    lock, inside = threading.Lock(), ([],)

    twin = copied(make(lock=lock, inside=inside), Other)

    assert twin.lock is lock
    assert twin.inside is inside


def test_what_was_one_object_stays_one():
    """Two names for one list, and a list in itself."""
    shared: list[object] = []
    shared.append(shared)

    twin = copied(make(a=shared, b={"c": shared}), Other)

    assert twin.a is twin.b["c"] is twin.a[0]
    assert twin.a is not shared


def test_moving_keeps_the_object():
    """Only its class changes."""
    server = make(total=3)

    found = become(server, Other)

    assert found is server
    assert type(found) is Other


def test_slots_are_attributes_too():
    """Private ones by their mangled name; those without a value are none."""
    server = WithBoth()
    server.more = 1

    assert fields_of(server) == {"_Slotted__private": "private", "more": 1}
    assert fields_of(copied(server, WithBoth)) == fields_of(server)


def test_an_attribute_without_a_place_is_an_error():
    """A class with slots, and none for it: the server cannot be of that class, and is what it was."""
    server = make(total=3)

    with pytest.raises(MigrationError, match="Bare has no slot for total"):
        become(server, Bare)
    with pytest.raises(AttributeError):
        copied(server, Slotted)

    assert (type(server), server.total) == (Plain, 3)
