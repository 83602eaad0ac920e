"""Listeners that the body registers again: after a load each is heard once, as the new one, and nobody is lost."""

from __future__ import annotations

import gc
import sys
import textwrap
import weakref

import blinker
import pytest

from midflight import code
from midflight.code.census.bystanders import bystanders
from midflight.testing import TestRuntime

REGISTRIES = {
    "a list": """
    entries = []
    def on(f): entries.append(f); return f
    def all_of(): return list(entries)
    """,
    "a set": """
    entries = set()
    def on(f): entries.add(f); return f
    def all_of(): return sorted(entries, key=lambda f: f.__name__)
    """,
    "a deque of an object": """
    from collections import deque
    class Bus:
        def __init__(self): self.entries = deque()
    bus = Bus()
    def on(f): bus.entries.append(f); return f
    def all_of(): return list(bus.entries)
    """,
    "a dictionary by event, of dictionaries by function": """
    from collections import OrderedDict, defaultdict
    class Emitter:
        def __init__(self): self._events = defaultdict(OrderedDict)
        def on(self, event, f): self._events[event][f] = f; return f
    emitter = Emitter()
    def on(f): return emitter.on("placed", f)
    def all_of(): return list(emitter._events["placed"].values())
    """,
    "a list of tuples": """
    entries = []
    def on(f): entries.append(("placed", 1, f)); return f
    def all_of(): return [f for _, _, f in entries]
    """,
    "a list of objects": """
    from dataclasses import dataclass, field
    @dataclass
    class Entry:
        event: str
        call: object
        options: dict = field(default_factory=dict)
    entries = []
    def on(f): entries.append(Entry("placed", f)); return f
    def all_of(): return [each.call for each in entries]
    """,
    "a list of objects with slots": """
    class Entry:
        __slots__ = ("call", "event")
        def __init__(self, call): self.call, self.event = call, "placed"
    entries = []
    def on(f): entries.append(Entry(f)); return f
    def all_of(): return [each.call for each in entries]
    """,
    "a list of weak references": """
    import weakref
    entries = []
    def on(f): entries.append(weakref.ref(f)); return f
    def all_of(): return [f for each in entries if (f := each()) is not None]
    """,
    "a list of tuples with weak references and identities": """
    import weakref
    entries = []
    def on(f): entries.append(((id(f), id(None)), weakref.ref(f), None, False)); return f
    def all_of(): return [f for _, each, _, _ in entries if (f := each()) is not None]
    """,
    "a WeakSet": """
    import weakref
    entries = weakref.WeakSet()
    def on(f): entries.add(f); return f
    def all_of(): return sorted(entries, key=lambda f: f.__name__)
    """,
    "a signal": """
    import blinker
    placed = blinker.Signal()
    on = placed.connect
    def all_of(): return sorted(placed.receivers_for("shop"), key=lambda f: f.__name__)
    """,
    "a signal that holds": """
    import blinker
    placed = blinker.Signal()
    def on(f): return placed.connect(f, weak=False)
    def all_of(): return sorted(placed.receivers_for("shop"), key=lambda f: f.__name__)
    """,
}

OTHER = """
import bus
@bus.on
def after(): return "after"
"""

SHOP = """
import bus
@bus.on
def aye(): return N
N = 1
"""


def heard():
    return [each() for each in sys.modules["bus"].all_of()]


def load(project, number, text=SHOP, **options):
    return project.load_text("shop", text.replace("N = 1", f"N = {number}"), **options)


@pytest.fixture(params=REGISTRIES)
def bus(request, project):
    """A registry, in which functions of the modules `shop` and `other` are."""
    project.load_text("bus", textwrap.dedent(REGISTRIES[request.param]))
    load(project, 1)
    project.load_text("other", OTHER.replace("after", "bye"))
    assert heard() == [1, "bye"]
    return sys.modules["bus"]


@pytest.mark.parametrize("forward", [False, True])
def test_exactly_the_new_one_is_heard_once(project, bus, forward):
    """At its place among the others where there is an order, at once, and after further loads."""
    for number in (2, 3, 4):
        report = load(project, number, forward=forward)

        assert sorted(map(str, heard())) == [str(number), "bye"]
        assert report.held == ()
        assert [each.message for each in report.warnings if each.code == "listener"] == [
            "aye: registered again by the body, so the registration of the version before was withdrawn"
        ]
    gc.collect()
    assert sorted(map(str, heard())) == ["4", "bye"]
    assert not code.why_alive("shop", 1).is_alive


def test_the_new_one_has_the_place_of_the_old_one(project):
    """In a registry that takes the answer of its first listener."""
    project.load_text("bus", textwrap.dedent(REGISTRIES["a list"]))
    load(project, 1, SHOP + "bus.on(aye)\n")
    project.load_text("other", OTHER)
    assert heard() == [1, 1, "after"]

    load(project, 2, SHOP + "bus.on(aye)\n")

    assert heard() == [2, 2, "after"]


@pytest.mark.parametrize("forward", [False, True])
def test_it_is_so_while_old_code_runs_that_reads_the_function(project, bus, runtime: TestRuntime, forward):
    """A process in the version before calls its own `aye`, which stays; others hear the new one."""
    loop = """
    from midflight import receive
    async def loop(told):
        while await receive() != "stop": told.append(aye())
    """
    text = SHOP + textwrap.dedent(loop)
    load(project, 2, text)
    told = []
    pid = runtime.spawn(sys.modules["shop"].loop, told)
    runtime.run_until_idle()

    load(project, 3, text, forward=forward)

    assert sorted(map(str, heard())) == ["3", "bye"]
    pid << "go"
    pid << "stop"
    runtime.run_until_idle()
    assert told == [2]
    load(project, 4, text, forward=forward)
    assert sorted(map(str, heard())) == ["4", "bye"]


@pytest.mark.parametrize("forward", [False, True])
def test_a_listener_that_another_module_has_registered_is_not_lost(project, bus, forward):
    """It is held weakly, and the body does not register it: with `forward` it runs the new code, else it is named."""
    text = SHOP + "def no_decorator(): return -N\n"
    load(project, 2, text)
    bus.on(sys.modules["shop"].no_decorator)

    for number in (3, 4):
        report = load(project, number, text, forward=forward)
        gc.collect()

        assert sorted(map(str, heard())) == sorted([str(number), "bye", str(-number if forward else -2)])
        assert forward or ("no_decorator", 2) in [(each.name, each.version) for each in report.held]
        assert not forward or "no_decorator" in report.forwarded


def test_a_removed_listener_that_is_held_weakly_ends_with_the_load(project):
    """Not at some later collection."""
    project.load_text("bus", textwrap.dedent(REGISTRIES["a signal"]))
    gc.disable()
    try:
        load(project, 1)
        load(project, 2, SHOP.replace("aye", "nay"))
        assert heard() == [2]
    finally:
        gc.enable()


@pytest.mark.parametrize("name", ["a signal", "a list of weak references", "a WeakSet"])
def test_a_body_that_raises_leaves_no_listener_that_is_held_weakly(project, name):
    """The version that stays is heard, and nobody else."""
    project.load_text("bus", textwrap.dedent(REGISTRIES[name]))
    load(project, 1)
    gc.disable()
    try:
        with pytest.raises(code.LoadError):
            load(project, 2, SHOP + "\n1 / 0\n")
        assert heard() == [1]
    finally:
        gc.enable()


def test_registrations_that_differ_are_two(project):
    """Under another key, or with other options: nobody can tell that they are one."""
    project.load_text("bus", "by_key, entries = {}, []\ndef on(key, f): by_key[key] = f; entries.append((key, f))\n")
    text = "import bus\ndef f(): return N\nbus.on('KEY', f)\nN = 1\n"
    load(project, 1, text.replace("KEY", "a"))

    load(project, 2, text.replace("KEY", "b"))

    bus = sys.modules["bus"]
    assert {key: f() for key, f in bus.by_key.items()} == {"a": 1, "b": 2}
    assert [f() for _, f in bus.entries] == [1, 2]


def test_a_registry_that_somebody_iterates_over_keeps_its_size(project):
    """The report says that both are called."""
    project.load_text("bus", textwrap.dedent(REGISTRIES["a dictionary by event, of dictionaries by function"]))
    load(project, 1)
    going = iter(sys.modules["bus"].emitter._events["placed"].items())
    next(going)

    report = load(project, 2)

    assert len(heard()) == 2
    assert [each.severity for each in report.warnings if each.code == "listener"] == ["warning"]
    assert "both are called" in code.text(report)
    del going


MAILER = """
class Mailer:
    def __init__(self): self.got = 0
    def on_placed(self, sender): self.got += 1; return self.name()
    def name(self): return "mail N"
mailers = {}
def subscribe(place): mailers["ada"] = found = Mailer(); place(found.on_placed)
def leave(place): place(mailers.pop("ada").on_placed)
"""


@pytest.mark.parametrize("forward", [False, True])
def test_a_bound_method_of_an_edited_class_stays_and_leaves(project, forward):
    """Its object took the new class; a signal has the method weakly, a list strongly: both run the new code."""
    signal, held = blinker.Signal(), []
    project.load_text("shop", MAILER)
    shop = sys.modules["shop"]
    shop.subscribe(signal.connect)
    held.append(shop.mailers["ada"].on_placed)
    for number in (2, 3):
        edited = MAILER.replace("self.got += 1", f"self.got += {number}").replace("mail N", f"mail {number}")
        report = project.load_text("shop", edited, forward=forward)
        gc.collect()

        assert report.held == ()
        assert [value for _, value in signal.send("shop")] == [f"mail {number}"]
        assert held[0]("shop") == f"mail {number}"
        assert shop.mailers["ada"].got == {2: 4, 3: 10}[number]

    assert held == [shop.mailers["ada"].on_placed]
    held.remove(shop.mailers["ada"].on_placed)
    shop.leave(signal.disconnect)
    assert signal.send("shop") == []
    assert not code.why_alive("shop", 1).is_alive


def test_a_method_of_an_edited_class_stays_old_while_an_object_of_it_is_left(project):
    """One that is not in the module's state: its method goes with its class."""
    signal = blinker.Signal()
    project.load_text("shop", MAILER)
    shop = sys.modules["shop"]
    stranger = shop.Mailer()
    signal.connect(stranger.on_placed)
    shop.subscribe(signal.connect)

    project.load_text("shop", MAILER.replace("mail N", "mail 2"))

    assert type(stranger) is not shop.Mailer
    assert stranger.on_placed("shop") == "mail N"
    assert shop.mailers["ada"].on_placed("shop") == "mail 2"


def test_the_look_at_tasks_and_threads_leaves_no_frame_for_a_later_collection():
    """A frame that holds itself keeps its callers, and by them old classes, until the garbage is collected."""
    gc.collect()
    gc.disable()
    try:
        alive = weakref.ref(mark := Mark())
        list(_looked(mark))
        del mark
        assert alive() is None
    finally:
        gc.enable()


class Mark:
    """Something that a frame holds."""


def _looked(mark):
    yield from bystanders(lambda _: mark is None)
