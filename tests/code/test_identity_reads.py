"""What a class reads, and whether it keeps its object when that is, or is not, the same in both versions."""

from __future__ import annotations

import sys

import pytest

from helpers.identity import load_twice, reasons
from midflight import code

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
    "a list": ("it = []\nit.append(1)", "which is another object"),
    "a call": ("it = dict(a=1)\nit.update()", "which is another object"),
    "an object of a kept class": ("class A: pass\nit = A()\nit.x = 1", "which is another object"),
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


@pytest.mark.parametrize(
    "text",
    [
        "@dataclass\nclass K:\n    x: other.Kind = None\n",
        "class K:\n    x: other.Kind\n",
        "class K:\n    def f(self, x: list[other.Kind]): pass\n",
    ],
)
def test_what_annotations_read_counts_whenever_they_run(project, text):
    """From Python 3.14 on they run when somebody asks for them; a dataclass does as soon as there is a class."""
    project.load_text("other", "class Kind:\n    size = 1\n")
    text = f"import other\nfrom dataclasses import dataclass\n{text}"
    assert load_twice(project, text).kept == ("K",)

    project.load_text("other", "class Kind:\n    size = 2\n")
    report = project.load_text("thing", text)

    assert reasons(report) == {"K": "it reads other.Kind, which is another object now"}
