"""State inside of functions and classes over a load: class attributes, function attributes, defaults, closures."""

from __future__ import annotations

import threading

import pytest

from midflight import code

from .conftest import told

ROOM = """
import threading

class Room:
    everyone = []
    count = 0
    lock = threading.Lock()
    limit = 3

    class Door:
        opened = {}

    def __init__(self):
        Room.everyone.append(self)
        Room.count += 1

    def title(self):
        return "one"
"""


def kept(report):
    """Return the names that were kept, as the one line shows them."""
    return [each.sized() for each in report.state if each.outcome == "kept"]


# --- Classes ------------------------------------------------------------------------------------------------------


def test_a_superseded_class_takes_over_what_the_program_put_into_its_attributes(thing):
    """Containers stay the same objects, counters go on, the lock is one; the report names them."""
    thing.load(ROOM)
    old = thing.module.Room
    room = old()
    old.Door.opened["front"] = 1

    report = thing.edit('"one"', '"two"')

    new = thing.module.Room
    assert new is not old
    assert new.everyone is old.everyone == [room]
    assert (type(room), room.title()) == (new, "two")
    assert (new.count, new.limit, new.lock is old.lock) == (1, 3, True)
    assert new.Door.opened is old.Door.opened == {"front": 1}
    assert {"Room.everyone (1)", "Room.count", "Room.lock", "Room.Door.opened (1)"} <= set(kept(report))
    assert "Room.limit" not in " ".join(kept(report))


def test_it_is_still_kept_after_two_loads_and_a_rollback(thing):
    """Nothing is counted as the body's own that the program put there."""
    thing.load(ROOM)
    thing.module.Room()
    everyone = thing.module.Room.everyone

    thing.edit('"one"', '"two"')
    report = thing.edit('"two"', '"three"')
    code.rollback("thing")

    assert "Room.everyone (1)" in kept(report)
    assert thing.module.Room.everyone is everyone
    assert (len(everyone), thing.module.Room.count) == (1, 1)


def test_a_kept_class_has_its_attributes_and_the_report_names_them(thing):
    """As it names the module's own."""
    thing.load(ROOM + "def other(): return 1\n")
    room = thing.module.Room
    room()

    report = thing.edit("return 1", "return 2")
    again = thing.edit("return 2", "return 3")

    assert thing.module.Room is room
    assert "Room.everyone (1)" in kept(report)
    assert "Room.everyone (1)" in kept(again)
    assert (len(room.everyone), room.count) == (1, 1)


def test_a_changed_attribute_is_new_and_the_old_value_comes_back(thing):
    """By its name in the report."""
    thing.load(ROOM)
    thing.module.Room()
    everyone = thing.module.Room.everyone

    report = thing.edit("everyone = []", "everyone = list()")

    assert thing.module.Room.everyone == []
    assert told(report, "Room.everyone")[0][0] == "left"
    assert code.recover("thing", "Room.everyone") is everyone
    assert thing.module.Room.everyone is everyone


def test_an_attribute_that_is_gone_leaves_its_value_behind(thing):
    """It cannot be recovered into a version that has no such attribute, and is not lost by the try."""
    thing.load(ROOM)
    thing.module.Room.Door.opened["a"] = 1

    report = thing.edit("        opened = {}", "        closed = {}")

    assert told(report, "Room.Door.opened")[0][0] == "left"
    with pytest.raises(LookupError, match=r"the current version of thing has no Room\.Door\.opened"):
        code.recover("thing", "Room.Door.opened")
    thing.edit("        closed = {}", "        opened = {}")
    assert code.recover("thing", "Room.Door.opened") == {"a": 1}


def test_the_body_s_items_are_merged_with_those_of_the_program(thing):
    """As in a container of the module."""
    thing.load("class A:\n    T = {'a': 1}\n    T['b'] = 2\n    def f(self): return 1\n")
    thing.module.A.T["c"] = 3

    thing.edit("T['b'] = 2", "T['b'] = 5")

    assert thing.module.A.T == {"a": 1, "b": 5, "c": 3}


def test_a_registry_of_subclasses_has_the_new_classes(thing):
    """And what others put in."""
    thing.load(
        """
        class Plugin:
            known = {}
            def __init_subclass__(cls):
                Plugin.known[cls.__name__] = cls
            def hello(self): return 1
        class A(Plugin): pass
        """
    )
    thing.module.Plugin.known["other"] = threading

    thing.edit("return 1", "return 2")

    assert thing.module.Plugin.known == {"A": thing.module.A, "other": threading}
    assert thing.module.A().hello() == 2


def test_an_attribute_that_the_program_added_is_carried_if_the_module_sets_it(thing):
    """An attribute set by other code is named as lost."""
    thing.load(
        """
        class Room:
            def open(self): type(self).opened = 5
            def title(self): return 1
        """
    )
    thing.module.Room().open()
    thing.module.Room.theme = "dark"

    report = thing.edit("return 1", "return 2")

    assert thing.module.Room.opened == 5
    assert "Room.opened" in kept(report)
    assert not hasattr(thing.module.Room, "theme")
    assert told(report, "Room.theme") == [
        ("lost", "it was set from outside, and the new version has no such attribute")
    ]


def test_private_names_are_state_too(thing):
    """Their names in a class are those with the class's name before."""
    thing.load("class A:\n    __seen = set()\n    def f(self, x): A.__seen.add(x); return len(A.__seen)\n    v = 1\n")
    thing.module.A().f(1)

    thing.edit("return len(A.__seen)", "return 10 + len(A.__seen)")

    assert thing.module.A().f(2) == 12


MANNERS = """
import ctypes, enum
from dataclasses import *
from typing import NamedTuple, Protocol

class Deaf(type):
    def __setattr__(cls, name, value): raise RuntimeError

class Mute(type):
    def __getattribute__(cls, name): raise RuntimeError

class Field:
    def __set_name__(self, owner, name): self.name = name
    def __get__(self, instance, owner): raise RuntimeError
"""


@pytest.mark.parametrize(
    ("head", "attribute"),
    [
        ("class A(enum.Enum)", "x = 1"),
        ("class A(ctypes.Structure)", "_fields_ = [('x', ctypes.c_int)]"),
        ("class A(NamedTuple)", "x: int = 1"),
        ("class A(Protocol)", "x: int = 1"),
        ("@dataclass\nclass A", "x: list = field(default_factory=list)"),
        ("class A", "__slots__ = ['x']"),
        ("class A(metaclass=Deaf)", "x = []"),
        ("class A(metaclass=Mute)", "x = []"),
        ("class A", "x = Field()"),
    ],
)
def test_classes_with_manners_of_their_own_load_as_before(thing, head, attribute):
    """No attribute of theirs is asked for, or set by their metaclass."""
    thing.load(f"{MANNERS}{head}:\n    {attribute}\n    def f(self): return 1\n")

    report = thing.edit("return 1", "return 2")

    assert [each for each in report.state if each.outcome in ("lost", "left", "conflict")] == []


def test_a_refused_load_leaves_all_as_it_was(thing):
    """A commit that fails late, too."""
    thing.load(ROOM)
    room = thing.module.Room
    room()

    with pytest.raises(code.LoadError):
        thing.edit('"one"', '"two" + gone_name')

    assert (thing.module.Room is room, len(room.everyone), room.count) == (True, 1, 1)


# --- Functions ----------------------------------------------------------------------------------------------------


def test_attributes_of_a_function_go_over(thing):
    """A counter that the function has on itself, and what its decorator noted stays the new body's."""
    thing.load("def hit():\n    hit.count += 1\n    return hit.count\nhit.count = 0\nhit.role = 'a'\n")
    thing.module.hit()

    report = thing.edit("return hit.count", "return hit.count * 10")

    assert thing.module.hit() == 20
    assert kept(report) == ["hit.count"]


def test_a_mutable_default_goes_over(thing):
    """Of functions and methods, by position and by keyword, whether they were edited or not."""
    thing.load(
        """
        def find(x, cache={}):
            cache[x] = 1
            return len(cache)
        def ask(*, seen=[]):
            seen.append(1)
            return len(seen)
        class A:
            def f(self, log=[]):
                log.append(1)
                return len(log)
        def other(): return 1
        """
    )
    for _ in "ab":
        thing.module.find(1), thing.module.ask(), thing.module.A().f()

    report = thing.edit("return len(cache)", "return 10 + len(cache)")

    assert (thing.module.find(2), thing.module.ask(), thing.module.A().f()) == (12, 3, 3)
    assert {"find(cache) (1)", "ask(seen) (2)"} <= set(kept(report))


def test_a_default_that_changed_is_new(thing):
    """And the old value is left behind."""
    thing.load("def find(x, cache={}):\n    cache[x] = 1\n    return len(cache)\n")
    thing.module.find(1)

    report = thing.edit("cache={}", "cache=dict()")

    assert thing.module.find(2) == 1
    assert told(report, "find(cache)")[0][0] == "left"
    assert code.recover("thing", "find(cache)") == {1: 1}


# --- Closures -----------------------------------------------------------------------------------------------------


MAKER = """
def make():
    n, seen = 0, []
    def tick():
        nonlocal n
        n += 1
        seen.append(n)
        return n, len(seen)
    def total():
        return n
    return tick, total

tick, total = make()

def other(): return 1
"""


def test_a_closure_s_variables_go_over(thing):
    """Two that share them still do."""
    thing.load(MAKER)
    thing.module.tick()

    report = thing.edit("return 1", "return 2")

    assert thing.module.tick() == (2, 2)
    assert thing.module.total() == 2
    assert "tick(n)" in kept(report)


def test_a_closure_whose_maker_changed_begins_again_and_is_named(thing):
    """The text that makes it is another."""
    thing.load(MAKER)
    thing.module.tick()

    report = thing.edit("return n, len(seen)", "return n, -len(seen)")

    assert thing.module.tick() == (1, -1)
    assert told(report, "tick(n)")[0][0] == "left"


def test_what_a_decorator_remembers_begins_again_and_is_named(thing):
    """As the results of `lru_cache`: they were those of the old code."""
    thing.load(
        """
        def memo(f):
            results = {}
            def wrapper(x):
                if x not in results:
                    results[x] = f(x)
                return results[x]
            return wrapper
        @memo
        def double(x): return x * 2
        """
    )
    thing.module.double(1)

    report = thing.edit("x * 2", "x * 3")

    assert thing.module.double(1) == 3
    assert [outcome for outcome, _ in told(report, "double(results)")] == ["lost"]


# --- Names that only look alike -----------------------------------------------------------------------------------


def test_the_variable_of_a_comprehension_is_no_name_of_the_module(thing):
    """A generator of the module is kept though a loop of the module has the same variable."""
    thing.load("for i in range(3): pass\nNUMBERS = (i for i in range(9))\ndef f(): return 1\n")
    next(thing.module.NUMBERS)

    thing.edit("return 1", "return 2")

    assert next(thing.module.NUMBERS) == 1


def test_a_tuple_with_a_container_in_it_is_kept(thing):
    """At any depth."""
    thing.load("PAIR = (0, ('a', {}))\ndef f(): return 1\n")
    thing.module.PAIR[1][1]["u"] = 1

    report = thing.edit("return 1", "return 2")

    assert thing.module.PAIR == (0, ("a", {"u": 1}))
    assert kept(report) == ["PAIR"]
