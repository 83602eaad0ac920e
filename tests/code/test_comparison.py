"""What of an edited text differs from what runs, and where lines of one text are in another."""

from __future__ import annotations

import ast
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from midflight.code.source import compare
from midflight.code.source.compare import compare_texts, lines_of_definitions
from midflight.code.source.line_map import line_map

RUNS = (
    "import a\nx = 1\n\ndef f():\n    return 1\n\nclass C:\n    def m(self): pass\n    def n(self): pass\n\nprint(x)\n"
)


def marks(text: str, running: str = RUNS):
    found = compare_texts(running, text)
    assert found is not None
    return [(each.name, each.status, each.line, each.end_line) for each in found.differences], [
        (each.name, each.line) for each in found.gone
    ]


def test_equal_text_and_layout_are_no_difference():
    """Comments and empty lines change nothing that runs."""
    assert marks(RUNS) == ([], [])
    assert marks("# about\n" + RUNS.replace("return 1", "return (1)  # one")) == ([], [])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("return 1", "return 2", [("f", "changed", 4, 5)]),
        ("def f", "@deco\ndef f", [("f", "changed", 4, 6)]),
        ("def m(self): pass", "def m(self): return 1", [("C", "changed", 7, 9)]),
        ("    def n(self): pass\n", "", [("C", "changed", 7, 8)]),
        ("x = 1", "x = 2", [("x", "changed", 2, 2)]),
        ("print(x)", "print(x, x)", [("<module>", "changed", 11, 11)]),
        ("class C", "def g(): pass\nclass C", [("g", "new", 7, 7)]),
    ],
)
def test_statement_that_differs_is_named_with_its_lines(old, new, expected):
    """A class is one definition; a decorator is a part of it."""
    assert marks(RUNS.replace(old, new)) == (expected, [])


def test_what_is_gone_is_said_where_it_stood():
    """Before the next definition that is still there; None at the end."""
    assert marks(RUNS.replace("def f():\n    return 1\n", "")) == ([], [("f", 5)])
    assert marks("x = 1\n", "x = 1\ndef f(): pass\n") == ([], [("f", None)])


def test_text_that_is_no_module_cannot_be_compared():
    """While one types, nothing is known."""
    assert compare_texts(RUNS, "def f(:\n") is None


PIECES = (
    "x = 1\n",
    "x = 2; y = 3\n",
    "\n\n",
    "# a comment\n",
    "def f():\n    return 1\n",
    "@deco\n",
    "class C:\n    def m(self): pass\n",
    "if x:\n    y = 1\n",
    "else:\n    z = 1\n",
    '"""\n',
    "print(x)\n",
    "(\n",
    "1)\n",
)


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.lists(st.sampled_from(PIECES), max_size=4), st.data())
def test_parsing_what_was_edited_says_what_parsing_all_does(pieces, edit, data):
    """Wherever the edit is: in the midst of a string, before a decorated function, at the `else` of an `if`."""
    start = data.draw(st.integers(0, len(pieces)))
    end = data.draw(st.integers(start, len(pieces)))
    old, new = "".join(pieces), "".join([*pieces[:start], *edit, *pieces[end:]])
    statements = compare._statements(old)
    assume(statements is not None)

    found = compare._statements_beside(old, statements, new)

    def described(some):
        return None if some is None else [(each.line, each.end_line, each.text, each.said) for each in some]

    assert described(found) == described(compare._statements(new))


def test_lines_of_definitions_are_by_the_names_of_a_report():
    """Methods with their class, also inside of a condition."""
    tree = ast.parse(
        "import os\nif 1:\n    class C:\n        def m(self): pass\nx = 1\nmatch x:\n    case 1:\n        y = 2\n"
    )

    assert lines_of_definitions(tree) == {"os": 1, "C": 3, "C.m": 4, "x": 5, "y": 8}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a b c", "a b c", [1, 2, 3]),
        ("a b c", "x y a b c", [3, 4, 5]),
        ("a b c", "a c", [1, 2, 2]),
        ("a b c", "a x y z c", [1, 2, 5]),
        ("a b b c", "a x c", [1, 2, 2, 3]),
        ("a b", "a", [1, 1]),
    ],
)
def test_lines_are_followed_from_text_to_text(old, new, expected):
    """A line that was changed is somewhere in what took its place; one taken out is at the one that follows."""
    found = line_map("\n".join(old.split()), "\n".join(new.split()))

    assert [found(line) for line in range(1, len(expected) + 1)] == expected


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=30), st.lists(st.sampled_from("abcxyz"), max_size=30))
def test_line_map_keeps_the_order_and_stays_in_the_text(old, new):
    """Whatever the texts are; a line that is there once in both, alone, is found."""
    found = line_map("\n".join(old), "\n".join(new))
    mapped = [found(line) for line in range(1, len(old) + 1)]

    assert mapped == sorted(mapped)
    assert all(1 <= line <= max(1, len(new)) for line in mapped)
    if old == new:
        assert mapped == list(range(1, len(old) + 1))


def test_line_map_of_texts_that_share_no_line_is_quick():
    """Thousands of lines, many of them alike, as when all is indented anew: no product of their lengths."""
    old = "".join(f"def f{i}():\n    if x:\n        return 1\n    return 2\n\n" for i in range(1000))
    comparisons = 0

    class Line(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal comparisons
            comparisons += 1
            return str.__eq__(self, other)

    a = [Line(line) for line in old.split("\n")]
    b = [Line(line.replace("    ", "  ")) for line in a]
    spans = list(sys.modules["midflight.code.source.line_map"]._spans(a, b))

    assert comparisons < 100 * len(a)
    assert spans


def test_line_beyond_the_text_is_its_last():
    """A number that no text explains still leads somewhere."""
    assert line_map("a\nb", "a\nb\nc")(99) == 3
