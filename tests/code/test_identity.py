"""Which classes and sentinels keep their object when a module is loaded again, and why others do not."""

from __future__ import annotations

import gc
import sys
import typing
import weakref

import pytest

from helpers.identity import load_twice, reasons
from midflight import code
from midflight.code import modules

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


# --- What a class reads --------------------------------------------------------------------------------------

SAME = {
    "an import": "import math as it",
    "an imported function": "from math import sin as it",
    "a number": "it = 10",
    "a text": "it = 'ten'",
    "a float": "it = 0.1",
    "a tuple of constants": "it = (1, 'a', (None, ...), frozenset({1, 2}))",
    "an annotated constant": "from typing import Final\nit: Final = 10",
    "a date": "import datetime\nit = datetime.date(2020, 2, 2)",
    "a pattern": "import re\nit = re.compile('a+')",
    "a logger": "import logging\nit = logging.getLogger(__name__)",
    "a kept class": "class it: pass",
    "an enum's member": "from enum import Enum\nclass E(Enum): A = 1\nit = E.A",
    "a union of kept classes": "class A: pass\nclass B: pass\nit = A | B | None",
    "a type of kept classes": "from typing import Callable\nclass A: pass\nit = Callable[[A], list[A]]",
    "a sentinel": "it = object()",
    "what once keeps": "from midflight.code import once\nit = once('it', list)",
    "what __persist__ keeps": "__persist__ = ['it']\nit = []",
    "nothing that there is": "",
}

DIFFERENT = {
    "a function": ("def it(): pass", "a function, which is made anew"),
    "an async function": ("async def it(): pass", "a function, which is made anew"),
    "a list": ("it = [1]", "which is another object"),
    "a call": ("it = dict(a=1)", "which is another object"),
    "an object of a kept class": ("class A: pass\nit = A()", "which is another object"),
    "a note": ("from typing import Annotated\nit = Annotated[int, []]", "which is another object"),
    "the version's number": ("it = __midflight_version__", "which is another object"),
    "what a function rebinds": (
        "it = 1\ndef f():\n    global it\n    it = 2",
        "which a function binds anew by `global`",
    ),
    "a star import further down": ("it = 1\nclass L: pass\nfrom math import *", "which is bound further down"),
}


@pytest.mark.parametrize("what", SAME)
def test_a_class_is_kept_with_what_is_the_same_in_both_versions(project, what):
    """One object, or an equal constant."""
    text = f"{SAME[what]}\nclass K:\n    def f(self): return it\n"
    project.load_text("thing", text, force=True)
    before = sys.modules["thing"].K

    report = project.load_text("thing", "\n" + text, force=True)

    assert reasons(report) == {}
    assert sys.modules["thing"].K is before


@pytest.mark.parametrize("what", DIFFERENT)
def test_a_class_that_reads_what_is_made_anew_is_made_anew(project, what):
    """The report says what it is."""
    text, why = DIFFERENT[what]
    above, _, below = text.partition("\nclass L: pass\n")

    report = load_twice(project, f"{above}\nclass K:\n    def f(self): return it\n{below}\n")

    assert reasons(report) == {"K": f"it reads it, {why}"}


READERS = {
    "the body": "x = math",
    "a default": "def f(self, x=math): pass",
    "a method": "def f(self): return math",
    "a nested function": "def f(self): return lambda: [math for _ in '']",
    "an annotation": "def f(self) -> math: pass",
    "a string annotation": "def f(self, x: 'list[math]'): pass",
}
READ_AT_ONCE = ("the body", "a default")


@pytest.mark.parametrize(
    ("reader", "above"),
    [(reader, above) for reader in READERS for above in (True, False) if above or reader not in READ_AT_ONCE],
)
def test_a_class_that_reads_a_changed_constant_is_made_anew(project, reader, above):
    """Wherever it reads it, and wherever that stands."""
    head, cls = "from __future__ import annotations\n", f"class K:\n    {READERS[reader]}\n"
    constants = [f"math = {number}\n" for number in (1, 2)]
    texts = [head + (constant + cls if above else cls + constant) for constant in constants]

    report = load_twice(project, *texts)

    why = "which is another object" if above else "which is bound further down"
    assert reasons(report) == {"K": f"it reads math, {why}"}


def test_a_constant_further_down_may_be_read_if_it_is_unchanged(project):
    """Its value can be told from the text."""
    report = load_twice(project, "class K:\n    def f(self): return LIMIT\nLIMIT = (1, 2)\n")

    assert report.kept == ("K",)


def test_an_import_further_down_cannot_be_compared_in_time(project):
    """At the class's place nobody knows yet what it will be."""
    report = load_twice(project, "class K:\n    def f(self): return math\nimport math\n")

    assert reasons(report) == {"K": "it reads math, which is bound further down"}


def test_a_name_that_the_version_before_bound_again_is_not_what_its_body_read(project):
    """X was 1 when it ran, and 2 in the end."""
    report = load_twice(project, "X = 1\nclass K:\n    x = X\nX = 2\n", "X = 2\nclass K:\n    x = X\n")

    assert reasons(report) == {"K": "it reads X, which the version before bound anew below"}
    assert sys.modules["thing"].K.x == 2


def test_a_local_variable_is_no_name_of_the_module(project):
    """Nor are parameters, attributes, and what a class body binds itself."""
    text = """
        def total(): pass
        class K:
            limit = 1
            twice = limit * 2
            def f(self, total):
                limit = total
                return self.total, [total for total in (limit,)]
        def limit(): pass
        """

    assert load_twice(project, text).kept == ("K",)


@pytest.mark.parametrize(
    ("one", "other"), [("1", "True"), ("0.0", "-0.0"), ("(1,)", "(1.0,)"), ("frozenset({1})", "frozenset({True})")]
)
def test_equal_is_not_the_same(project, one, other):
    """Code may tell them apart."""
    text = "X = {}\nclass K:\n    def f(self): return X\n"

    report = load_twice(project, text.format(one), text.format(other))

    assert reasons(report) == {"K": "it reads X, which is another object"}


@pytest.mark.parametrize("name", ["globals", "eval", "exec"])
def test_a_class_that_may_read_anything_is_made_anew(project, name):
    """Nobody can say what it reads."""
    report = load_twice(project, f"class K:\n    def f(self): return {name}\n")

    assert reasons(report) == {"K": f"it reads {name}, which may read anything"}


def test_another_future_import_changes_every_class(project):
    """Annotations are something else then."""
    text = "class K:\n    x: int\n"

    report = load_twice(project, text, f"from __future__ import annotations\n{text}")

    assert reasons(report) == {"K": "the module's __future__ imports differ"}


def test_what_stands_behind_a_module_counts_if_the_body_has_read_it(project):
    """`base.Base` is another class, though `base` is the same module. What a method reads late is no matter."""
    text = "import base\nclass K(base.Base):\n    def f(self): return base.late()\n"
    project.load_text("base", "class Base: pass\ndef late(): pass\n")
    assert load_twice(project, text).kept == ("K",)

    project.load_text("base", "X = 1\nclass Base: pass\ndef late(): pass\n")  # Base is kept, late is not
    assert project.load_text("thing", text).kept == ("K",)
    project.load_text("base", "class Base: new = 1\ndef late(): pass\n")
    report = project.load_text("thing", text)

    assert reasons(report) == {"K": "it reads base.Base, which is another object now"}
    assert sys.modules["thing"].K.__base__ is sys.modules["base"].Base


@pytest.mark.parametrize(("loads", "why"), [(1, {}), (2, {"K": "it reads base.Base, and nobody knows what that was"})])
def test_what_the_body_of_an_imported_version_has_read_is_not_known(project, loads, why):
    """Python ran it. If that module has had one version only, it was that one's."""
    project.load_text("base", "class Base: number = 1\n")
    project.write("thing.py", "import base\nclass K(base.Base): pass\ndef f(): pass\n")
    __import__("thing")
    if loads == 2:
        project.load_text("base", "class Base: number = 2\n")

    assert reasons(code.load("thing")) == why


# --- Classes that read classes --------------------------------------------------------------------------------


def test_a_class_is_kept_with_those_that_it_reads_in_whatever_order(project):
    """Of two that read each other, both or none."""
    text = """
        class Tree:
            def leaf(self): return Leaf()
            def last(self) -> "Last": ...
        class Leaf:
            def tree(self): return Tree()
        class Last(Leaf): limit = {}
        """
    assert load_twice(project, text.format(1)).kept == ("Tree", "Leaf", "Last")

    report = load_twice(project, text.format(1), text.format(2))

    assert reasons(report) == {
        "Tree": "it reads Last, which is not kept",
        "Leaf": "it reads Tree, which is not kept",
        "Last": "its text differs",
    }


def test_the_reason_says_how_a_name_is_reached(project):
    """Across classes further down."""
    text = "class A:\n    def f(self): return B\nclass B:\n    def f(self): return helper\ndef helper(): pass\n"

    report = load_twice(project, text)

    assert reasons(report) == {
        "A": "it reads B, which reads helper, a function, which is made anew",
        "B": "it reads helper, a function, which is made anew",
    }


def test_a_new_subclass_is_one_of_the_kept_class(project):
    """New code that asks for it finds old objects to be what they were."""
    load_twice(project, "class Base: pass\n")
    base = sys.modules["thing"].Base

    project.load_text("thing", "class Base: pass\nclass Sub(Base): pass\n")

    assert issubclass(sys.modules["thing"].Sub, base)


def test_a_class_whose_base_is_new_is_new(project):
    """Its text is the same, what it is made of is not."""
    text = "class Base: x = {}\nclass Sub(Base): pass\n"

    report = load_twice(project, text.format(1), text.format(2))

    assert reasons(report)["Sub"] == "it reads Base, which is not kept"
    assert sys.modules["thing"].Sub.x == 2


def test_modules_of_one_load_keep_what_they_have_of_one_another(project):
    """By from-import, and by the module."""
    first = project.write("first.py", "class A: pass\nclass X: pass\n")
    second = project.write("second.py", "import first\nfrom first import A\nclass B(A, first.X): pass\n")
    code.load_many([first, second])
    before = sys.modules["second"].B

    reports = code.load_many([first, second])
    assert [report.kept for report in reports] == [("A", "X"), ("B",)]
    assert sys.modules["second"].B is before
    project.write("first.py", "class A: pass\nclass X: new = 1\n")
    reports = code.load_many([first, second])

    assert reasons(reports[1]) == {"B": "it reads first.X, which is another object now"}
    assert sys.modules["second"].B.new == 1


# --- Where a class stands ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "if True:\n    class K: pass\n",
        "if 0:\n    pass\nelif 0:\n    pass\nelse:\n    class K: pass\n",
        "try:\n    class K: pass\nfinally:\n    pass\n",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    class K: pass\n",
        "import contextlib\nwith contextlib.nullcontext():\n    class K: pass\n",
        "match 1:\n    case 1:\n        class K: pass\n",
    ],
)
def test_a_class_is_kept_wherever_its_statement_runs_once(project, text):
    """The question is asked at its place."""
    assert load_twice(project, text).kept == ("K",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("for _ in '12':\n    class K: pass\n", "its statement differs"),
        ("class K: pass\nclass K: pass\n", "its name is bound more than once"),
        ("try:\n    from a import K\nexcept ImportError:\n    class K: pass\n", "its name is bound more than once"),
        ("class K: pass\nK.x = 1\n", "the body of the module sets an attribute of it"),
        ("class K: pass\nsetattr(K, 'x', 1)\n", "the body of the module sets an attribute of it"),
        ("class K:\n    all = {}\nK.all['x'] = 1\n", "the body of the module sets an attribute of it"),
        ("class K: pass\ndef f():\n    global K\n    K = None\n", "a function binds its name anew by `global`"),
    ],
)
def test_a_class_that_the_body_does_more_with_is_made_anew(project, text, why):
    """Else a load that fails would have changed it, or the name would mean another one."""
    assert reasons(load_twice(project, text)) == {"K": why}


def test_a_class_that_was_put_in_another_order_is_kept(project):
    """Lines do not count."""
    text = "class A: pass\nclass B:\n    def f(self): return A\n"
    other = "X = 1\nclass B:\n    def f(self): return A\nif X:\n    pass\nclass A: pass\n"

    assert load_twice(project, text, other).kept == ("B", "A")


def test_a_class_that_somebody_has_put_another_in_the_place_of_is_made_anew(project):
    """As a test's mock: what there is by that name is none of the module's."""
    project.load_text("thing", "class K: pass\n")
    sys.modules["thing"].K = int

    report = project.load_text("thing", "class K: pass\n")

    assert (report.kept, report.superseded) == ((), ())
    assert sys.modules["thing"].K is not int


def test_a_name_that_is_bound_unseen_after_all_is_a_warning(project):
    """A body may do with its names what no text says."""
    text = "class K:\n    def f(self): return hidden\n"
    project.load_text("thing", text, force=True)

    report = project.load_text("thing", text + "globals()['hid' + 'den'] = 1\n", force=True)

    (warning,) = [each for each in report.warnings if each.code == "identity"]
    assert "K was kept, but reads hidden" in warning.message


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


def test_other_values_are_made_anew(project):
    """Module state is kept by `once` and `__persist__`, and else not."""
    text = "class A: pass\nK = A()\nL = []\nM = dict()\n"
    project.load_text("thing", text)
    thing = sys.modules["thing"]
    before = thing.K, thing.L, thing.M

    project.load_text("thing", text)

    assert not any(one is other for one, other in zip(before, (thing.K, thing.L, thing.M), strict=True))


# --- The report ---------------------------------------------------------------------------------------------------


def test_the_report_says_what_was_kept_and_what_not(project):
    """One line each, and nothing in the one line for the echo area."""
    text = "class A: pass\nclass B: x = {}\nclass C(B): pass\nMISSING = object()\n"

    report = load_twice(project, text.format(1), text.format(2))

    lines = code.text(report).splitlines()
    assert "  kept:    A, MISSING" in lines
    assert "  renewed: B (its text differs), C (it reads B, which is not kept)" in lines
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
