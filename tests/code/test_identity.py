"""Which classes and sentinels keep their object when a module is loaded again, and why others do not."""

from __future__ import annotations

import gc
import sys
import typing
import weakref

import pytest

from helpers.identity import load_twice, reasons
from midflight import code
from midflight.code.version import modules

# Class K of each kind.
KINDS = {
    "plain": """
        class K:
            def __init__(self, x=1): self.x = x
            def double(self): return self.x * 2
        """,
    "dataclass": """
        from dataclasses import dataclass
        @dataclass
        class K:
            x: int = 1
        """,
    "frozen dataclass": """
        import dataclasses
        @dataclasses.dataclass(frozen=True)
        class K:
            x: int = 1
        """,
    "slots dataclass": """
        from dataclasses import dataclass
        @dataclass(slots=True)
        class K:
            x: int = 1
        """,
    "dataclass with a factory": """
        from dataclasses import dataclass, field
        N = 3
        @dataclass
        class K:
            x: list = field(default_factory=lambda: [N])
        """,
    "string annotations": """
        from __future__ import annotations
        from dataclasses import dataclass
        @dataclass
        class K:
            x: K | None = None
        """,
    "NamedTuple": """
        from typing import NamedTuple
        class K(NamedTuple):
            x: int = 1
            def twice(self): return self.x
        """,
    "namedtuple": """
        from collections import namedtuple
        K = namedtuple("K", "x", defaults=[1])
        """,
    "Enum": """
        from enum import Enum, auto
        class K(Enum):
            A = auto()
            ALIAS = A
            def label(self): return self.name
        """,
    "functional Enum": """
        import enum
        K = enum.Enum("K", "A B", module=__name__)
        """,
    "IntEnum": """
        from enum import IntEnum
        class K(IntEnum):
            A = 1
            @property
            def label(self): return self.name
        """,
    "Flag": """
        from enum import Flag
        class K(Flag):
            A = 1
            B = 2
            BOTH = A | B
        """,
    "exception": """
        class K(Exception):
            def __init__(self, x=1):
                super().__init__(x)
                self.x = x
        """,
    "ABC": """
        from abc import ABC, abstractmethod
        class K(ABC):
            @abstractmethod
            def f(self): ...
        """,
    "Protocol": """
        from typing import Protocol, runtime_checkable
        @runtime_checkable
        class K(Protocol):
            def f(self): ...
        """,
    "TypedDict": """
        from typing import TypedDict
        class K(TypedDict, total=False):
            x: "int"
        """,
    "Generic": """
        from typing import Generic, TypeVar
        T = TypeVar("T")
        class K(Generic[T]):
            def f(self, x: T) -> T: return x
        """,
    "metaclass": """
        class Meta(type):
            made = []
            def __new__(cls, *args):
                new = super().__new__(cls, *args)
                cls.made.append(new)
                return new
        class K(metaclass=Meta): pass
        """,
    "nested": """
        class K:
            class Inner:
                class Innermost: pass
                def f(self): return K.Inner
        """,
    "descriptors": """
        import functools
        from typing import ClassVar
        class K:
            all: ClassVar[list] = []
            @property
            def p(self): return 1
            @p.setter
            def p(self, value): pass
            @classmethod
            def c(cls): return cls
            @staticmethod
            def s(): return K
            @functools.cached_property
            def q(self): return K
            @functools.singledispatchmethod
            def d(self, x): return K
            @functools.total_ordering
            class Inner:
                def __lt__(self, other): return K
                def __eq__(self, other): return K
        """,
}
if sys.version_info >= (3, 12):
    KINDS["type parameters"] = """
        class K[T]:
            def f[U](self, x: T, y: U) -> T: return x
        """


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_of_any_kind_that_is_unchanged_keeps_its_object(project, kind):
    """DESIGN: a class keeps its identity if its syntax is unchanged, and what it reads."""
    project.load_text("thing", KINDS[kind])
    before = sys.modules["thing"].K

    report = load_twice(project, KINDS[kind])

    assert sys.modules["thing"].K is before
    assert "K" in report.kept
    assert report.superseded == ()
    assert sys.modules["thing"].__midflight_version__ == 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def f(self): return 1", "def f(self): return 2"),
        ("def f(self, x=1): pass", "def f(self, x=2): pass"),
        ("'''One.'''", "'''Two.'''"),
        ("x: int", "x: str"),
    ],
)
def test_a_class_whose_text_differs_is_made_anew(project, old, new):
    """In whatever but comments and layout."""
    project.load_text("thing", f"class K:\n    {old}\n")
    before = sys.modules["thing"].K

    report = project.load_text("thing", f"class K:\n    # a comment\n    {new}\n")

    assert sys.modules["thing"].K is not before
    assert report.kept == ()
    assert reasons(report) == {"K": "its text differs"}


def test_a_class_that_is_gone_is_said_to_be(project):
    """Its objects have nothing to become."""
    report = load_twice(project, "class K: pass\nclass L: pass\n", "class L: pass\n")

    assert reasons(report) == {"K": "it is gone"}
    assert report.kept == ("L",)


# --- Sentinels and the like ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "K = object()\n",
        "from typing import Final\nK: Final = object()\n",
        "from typing import TypeVar\nclass Bound: pass\nK = TypeVar('K', bound='Bound')\n",
        "from typing import NewType\nK = NewType('K', int)\n",
        "from contextvars import ContextVar\nK = ContextVar('K', default=None)\n",
    ],
)
def test_sentinels_and_the_like_keep_their_object(project, text):
    """Old code passes them to new code, which compares with `is`."""
    project.load_text("thing", text)
    before = sys.modules["thing"].K

    report = load_twice(project, text)

    assert sys.modules["thing"].K is before
    assert "K" in report.kept


def test_the_annotation_of_a_sentinel_counts_in_each_version(project):
    """Its statement does not run, but for that."""
    load_twice(project, "from typing import Final\nK: Final = object()\n")

    assert sys.modules["thing"].__annotations__ == {"K": typing.Final}


def test_a_type_variable_whose_bound_is_new_is_new(project):
    """It names it in a string."""
    text = "from typing import TypeVar\nclass Bound: x = {}\nT = TypeVar('T', bound='Bound')\n"

    assert load_twice(project, text.format(1), text.format(2)).kept == ()


def test_values_that_the_body_does_more_with_are_new(project):
    """The others are state, which is kept."""
    text = "class A: pass\nK = A()\nK.x = 1\nL = iter([1])\nnext(L)\n"
    project.load_text("thing", text)
    thing = sys.modules["thing"]
    before = thing.K, thing.L

    project.load_text("thing", text)

    assert not any(one is other for one, other in zip(before, (thing.K, thing.L), strict=True))


# --- The report ---------------------------------------------------------------------------------------------------


def test_the_report_says_what_was_kept_and_what_not(project):
    """One line each, and nothing in the one line for the echo area."""
    text = "class A: pass\nclass B: x = {}\nclass C(B): pass\nMISSING = object()\n"

    report = load_twice(project, text.format(1), text.format(2))

    lines = code.text(report).splitlines()
    assert "  kept:    A, MISSING" in lines
    assert "  superseded: B (its text differs), C (it reads B, which is not kept)" in lines
    assert "kept" not in code.summary(report)


def test_a_first_load_and_one_after_an_unknown_text_keep_nothing(project):
    """There is nothing to compare with."""
    report = project.load_text("thing", "class K: pass\n")
    version = modules.module_of("thing").version(1)
    version._text = None
    version.snapshot.remove()

    second = project.load_text("thing", "class K: pass\n")

    assert (report.kept, report.superseded, second.kept) == ((), (), ())


def test_what_a_body_saw_of_another_module_keeps_no_version_of_that(project):
    """Reading `base.made` is no reason for its version to stay."""
    project.load_text("base", "def made(): return 1\n")
    project.load_text("thing", "import base\nx = base.made()\nclass K: y = base.made()\n")
    anchor = weakref.ref(vars(sys.modules["base"])["__midflight_anchor__"])

    project.load_text("base", "def made(): return 2\n")
    gc.collect()

    assert anchor() is None
    assert reasons(project.load_text("thing", "import base\nx = base.made()\nclass K: y = base.made()\n")) == {
        "K": "it reads base.made, which is another object now"
    }


def test_a_class_that_is_nested_too_deeply_is_made_anew(project):
    """And the module loads. How deep is too deep differs between Pythons."""
    long_sum = " + ".join(["1"] * 1500)

    report = load_twice(project, f"class K:\n    x = {long_sum}\nclass L: pass\n")

    assert sys.modules["thing"].K.x == 1500
    assert "K" in report.kept or reasons(report)["K"] == "it is nested too deeply to be compared"


def test_a_module_that_is_nested_too_deeply_keeps_nothing(project):
    """With the questions in it, it cannot be compiled."""
    long_sum = " + ".join(["1"] * 1500)

    report = load_twice(project, f"class K: pass\nx = {long_sum}\n")

    assert sys.modules["thing"].x == 1500
    assert report.kept == () or sys.version_info >= (3, 12)  # which has room for this


def test_the_question_is_gone_when_the_body_has_run(project):
    """Nobody finds it among the module's names."""
    load_twice(project, "class K: pass\nNAMES = [name for name in dir() if not name.startswith('_')]\n")

    thing = sys.modules["thing"]
    assert thing.NAMES == ["K"]
    assert not [name for name in vars(thing) if "keep" in name]
