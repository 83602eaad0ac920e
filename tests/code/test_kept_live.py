"""Classes that keep their object while processes run, loads fail, and versions come and go."""

from __future__ import annotations

import gc
import pickle
import sys

import pytest

from helpers.faults import world
from helpers.identity import reasons
from helpers.remembered import forget_remembered
from midflight import code
from midflight.code import LoadError
from midflight.code.identity.pickling import pickle_by_name
from midflight.code.version import modules

# --- Processes ------------------------------------------------------------------------------------------------------

MESSAGES = """
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple
from midflight import receive
import thing

class Kind(Enum):
    ADD = 1
    TELL = 2

@dataclass(frozen=True)
class Add:
    count: int

class Tell(NamedTuple):
    sink: list
    kind: Kind = Kind.TELL

MISSING = object()

async def loop(total):
    match await receive():
        case Add(count):
            return thing.loop(total + count * FACTOR)
        case Tell(sink, Kind.TELL):
            sink.append((total, __midflight_version__))
            return thing.loop(total)
        case value if value is MISSING:
            return loop(-1)

FACTOR = {}
"""


def test_a_message_of_old_code_is_matched_by_new_code(project, runtime):
    """Dataclass, named tuple, enum and sentinel, of the version that made them first."""
    project.load_text("thing", MESSAGES.format(1))
    thing = sys.modules["thing"]
    sink = []
    add, tell, missing = thing.Add(1), thing.Tell(sink), thing.MISSING
    pid = runtime.spawn(thing.loop, 0)
    pid << add
    runtime.run_until_idle()

    project.load_text("thing", MESSAGES.format(10))
    for message in (add, add, tell, missing, tell):
        pid << message
    runtime.run_until_idle()
    runtime.shutdown()

    assert sink == [(12, 2), (-1, 2)]


def test_an_exception_of_old_code_is_caught_by_new_code(project):
    """And the other way round."""
    text = """
        class Wrong(Exception): pass
        def fail(): raise Wrong
        def catch(f):
            try: f()
            except Wrong: return {}
        """
    project.load_text("thing", text.format(1))
    thing = sys.modules["thing"]
    old_fail, old_catch = thing.fail, thing.catch

    project.load_text("thing", text.format(2))

    assert (old_catch(thing.fail), thing.catch(old_fail)) == (1, 2)


def test_a_process_in_a_method_of_a_kept_class_leaves_the_old_version(project, runtime):
    """At its next call of the method: that is the current version's, though the class is the same."""
    text = """
        from midflight import receive
        class Worker:
            async def run(self):
                await receive()
                return self.run()
        """
    project.load_text("thing", text)
    worker = sys.modules["thing"].Worker()
    pid = runtime.spawn(worker.run)
    runtime.run_until_idle()

    report = project.load_text("thing", "\n\n" + text)
    assert [(each.pid, each.version) for each in report.lingering] == [(pid, 1)]
    pid << "go"
    runtime.run_until_idle()

    assert report.kept == ("Worker",)
    assert code.processes("thing", 1) == ()
    assert code.processes("thing", 2) == (pid,)
    runtime.shutdown()


# --- Failure, and a long life -----------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["1 / 0\n", "def f(): nonesuch()\n", "x = (\n", "return\n"])
def test_a_load_that_fails_leaves_kept_classes_as_they_are(project, runtime, monkeypatch, end):
    """Nothing is changed before the commit."""
    monkeypatch.setattr("midflight.code.version.snapshots._folders", {})
    text = "class K:\n    x = [1]\n    def f(self): return N\nclass L: y = {}\nN = 1\n"
    project.load_text("thing", text.format(1))
    thing = sys.modules["thing"]
    before, attributes = world(runtime, "thing"), [dict(vars(cls)) for cls in (thing.K, thing.L)]

    with pytest.raises(LoadError):
        project.load_text("thing", text.format(2) + end)

    assert [dict(vars(cls)) for cls in (thing.K, thing.L)] == attributes
    assert world(runtime, "thing") == before
    assert reasons(project.load_text("thing", text.format(2))) == {"L": "its text differs"}


def test_an_interrupt_in_the_midst_of_the_swap_leaves_nothing_half_done(project, monkeypatch):
    """The commit does it once more, all of it."""
    text = "class A:\n    def f(self): pass\nclass B: x = {}\nclass C: x = {}\n"
    project.load_text("thing", text.format(1, 1))
    thing = sys.modules["thing"]
    held = pickle_by_name, [thing.B(), thing.C()]
    calls = []

    def interrupted(cls):
        calls.append(cls)
        held[0](cls)
        if len(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("midflight.code.identity.kept.pickle_by_name", interrupted)
    with pytest.raises(KeyboardInterrupt):
        project.load_text("thing", text.format(2, 2))

    assert thing.__midflight_version__ == 2
    assert thing.A.f.__globals__ is vars(thing)
    assert [type(pickle.loads(pickle.dumps(each))) for each in held[1]] == [thing.B, thing.C]


def test_memory_stays_flat_over_many_loads(project, monkeypatch):
    """A kept class keeps the current version only, and a superseded one nothing. Tried with a thousand."""
    monkeypatch.setattr("midflight.code.version.modules.KEPT", 5)
    text = """
        from dataclasses import dataclass, field
        from enum import Enum
        from typing import NamedTuple
        LIMIT = 3
        class Kind(Enum):
            A = 1
            def label(self): return LIMIT
        @dataclass
        class Point:
            x: int = 0
            tags: list = field(default_factory=lambda: [LIMIT])
            def far(self): return self.x > LIMIT
        class Pair(NamedTuple):
            a: Point
        class Changing:
            number = {}
            def f(self): return helper()
        def helper(): return LIMIT
        """

    def load(numbers):
        for number in numbers:
            project.load_text("thing", text.format(number))
        forget_remembered()
        gc.collect()
        return len(gc.get_objects())

    before = load(range(40))  # past what the code server remembers of texts
    after = load(range(40, 140))

    assert after - before < 100  # a class that stayed would be some dozen for each load
    alive = [each.number for each in modules.module_of("thing").versions.values() if each.namespace is not None]
    assert alive == [140]
    assert sys.modules["thing"].Point().far() is False
