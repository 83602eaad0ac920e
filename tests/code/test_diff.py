"""Which definitions of a text differ: the names in a load report."""

from __future__ import annotations

from textwrap import dedent

import pytest

from midflight.code.source.definitions import compare, definitions_of, unified


def difference(old: str, new: str):
    return compare(definitions_of(dedent(old)), definitions_of(dedent(new)))


def test_added_changed_and_removed_functions_are_told_apart():
    """In the order of their text."""
    old = "def a(): pass\ndef b(): pass\nasync def c(): pass\n"
    new = "def d(): pass\ndef b(): return 1\nasync def c(): pass\n"

    assert difference(old, new) == (("d",), ("b",), ("a",))


@pytest.mark.parametrize(
    "new",
    [
        "def f(x):\n\n    # a comment\n    return (x\n        + 1)\n",
        "# above\n\n\n\ndef f(x): return x + 1",
        "def f(x):\n\treturn x + 1",
    ],
)
def test_layout_and_comments_are_no_difference(new):
    """What runs is the same."""
    assert difference("def f(x):\n    return x + 1\n", new) == ((), (), ())


@pytest.mark.parametrize(
    "new",
    [
        "async def f(x, y=1):\n    '''Doc.'''\n    return x\n",
        "def f(x, y=2):\n    '''Doc.'''\n    return x\n",
        "def f(x, y=1):\n    '''Other.'''\n    return x\n",
        "@cache\ndef f(x, y=1):\n    '''Doc.'''\n    return x\n",
        "def f(x: int, y=1):\n    '''Doc.'''\n    return x\n",
    ],
)
def test_everything_that_makes_a_function_counts(new):
    """Its kind, defaults, docstring, decorators and annotations."""
    assert difference("def f(x, y=1):\n    '''Doc.'''\n    return x\n", new)[1] == ("f",)


def test_methods_are_named_with_their_class():
    """The class itself has changed only if the rest of it has."""
    old = "class C:\n    x = 1\n    def a(self): pass\n    class D:\n        def b(self): pass\n"
    new = "class C:\n    x = 1\n    def a(self): return 1\n    class D(int):\n        def c(self): pass\n"

    assert difference(old, new) == (("C.D.c",), ("C.a", "C.D"), ("C.D.b",))


@pytest.mark.parametrize(("old", "new"), [("x = 1", "x = 2"), ("class C:\n    x = 1", "class C:\n    x: int = 1")])
def test_constants_and_class_attributes_count(old, new):
    """By the name of what they are in."""
    assert difference(old, new)[1] == (("x",) if old == "x = 1" else ("C",))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a, (b, *c) = d = f()", {"a", "b", "c", "d"}),
        ("x: int = 1", {"x"}),
        ("x += 1", {"x"}),
        ("a = [i for i in j]", {"a"}),
        ("f(lambda: (y := 1))", {"<module>"}),
        ("import a.b, c as d", {"a", "d"}),
        ("from a import b as c, d", {"c", "d"}),
        ("for i in range(3):\n    total = i", {"i", "total"}),
        ("print(1)", {"<module>"}),
        ("if x:\n    def f(): pass\nelse:\n    def f(): return 1", {"f", "<module>"}),
        ("try:\n    import a\nexcept ImportError:\n    a = None", {"a", "<module>"}),
        ("with x as y:\n    def f(): pass", {"f", "<module>"}),
        ("'''Doc.'''", {"<module>"}),
    ],
)
def test_each_statement_counts_under_the_names_it_binds(text, names):
    """Statements that bind none count together."""
    assert set(definitions_of(text)) == names


def test_a_change_in_one_of_several_definitions_of_a_name_is_seen():
    """Overloads, and the branches of an `if`."""
    old = "if x:\n    def f(): pass\nelse:\n    def f(): return 1\n"

    assert difference(old, old.replace("1", "2")) == ((), ("f",), ())
    assert difference(old, old.replace("x", "y")) == ((), ("<module>",), ())


def test_the_unified_diff_names_the_versions():
    """Equal texts have none."""
    assert unified("a\nb\n", "a\nc\n", "old", "new") == "--- old\n+++ new\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
    assert unified("a\n", "a\n", "old", "new") == ""


def test_a_line_without_an_end_is_marked_in_the_unified_diff():
    """As in every other tool's."""
    assert unified("a", "a\n", "old", "new").splitlines()[3:] == ["-a", "\\ No newline at end of file", "+a"]
