"""What a statement reads of its module, and what binds a module's names, told from text and byte code."""

from __future__ import annotations

import argparse
import ast
import dis
import importlib
import inspect
import textwrap
from pathlib import Path

import pytest

from midflight.code.source.bindings import (
    Bindings,
    code_of,
    codes_in,
    feature_flags,
    is_same,
    qualified_reads_of,
    reads_of,
)
from midflight.code.source.statement_codes import can_move, codes_of, moved

ACCESS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS", "STORE_GLOBAL", "DELETE_GLOBAL")

PARSER = Path(argparse.__file__).read_text(encoding="utf-8")  # a long module with many classes


def parsed(text):
    """Return a module's first statement, and its code."""
    tree = ast.parse(textwrap.dedent(text))
    return tree.body[0], code_of(tree.body[0], "thing.py", feature_flags(tree))


def reads(text):
    """Return what the first statement of a text reads, without what every class reads."""
    return sorted(reads_of(*parsed(text)) - {"__name__"})


def bindings(text):
    """Return what binds the names of a text."""
    text = textwrap.dedent(text)
    return Bindings(ast.parse(text), text)


# --- What a statement reads ---------------------------------------------------------------------------------


def test_the_names_are_those_that_dis_finds():
    """Byte code is read by hand, so this says whether a Python is like the ones that it was written for."""
    for statement in ast.parse(PARSER).body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef):
            code = code_of(statement, "argparse.py", 0)
            codes = [code, *codes_in(code)]
            found = {each.argval for one in codes for each in dis.get_instructions(one) if each.opname in ACCESS}
            bound = {each.argval for one in codes for each in dis.get_instructions(one) if each.opname == "STORE_NAME"}

            assert found - bound <= reads_of(statement, code) <= found, statement.name


@pytest.mark.parametrize("imports", ["import sys", "import sys.x", "from a import sys", "if x:\n    import b as sys"])
def test_a_statement_alone_has_the_code_that_it_has_in_the_whole(imports):
    """The compiler knows of imports, and calls a function of a module in another way than a method."""
    text = f"class K:\n    def f(self): return sys.f(self.g())\n{imports}\n"
    tree = ast.parse(text)

    alone = code_of(tree.body[0], "thing.py", 0, Bindings(tree, text).imported)

    assert list(codes_in(alone)) == list(codes_in(compile(text, "thing.py", "exec", dont_inherit=True)))


def is_function(code):
    """Say whether that is the code of a function: that of a class may have the number of its line in it."""
    return code.co_flags & inspect.CO_OPTIMIZED


@pytest.mark.parametrize("name", ["argparse", "enum", "dataclasses", "typing", "http.cookiejar", "asyncio.streams"])
def test_the_code_of_a_class_is_found_in_that_of_the_module(name):
    """It is that of the statement alone; moved, it is that of the same text some lines further down."""
    text = inspect.getsource(importlib.import_module(name))
    tree, code = ast.parse(text), compile(text, "thing.py", "exec", dont_inherit=True)
    lower = ast.parse("\n\n\n" + text)
    flags, imported = feature_flags(tree), Bindings(tree, text).imported
    compared = 0
    for statement, further_down in zip(tree.body, lower.body, strict=True):
        if isinstance(statement, ast.ClassDef):
            found = [each for one in codes_of(statement, code) for each in (one, *codes_in(one))]
            assert found == list(codes_in(code_of(statement, "thing.py", flags, imported)))
            expected = list(codes_in(code_of(further_down, "thing.py", flags, imported)))
            if can_move(codes_of(statement, code)):
                shifted = [
                    each for one in codes_of(statement, code) for each in (moved(one, 3), *codes_in(moved(one, 3)))
                ]
                assert list(filter(is_function, shifted)) == list(filter(is_function, expected))
                compared += len(found)

    assert compared > 5


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@a.b(c)\nclass K(d, metaclass=e): pass", ["a", "c", "d", "e"]),
        ("class K:\n    x = a\n    y = x\n    def f(self, p=b): return c(p).d", ["a", "b", "c"]),
        ("class K:\n    if a:\n        x = 1\n    y = x", ["a", "x"]),
        ("class K:\n    try:\n        x = 1\n    finally:\n        y = x", ["x"]),
        ("class K:\n    def f(self):\n        global a\n        a = 1\n        del a", ["a"]),
        ("class K:\n    def f(self):\n        import a\n        return lambda b: [a, b, c, [d for d in b]]", ["c"]),
        ("class K:\n    x = [a for a in b if c]", ["b", "c"]),
        ("class K:\n    x: a\n    def f(self, p: b = c, *q: d, r: e, **s: f) -> g: pass", list("abcdefg")),
        ("class K:\n    x: 'a[b]' = 1\n    def f(self) -> 'list[c.d]': pass", ["a", "b", "c", "list"]),
        ("class K:\n    x: Literal['a']\n    y: Annotated['b', 'c', d]", ["Annotated", "Literal", "b", "d"]),
        ("class K(Base['a']):\n    x: 'not a type'", ["Base", "a"]),
        ("class K:\n    class L:\n        x: 'a'\n        def f(self): return K.L", ["K", "a"]),
        ("K = TypeVar('K', bound='a')", ["K", "TypeVar", "a"]),
        ("K = typing.NewType('K', 'a')", ["K", "a", "typing"]),
        ("K = namedtuple('K', 'a b', defaults=c)", ["c", "namedtuple"]),
    ],
)
def test_names_that_a_statement_reads(text, names):
    """When it runs, and later."""
    assert reads(text) == names


def test_annotations_count_though_they_do_not_run():
    """Something may look them up."""
    text = "from __future__ import annotations\nclass K:\n    x: a\n    def f(self, p: b) -> c: pass"
    tree = ast.parse(text)
    statement = tree.body[1]

    assert {"a", "b", "c"} <= reads_of(statement, code_of(statement, "thing.py", feature_flags(tree)))


def test_qualified_reads_are_those_that_run_with_the_statement():
    """Not those of a function that is called later."""
    _, code = parsed(
        """
        @a.b
        class K(c.d.e):
            x = [f.g for _ in h.i()]
            def method(self, p=j.k): return l.m
            y = lambda: n.o
            class Inner:
                z = p.q
        """
    )

    assert sorted(".".join(words) for words in qualified_reads_of(code)) == [
        "a.b", "c.d", "c.d.e", "f.g", "h.i", "j.k", "p.q",
    ]  # fmt: skip


# --- What binds a name --------------------------------------------------------------------------------------------


def test_every_way_to_bind_a_name_counts():
    """At the module's level; not in functions, lambdas and comprehensions."""
    found = bindings(
        """
        import a, b.c, d as e
        from f import g, h as i
        def j(local=(k := 1)): inner = 1
        async def l(): pass
        @(m := print)
        class n:
            attribute = 1
        o = p, (q, *r) = s[0], t = 1
        u: int = 1
        v += 1
        for w in x: pass
        with y as z, a1 as (b1, c1): pass
        try: pass
        except d1 as e1: f1 = 1
        match g1:
            case [h1, *i1] | {"k": j1, **k1} if (l1 := 1): pass
            case m1: pass
        if (n1 := o1): p1 = 1
        else: q1 = 1
        del r1
        [s1 for t1 in u1 if (v1 := 1)]
        lambda w1: (x1 := 1)
        """
    )

    expected = "a b e g i j l m n o p q r t u v w z b1 c1 e1 f1 h1 i1 j1 k1 l1 m1 n1 p1 q1 r1 v1".split()
    assert sorted(found.by_name) == sorted(expected)


def test_a_single_binding_is_told_from_several():
    """Which is what a kept class needs."""
    found = bindings("a = 1\nif a:\n    b = 1\nelse:\n    b = 2\ndef c(): pass\n")

    assert isinstance(found.single("c"), ast.FunctionDef)
    assert (found.single("b"), found.single("nowhere")) == (None, None)


def test_what_comes_after_a_place_is_known():
    """A star import may bind anything but names as `__name__`."""
    found = bindings("a = 1\nb = 1\nfrom c import *\n")

    assert [found.is_bound_after(name, (2, 0)) for name in ("a", "b", "d", "__name__")] == [True, True, True, False]
    assert not found.is_bound_after("a", (3, 0))


def test_names_that_functions_rebind_and_objects_that_the_body_changes():
    """However deep."""
    found = bindings("def f():\n    def g():\n        global a\nb.c = d[e].f = 1\ndel g.h\nsetattr(i, 'j', 1)\nk.l()\n")

    assert found.rebound == {"a"}
    assert found.touched == {"b", "d", "g", "i"}


def test_statements_that_surely_run_and_those_in_loops():
    """Those in a loop run more than once, so they are not among them."""
    found = bindings("class A: pass\nif x:\n    class B: pass\nfor y in z:\n    class C: pass\n")

    classes = {each.name: is_sure for each, is_sure in found.statements if isinstance(each, ast.ClassDef)}
    assert classes == {"A": True, "B": False}


# --- Whether a statement has changed ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("class K: x = 1", "\n\nclass K: x = 1", True),
        ("class K: x = 1", "class K:\n    x  =  (1)  # one", True),
        ("class K: x = 1", "class K: x = 2", False),
        ("@a\nclass K: pass", "@b\nclass K: pass", False),
        ("x = 1; class_ = 2", "x = 2; class_ = 2", False),
        ("if a:\n    class K: pass", "if a:\n    class K: pass", True),
    ],
)
def test_statements_are_compared_by_their_syntax(old, new, expected):
    """Layout and comments are none."""
    statements = [(ast.parse(text).body[0], text.split("\n")) for text in (old, new)]

    assert is_same(*statements[0], *statements[1]) is expected
