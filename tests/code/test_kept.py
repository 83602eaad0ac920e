"""What becomes of a class that is kept: it is the new version's own, for those who run it and for Python's tools."""

from __future__ import annotations

import dataclasses
import enum
import gc
import inspect
import pickle
import sys
import traceback
import typing

import pytest

from helpers.faults import world
from helpers.identity import load_twice, reasons
from midflight import code
from midflight.code import LoadError, is_renewed, modules
from midflight.code.pickling import pickle_by_name
from midflight.otp.newest import newest


def namespace_of_the_first():
    """Return the namespace of version 1 of `thing`, None if nothing can run it any more."""
    gc.collect()
    return modules.module_of("thing").version(1).namespace


# --- Its functions --------------------------------------------------------------------------------------------


def test_the_version_that_made_a_kept_class_goes_all_the_same(project):
    """Whatever kinds of functions it has: they have moved to the namespace of the current version."""
    text = """
        import abc, dataclasses, enum, functools, typing
        LIMIT = 3
        T = typing.TypeVar("T")
        class Base(abc.ABC, typing.Generic[T]):
            @abc.abstractmethod
            def f(self, x: T) -> T: ...
            @property
            def p(self): return LIMIT
            @p.setter
            def p(self, value): self.value = LIMIT
            @classmethod
            def c(cls, key=lambda: LIMIT): return key()
            @staticmethod
            def s(*, key=lambda: LIMIT): return key()
            @functools.cached_property
            def q(self): return LIMIT
            @functools.singledispatchmethod
            def d(self, x): return LIMIT
            class Inner:
                def f(self): return LIMIT
        class Sub(Base[int]):
            def f(self, x): return super().p, __class__
        @dataclasses.dataclass
        class Point:
            x: int = 0
            tags: list = dataclasses.field(default_factory=lambda: [LIMIT])
        class Pair(typing.NamedTuple):
            first: Point = Point()
            def f(self): return LIMIT
        class Kind(enum.Enum):
            A = 1
            def f(self): return LIMIT
        class Protocol(typing.Protocol):
            def f(self) -> int: ...
        """
    report = load_twice(project, text)

    assert report.superseded == ()
    assert namespace_of_the_first() is None


def test_functions_of_a_kept_class_are_whole(project):
    """With their defaults, annotations, attributes and names."""
    text = """
        N = 7
        class K:
            def f(self, a: int = 1, /, *b, c=2, d=lambda: N, **e) -> str:
                "Doc."
                return d()
            f.mark = 3
        """
    project.load_text("thing", text)
    thing = sys.modules["thing"]
    before = [(each.name, each.kind, each.annotation) for each in inspect.signature(thing.K.f).parameters.values()]

    load_twice(project, text)

    found = thing.K.f
    assert [(each.name, each.kind, each.annotation) for each in inspect.signature(found).parameters.values()] == before
    assert (found.__doc__, found.mark, found.__qualname__, found.__module__) == ("Doc.", 3, "K.f", "thing")
    assert found.__globals__ is found.__kwdefaults__["d"].__globals__ is vars(thing)
    assert thing.K().f() == 7


def test_what_wraps_a_function_of_a_kept_class_wraps_the_one_that_has_moved(project):
    """Wrappers of other modules hold it in a cell, a default, an attribute; the class in containers."""
    project.write(
        "wrappers.py",
        """
        import functools
        def by_cell(f):
            @functools.wraps(f)
            def g(*a): return f(*a)
            return g
        def by_default(f):
            def g(self, f=f): return f(self)
            return g
        """,
    )
    sys.path.append(str(project.root))
    text = """
        import functools
        from contextlib import contextmanager
        from wrappers import by_cell, by_default
        class K:
            @by_cell
            def a(self): return __name__
            @by_default
            def b(self): return __name__
            @contextmanager
            def c(self): yield __name__
            d = functools.partialmethod(lambda self, x: __name__, 1)
            e = {"key": [lambda: __name__]}
            f = (lambda: __name__,)
            g = functools.partial(lambda: __name__)
        """

    assert load_twice(project, text).kept == ("K",)

    assert namespace_of_the_first() is None
    kept = sys.modules["thing"].K
    assert [kept().a(), kept().b(), kept().d(), kept.e["key"][0](), kept.f[0](), kept.g()] == ["thing"] * 6
    with kept().c() as name:
        assert name == "thing"


def test_a_function_that_cannot_be_reached_keeps_the_version_that_made_it(project):
    """An lru_cache has it in C: an admitted weakness, of one version in memory however often its class is kept."""
    text = "import functools\nclass K:\n    @functools.lru_cache\n    def f(self): return __name__\n"
    report = load_twice(project, text)
    project.load_text("thing", text)

    assert report.kept == ("K",)
    assert namespace_of_the_first() is not None
    gc.collect()
    assert modules.module_of("thing").version(2).namespace is None
    assert sys.modules["thing"].K().f() == "thing"


def test_super_and_class_cells_work_in_a_kept_class(project):
    """Its functions are others, the cell is the same."""
    text = """
        class A:
            def f(self): return "A"
            @classmethod
            def make(cls): return cls()
        class B(A):
            def f(self): return super().f() + __class__.__name__
            @classmethod
            def make(cls): return super().make()
            def late(self): return lambda: super(B, self).f()
        """
    project.load_text("thing", text)
    old = sys.modules["thing"].B()

    load_twice(project, text)

    new = sys.modules["thing"].B.make()
    assert type(old) is type(new)
    assert [(each.f(), each.late()()) for each in (old, new)] == [("AB", "A"), ("AB", "A")]


def test_what_somebody_changes_in_a_kept_class_meanwhile_stays(project, monkeypatch):
    """The commit moves only what it has looked at."""
    text = "import sys\nclass K:\n    def f(self): return 1\n    def g(self): return 1\n"
    project.load_text("thing", text)
    kept = sys.modules["thing"].K
    patched = []

    project.load_text("thing", text + "from midflight.code import on_load\n")
    monkeypatch.setattr("midflight.code.identity.Identity.settle", _patching(kept, patched))
    project.load_text("thing", text)

    assert patched == [True]
    assert (kept().f(), kept().g()) == (2, 1)
    assert kept.g.__globals__ is vars(sys.modules["thing"])


def _patching(cls, patched):
    settle = code.identity.Identity.settle

    def settle_after_a_patch(self):
        patched.append(True)
        cls.f = lambda self: 2
        settle(self)

    return settle_after_a_patch


def test_a_held_function_of_a_kept_class_is_known_to_have_been_renewed(project):
    """So who holds one as a value, a child spec say, does not take it for another one that has its name only."""
    text = "class K:\n    @staticmethod\n    def f(): pass\ndef g(): pass\n"
    project.load_text("thing", text)
    thing = sys.modules["thing"]
    held, other = thing.K.f, thing.g

    load_twice(project, text)

    assert [is_renewed(each) for each in (held, thing.K.f, other)] == [True, False, False]
    assert code.current(held) is thing.K.f
    assert newest(held) is thing.K.f
    assert thing.K.f.__globals__ is vars(thing)


# --- What runs again, and what does not ------------------------------------------------------------------------


def test_decorators_and_registries_do_not_see_a_kept_class_again(project):
    """It is registered; a new one is seen as ever."""
    project.load_text(
        "registry",
        """
        ALL = []
        def register(cls):
            ALL.append(cls)
            return cls
        class Base:
            subclasses = []
            def __init_subclass__(cls): Base.subclasses.append(cls.__name__)
        """,
    )
    text = "from registry import Base, register\n@register\nclass A(Base): pass\n@register\nclass B(Base): x = {}\n"

    load_twice(project, text.format(1), text.format(2))

    registry = sys.modules["registry"]
    assert [cls.__name__ for cls in registry.ALL] == registry.Base.subclasses == ["A", "B", "B"]


def test_the_state_of_a_kept_class_goes_on(project):
    """Nobody runs its body again."""
    text = "class K:\n    count = 0\n    made = []\n"
    project.load_text("thing", text)
    kept = sys.modules["thing"].K
    kept.count += 1
    kept.made.append(1)

    load_twice(project, text)

    assert (sys.modules["thing"].K.count, kept.made) == (1, [1])


def test_abc_register_lasts(project):
    """Virtual subclasses of a kept class, in whatever version they were registered."""
    text = "from abc import ABC\nclass K(ABC): pass\n@K.register\nclass Virtual: pass\n"
    project.load_text("thing", text)
    sys.modules["thing"].K.register(int)

    load_twice(project, text)

    thing = sys.modules["thing"]
    assert issubclass(int, thing.K)
    assert issubclass(thing.Virtual, thing.K)


# --- Python's tools -------------------------------------------------------------------------------------------------


def test_tracebacks_and_inspect_show_the_new_lines_of_a_kept_class(project):
    """Its code is that of the new text, so the text of the version that made it may go."""
    load_twice(project, "class K:\n    def fail(self):\n        raise ValueError('x')  # here\n")
    kept = sys.modules["thing"].K

    try:
        kept().fail()
    except ValueError:
        shown = traceback.format_exc()

    assert "thing@2.py" in shown
    assert "line 5, in fail" in shown
    assert "# here" in shown
    assert inspect.getsource(kept).startswith("class K:")
    assert inspect.getsource(kept.fail).strip().startswith("def fail(self)")


def test_dataclass_enum_and_typing_tools_work_on_kept_classes(project):
    """They ask the class, and the module that it names."""
    load_twice(
        project,
        """
        from __future__ import annotations
        from dataclasses import dataclass
        import enum
        class E(enum.Enum):
            A = 1
        @dataclass
        class K:
            x: E = E.A
            next: K | None = None
        """,
    )
    thing = sys.modules["thing"]

    assert typing.get_type_hints(thing.K) == {"x": thing.E, "next": thing.K | None}
    assert dataclasses.replace(thing.K(), next=thing.K()) == thing.K(next=thing.K())
    assert isinstance(thing.E, enum.EnumMeta)


def test_pydantic_models_are_kept(project):
    """With their validators, which its core holds out of reach."""
    pydantic = pytest.importorskip("pydantic")
    text = """
        from pydantic import BaseModel, field_validator
        LIMIT = 10
        class Item(BaseModel):
            price: int = 1
            @field_validator("price")
            @classmethod
            def below(cls, value):
                assert value < LIMIT
                return value
        class Cart(BaseModel):
            items: list[Item] = []
        """
    project.load_text("thing", text)
    item = sys.modules["thing"].Item(price=2)

    report = load_twice(project, text)

    thing = sys.modules["thing"]
    assert report.kept == ("Item", "Cart")
    assert thing.Cart(items=[item]).items == [item]
    with pytest.raises(pydantic.ValidationError):
        thing.Item(price=10)


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
    monkeypatch.setattr("midflight.code.snapshots._folders", {})
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

    monkeypatch.setattr("midflight.code.identity.pickle_by_name", interrupted)
    with pytest.raises(KeyboardInterrupt):
        project.load_text("thing", text.format(2, 2))

    assert thing.__midflight_version__ == 2
    assert thing.A.f.__globals__ is vars(thing)
    assert [type(pickle.loads(pickle.dumps(each))) for each in held[1]] == [thing.B, thing.C]


def test_memory_stays_flat_over_many_loads(project, monkeypatch):
    """A kept class keeps the current version only, and a superseded one nothing. Tried with a thousand."""
    monkeypatch.setattr("midflight.code.modules.KEPT", 5)
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
        gc.collect()
        return len(gc.get_objects())

    before = load(range(40))  # past what the code server remembers of texts
    after = load(range(40, 140))

    assert after - before < 100  # a class that stayed would be some dozen for each load
    alive = [each.number for each in modules.module_of("thing").versions.values() if each.namespace is not None]
    assert alive == [140]
    assert sys.modules["thing"].Point().far() is False
