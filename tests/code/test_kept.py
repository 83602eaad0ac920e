"""What becomes of a class that is kept: it is the new version's own, for those who run it and for Python's tools."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import sys
import traceback
import typing

import pytest

from helpers.identity import load_twice, namespace_of_the_first
from midflight import code
from midflight.code.identity import kept as kept_classes
from midflight.otp.newest import newest

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


@pytest.mark.parametrize("above", ["", "# moved\n\n"])
def test_a_method_with_a_class_in_it_moves_too(project, above):
    """Where the code of that class says on which line it stands, that of the method differs when lines move."""
    text = "class K:\n    def f(self):\n        class Local:\n            line = 3\n        return Local\n"
    project.load_text("thing", text)
    function = sys.modules["thing"].K.f

    report = project.load_text("thing", above + text)

    assert report.kept == ("K",)
    assert function is sys.modules["thing"].K.f
    assert function.__globals__ is vars(sys.modules["thing"])
    assert function.__code__.co_firstlineno == 2 + above.count("\n")


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


def test_a_cached_function_of_a_kept_class_moves_with_its_results(project):
    """An lru_cache has its function in C: that is the same object, and so are the results."""
    text = "import functools\nclass K:\n    @staticmethod\n    @functools.cache\n    def f(): return [__name__]\n"
    project.load_text("thing", text)
    first = sys.modules["thing"].K.f()
    report = load_twice(project, text)

    assert report.kept == ("K",)
    assert namespace_of_the_first() is None
    assert sys.modules["thing"].K.f() is first


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
    monkeypatch.setattr("midflight.code.identity.kept.Identity.settle", _patching(kept, patched))
    project.load_text("thing", text)

    assert patched == [True]
    assert (kept().f(), kept().g()) == (2, 1)
    assert kept.g.__globals__ is vars(sys.modules["thing"])


def _patching(cls, patched):
    settle = kept_classes.Identity.settle

    def settle_after_a_patch(self):
        patched.append(True)
        cls.f = lambda self: 2
        settle(self)

    return settle_after_a_patch


def test_a_held_function_of_a_kept_class_stays_the_one_that_the_class_has(project):
    """So who holds one as a value, a child spec say, has the newest one."""
    text = "class K:\n    @staticmethod\n    def f(): pass\n"
    project.load_text("thing", text)
    thing = sys.modules["thing"]
    held = thing.K.f

    load_twice(project, text)

    assert held is thing.K.f
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
