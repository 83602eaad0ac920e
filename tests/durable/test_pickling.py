"""How the values in a state are stored, and what they are when the text has changed since. DESIGN section 10."""

from __future__ import annotations

import pickle
import sys
import threading
from collections import deque
from textwrap import dedent

import pytest

from midflight import GenServer, NotDurable, code
from midflight.durable.pickling import dumps
from midflight.durable.reading import Reader, peeked
from midflight.kernel import Client, Life, Pid, Ref

SHOP = """
    import enum
    from collections import namedtuple
    from dataclasses import dataclass, field
    from typing import NamedTuple
    from midflight import GenServer

    class Colour(enum.Enum):
        RED = 1
        BLUE = 2

    class Access(enum.Flag):
        READ = 1
        WRITE = 2

    @dataclass
    class Order:
        name: str
        count: int = 1

    @dataclass(frozen=True, slots=True)
    class Price:
        pence: int

    class Point(NamedTuple):
        x: int
        y: int

    class Basket(list):
        pass

    class Book(dict):
        pass

    class Lost(Exception):
        pass

    class Node:
        def __init__(self):
            self.next = self

    def sell():
        return "sold"

    class Shop(GenServer):
        def init(self):
            pass
"""


class Store:
    """States of the shop, written and read as a store does."""

    def __init__(self, project):
        self.project = project
        self.load(SHOP)

    def load(self, text):
        self.project.load_text("shop", dedent(text))
        self.shop = sys.modules["shop"]

    def change(self, *pairs):
        text = SHOP
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        self.load(text)

    def write(self, value, creation=1):
        return dumps(self.shop.Shop, {"value": value}, Life({}, creation), "the shop")

    def read(self, state, creation=2):
        return Reader(Life({}, creation)).loads(state)[1]["value"]


@pytest.fixture
def store(project):
    """Give the shop in version 1."""
    return Store(project)


def fields(value):
    return {name: getattr(value, name) for name in getattr(value, "__slots__", None) or vars(value)}


def test_values_come_back_equal(store):
    """Each kind of object of the project, and those of Python, with what they share and how they hang together."""
    shop = store.shop
    basket, book, point = shop.Basket([1, 2]), shop.Book(a=1), shop.Point(1, 2)
    basket.label = "mine"
    value = [
        shop.Order("tea"), shop.Price(5), point, basket, book, shop.Colour.RED, shop.Access.READ | shop.Access.WRITE,
        shop.Lost("where?"), shop.sell, shop.Order, {1: {2, 3}}, deque([1], maxlen=3), "text", 1.5, None, b"b",
    ]  # fmt: skip
    value.append(value)
    found = store.read(store.write(value))

    assert found[-1] is found
    assert found[:7] == value[:7]
    assert [type(each) for each in found[:-1]] == [type(each) for each in value[:-1]]
    assert found[3].label == "mine"
    assert (found[7].args, found[8:10]) == (("where?",), [shop.sell, shop.Order])
    assert found[10:-1] == value[10:-1]
    assert found[11].maxlen == 3


def test_a_cycle_of_objects_comes_back_as_one(store):
    """Objects are made first and filled then."""
    found = store.read(store.write(store.shop.Node()))

    assert found.next is found


def test_an_enum_member_is_stored_by_its_name(store):
    """Its value may be edited."""
    state = store.write([store.shop.Colour.RED, store.shop.Access.WRITE])
    store.change(("RED = 1", 'RED = "red"'), ("WRITE = 2", "WRITE = 4"))

    assert store.read(state) == [store.shop.Colour.RED, store.shop.Access.WRITE]
    assert store.shop.Colour.RED.value == "red"


def test_a_member_that_is_gone_is_kept_as_gone(store):
    """It is a member again when the text has it again."""
    state = store.write(store.shop.Colour.RED)
    store.change(("RED = 1", "GREEN = 1"))
    found = store.read(state)
    again = store.write(found)

    assert (type(found).__qualname__, found.name, found.value) == ("Colour", "RED", 1)
    assert isinstance(found, code.Gone)
    store.load(SHOP)
    assert store.read(again) is store.shop.Colour.RED


def test_a_new_field_gets_its_default(store):
    """And one that is gone is dropped: as for a live object."""
    state = store.write({"order": store.shop.Order("tea", 3)})
    store.change(("count: int = 1", "price: int = 7"))
    found = store.read(state)["order"]

    assert type(found) is store.shop.Order
    assert fields(found) == {"name": "tea", "price": 7}


def test_migrate_gets_the_old_fields(store):
    """Also of an object that hangs in one whose class did not change."""
    node = store.shop.Node()
    node.next = [store.shop.Order("tea", 3)]
    state = store.write(node)
    hook = """count: int = 1

        @classmethod
        def __migrate__(cls, old):
            return {**old, 'count': old['count'] * 100}"""
    store.change(("count: int = 1", hook))
    found = store.read(state)

    assert type(found) is store.shop.Node
    assert fields(found.next[0]) == {"name": "tea", "count": 300}
    assert fields(store.read(store.write(found)).next[0])["count"] == 300, "it is not migrated twice"


def test_a_superseded_object_is_stored_with_the_fields_that_it_has(store):
    """What pickle does is to migrate it: its new fields are then those of a class that it never had."""
    order = store.shop.Order("tea", 3)
    store.change(("count: int = 1", "price: int = 7"))
    state = store.write(order)

    assert vars(pickle.loads(pickle.dumps(order))) == {"name": "tea", "price": 7}
    assert fields(peeked(state)["value"]) == {"name": "tea", "count": 3}


def test_a_class_that_is_gone_leaves_gone(store):
    """With its fields, in the next pickle too, until it is there again."""
    state = store.write([store.shop.Order("tea", 3), store.shop.Basket([1]), store.shop.Point(1, 2)])
    store.change(
        ("class Order", "class Purchase"), ("class Basket(list)", "class Bag(list)"), ("class Point", "class Spot")
    )
    order, basket, point = found = store.read(state)

    assert repr(order) == "<gone shop.Order name='tea', count=3>"
    assert (list(basket), tuple(point)) == ([1], (1, 2))
    again = store.write(found)
    store.load(SHOP)
    assert store.read(again) == [store.shop.Order("tea", 3), [1], (1, 2)]


def test_a_state_is_readable_without_a_module_of_the_project(store):
    """For people who look into a store: nothing of the project is imported or run."""
    state = store.write([store.shop.Order("tea", 3), store.shop.Colour.RED, store.shop.sell])
    del sys.modules["shop"]
    order, red, sell = peeked(state)["value"]

    assert (fields(order), fields(red), sell) == ({"name": "tea", "count": 3}, {"name": "RED", "value": 1}, "shop.sell")
    assert "shop" not in sys.modules


def test_pids_refs_and_clients_of_an_earlier_life_are_nobodys(store):
    """They keep their creation, so that they are the same in each state of it, and never somebody else."""
    earlier, later = Reader(Life({}, 1)), Reader(Life({}, 2))
    state = store.write([Pid(7), Ref(), earlier.client(0, 1, 9)])
    first, second = later.loads(state)[1]["value"], later.loads(state)[1]["value"]

    assert [isinstance(*pair) for pair in zip(first, (Pid, Ref, Client), strict=True)] == [True] * 3
    assert all(one is other for one, other in zip(first, second, strict=True))
    assert (first[0].number, first[0].process) == (7, None)
    first[2].answer("nobody hears it")
    assert dumps(store.shop.Shop, {"value": first}, later.life, "") == state


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _: threading.Lock(), r"self\.value cannot be stored: .*lock.* of class _thread\.lock"),
        (lambda _: {"a": [1, threading.Lock()]}, r"self\.value\['a'\]\[1\] cannot be stored"),
        (lambda shop: shop.Order(threading.Lock()), r"self\.value\.name cannot be stored"),
        (lambda _: lambda: 1, r"self\.value cannot be stored: .* it was made in passing"),
        (lambda _: (each for each in ()), r"self\.value cannot be stored: .*generator"),
    ],
    ids=["lock", "inner", "field", "lambda", "generator"],
)
def test_what_cannot_be_stored_is_named(store, make, said):
    """The path to it, its value and its class."""
    with pytest.raises(NotDurable, match=said):
        store.write(make(store.shop))


def test_a_class_made_in_a_function_cannot_be_stored():
    """No name leads to it."""

    class Local(GenServer):
        pass

    with pytest.raises(NotDurable, match=r"its class cannot be stored.*was made in a function"):
        dumps(Local, {}, Life({}, 1), "it")


def test_a_damaged_state_is_told(store):
    """Cut off, or not a state at all."""
    state = store.write([1, 2, 3])
    for damaged in (state[:-5], b"", b"nonsense", pickle.dumps([1])):
        with pytest.raises(ValueError, match=r"damaged|not the state"):
            store.read(damaged)
