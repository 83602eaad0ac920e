"""What of an edited text differs from what runs, and where lines of one text are in another."""

from __future__ import annotations

import ast

import pytest

from midflight.code.comparison import compare_texts, lines_of_definitions
from midflight.code.lines import line_map

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


def test_line_beyond_the_text_is_its_last():
    """A number that no text explains still leads somewhere."""
    assert line_map("a\nb", "a\nb\nc")(99) == 3
