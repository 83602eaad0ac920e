"""Any object is shown as a short text, and nothing that its class does gets out."""

from __future__ import annotations

import collections
import sys
from array import array
from typing import NamedTuple

import pytest

from helpers.hostile import HOSTILE
from midflight.errors import Killed
from midflight.text import long, medium, raised, short, type_name

SIZES = (short, medium, long)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (17, "17"),
        (1.5, "1.5"),
        ("it's", '"it\'s"'),
        (b"ab", "b'ab'"),
        (bytearray(b"ab"), "bytearray(b'ab')"),
        ((), "()"),
        ((1,), "(1,)"),
        ([1, [2]], "[1, [2]]"),
        ({"a": 1}, "{'a': 1}"),
        ({1}, "{1}"),
        (set(), "set()"),
        (frozenset({1}), "frozenset({1})"),
        (frozenset(), "frozenset()"),
        (collections.deque([1]), "deque([1])"),
        (array("i", [1, 2]), "array('i', [1, 2])"),
        (collections.Counter("a"), "Counter({'a': 1})"),
        (collections.OrderedDict(a=1), "OrderedDict({'a': 1})"),
        (ValueError("no", 1), "ValueError('no', 1)"),
        (range(3), "range(0, 3)"),
    ],
)
def test_a_small_value_is_shown_as_python_prints_it(value, text):
    """What is short is whole."""
    assert [size(value) for size in SIZES] == [text] * 3


def test_an_int_over_the_limit_of_digits_is_shown_by_its_size():
    """`repr` of such an int raises; its digits would say nothing to anybody."""
    value = 10**5000

    texts = [size([value]) for size in SIZES]

    assert texts == [f"[<int of {value.bit_length()} bits>]"] * 3


def test_an_int_is_shown_by_its_size_where_python_has_no_limit(monkeypatch):
    """With the limit switched off a million digits would take a second to make."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        assert medium(10**1_000_000) == "<int of 3321929 bits>"
    finally:
        sys.set_int_max_str_digits(limit)


@pytest.mark.parametrize("name", ["deque", "array", "list", "dict", "set", "int", "str", "tuple"])
def test_a_class_of_the_program_with_the_name_of_a_container_is_shown_as_what_it_is(name):
    """The type decides, not how it is called."""
    cls = type(name, (), {"__repr__": lambda self: "mine"})

    assert medium(cls()) == "mine"


def test_a_subclass_with_a_repr_of_its_own_is_shown_by_that():
    """And one without, as what it is made of."""

    class Named(list):
        def __repr__(self):
            return "named"

    class Plain(list):
        def __len__(self):
            return 10**9

        def __iter__(self):
            raise ValueError

    assert (medium(Named([1])), medium(Plain([1]))) == ("named", "[1]")


def test_a_named_tuple_shows_its_fields_each_on_its_own():
    """One field that cannot be shown leaves the others."""

    class Order(NamedTuple):
        id: int
        amount: int

    assert medium(Order(1, 10**5000)) == "Order(id=1, amount=<int of 16610 bits>)"


def test_a_long_string_is_cut_in_the_middle():
    """Both ends say something; the text is not made first."""
    text = short("a" * 10_000_000 + "z")

    assert len(text) < 200
    assert text.startswith("'aaa")
    assert text.endswith("z'")
    assert "..." in text


def test_a_list_that_holds_itself_many_times_is_short():
    """All together is bounded, not only each level."""
    value: list[object] = []
    value.extend([value] * 1000)
    wide: object = "x" * 100
    for _ in range(30):
        wide = [wide] * 1000

    for size, bound in ((short, 1_000), (medium, 10_000), (long, 100_000)):
        assert len(size(value)) < bound
        assert len(size(wide)) < bound


def test_a_list_nested_100_000_deep_is_short():
    """Depth is bounded, whatever Python's own limit is."""
    value: list[object] = []
    for _ in range(100_000):
        value = [value]

    assert medium(value) == "[[[[[[[...]]]]]]]"

    while value:  # else its own end would be as deep
        value = value.pop()


def test_a_lone_surrogate_is_shown_as_its_escape():
    """A text that UTF-8 has no form for could be neither written nor sent."""

    class Odd:
        def __repr__(self):
            return "\udc80"

    assert medium([Odd(), "\udc80"]) == "[\\udc80, '\\udc80']"


def test_a_string_of_a_class_of_its_own_is_one_of_pythons():
    """`repr` may give a subclass of str, with methods that do anything."""

    class Lie(str):
        def __len__(self):
            raise SystemExit

        def __getitem__(self, _):
            raise SystemExit

        isascii = __len__

    class Odd:
        def __repr__(self):
            return Lie("x" * 1000)

    text = short(Odd())

    assert type(text) is str
    assert len(text) < 200


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("size", SIZES)
def test_a_hostile_object_is_shown_all_the_same(size, name):
    """Whatever its class raises or says, in whatever it is."""
    value = HOSTILE[name]()

    for each in (value, [value], (1, (value,)), {"key": value}, collections.deque([value]), ValueError(value)):
        text = size(each)
        assert type(text) is str
        assert len(text) < 50_000
        text.encode()


def test_what_a_repr_raised_is_said():
    """So a person sees which class to mend."""

    class Odd:
        def __repr__(self):
            raise SystemExit("bye")

    assert medium([Odd()]) == "[<Odd object whose __repr__ raised SystemExit: bye>]"
    assert raised(Odd(), ValueError(10**5000)) == "<Odd object whose __repr__ raised ValueError>"


def test_a_kill_is_let_through():
    """Who is killed while it prints ends."""

    class Killing:
        def __repr__(self):
            raise Killed

    with pytest.raises(Killed):
        medium([Killing()])


def test_the_type_is_what_it_is():
    """Neither `__class__` nor a metaclass is asked."""

    class Meta(type):
        @property
        def __name__(cls):
            raise SystemExit

    class Odd(metaclass=Meta):
        __class__ = int

    assert type_name(Odd()) == "Odd"


def test_at_the_end_of_the_stack_there_is_a_text():
    """The place where a value is shown may be anywhere."""

    def deep() -> str:
        try:
            return deep()
        except RecursionError:
            return medium([[["x"]]])

    def run() -> str:
        try:
            return deep()
        except RecursionError:  # of the call of `medium` itself
            return "<not shown>"

    assert type(run()) is str
