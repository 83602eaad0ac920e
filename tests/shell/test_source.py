"""Reading an input: what is code, what is only the beginning of it, and what is neither."""

from __future__ import annotations

import pytest

from midflight.shell.source import SHOW, Code, Incomplete, Malformed, Nothing, Reader, repeated_job


def shown(text: str, **namespace: object) -> list[object]:
    """Run the code of `text` and return what it hands to be shown."""
    values: list[object] = []

    def show(value: object) -> object:
        values.append(value)
        return value

    read = Reader().read(text, "<test>")
    assert isinstance(read, Code), read
    exec(read.code, {SHOW: show, **namespace})
    return values


@pytest.mark.parametrize(
    "text",
    ["x = [1,", "def f():", "f(", '"""abc', "if x:\n  1\nelse:", "@decorator", "a \\", "class A:\n", "try:\n  1\n"],
)
def test_the_beginning_of_an_input_is_incomplete(text: str) -> None:
    """More lines could make it whole."""
    assert isinstance(Reader().read(text, "<test>"), Incomplete)


@pytest.mark.parametrize("text", ["x =", "foo(.", "x = 'abc", "return 1", "1 +", "nonlocal x", "*x", "\0"])
def test_what_no_line_can_mend_is_malformed(text: str) -> None:
    """A syntax error is a value; it names the error as Python does."""
    read = Reader().read(text, "<test>")

    assert isinstance(read, Malformed)
    assert "Error: " in read.error
    assert read.error.endswith("\n")


def test_a_late_syntax_error_shows_its_line() -> None:
    """The compiler's later passes look for the line in a file; here there is none."""
    read = Reader().read("x = 1\nreturn x\n", "<test>")

    assert isinstance(read, Malformed)
    assert "return x" in read.error


def test_a_compound_statement_waits_for_its_empty_line() -> None:
    """A further line could belong to it, until the text ends in a newline."""
    text = "for x in (1, 2):\n    print(x)"

    assert isinstance(Reader().read(text, "<test>"), Incomplete)
    assert isinstance(Reader().read(text + "\n", "<test>"), Code)


def test_a_compound_statement_of_one_line_is_whole() -> None:
    """Nobody waits for an else here."""
    assert isinstance(Reader().read("for x in (1, 2): print(x)", "<test>"), Code)


@pytest.mark.parametrize("text", ["", "  \n", "# only said\n"])
def test_white_space_and_comments_are_nothing(text: str) -> None:
    """They are neither code nor an error."""
    assert isinstance(Reader().read(text, "<test>"), Nothing)


def test_lines_from_inside_a_function_are_shifted_left() -> None:
    """A region of an editor runs as it stands."""
    assert shown("    x = 1\n    x + 1\n") == [2]


@pytest.mark.parametrize(
    "text", ["x = 5", "x: int = 5", "x = y = 5", "x, *y = 5, 6, 7", "[x] = [5]", "7; 8", "x = 1; x"]
)
def test_the_last_expression_or_the_only_assignment_is_shown(text: str) -> None:
    """One value an input, evaluated once."""
    assert len(shown(text)) == 1


@pytest.mark.parametrize("text", ["x = 1; y = 2", "x += 1", "d['k'] = 1", "x: int", "import os", "del x", "pass"])
def test_other_statements_show_nothing(text: str) -> None:
    """Nor does an assignment to a part of something, or one of several."""
    assert shown(text, x=1, d={}) == []


def test_a_future_import_holds_for_the_inputs_after_it() -> None:
    """As in one module."""
    reader = Reader()

    reader.read("from __future__ import annotations\n", "<test>")
    read = reader.read("def f(x: undefined_name): pass\n", "<test>")

    assert isinstance(read, Code)
    exec(read.code, {})


@pytest.mark.parametrize(
    ("text", "number"), [("e(3)", 3), (" e(-1)\n", -1), ("e(3) + 1", None), ("e(n)", None), ("e", None)]
)
def test_only_e_of_a_number_stands_for_a_job(text: str, number: int | None) -> None:
    """Inside an expression `e` is a function like others."""
    assert repeated_job(text) == number
