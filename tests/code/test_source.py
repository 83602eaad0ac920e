"""From text to unit; what does not compile is a value with its place."""

from __future__ import annotations

import pytest

from helpers.versions import text_of
from midflight.code.report.load_report import Diagnostic
from midflight.code.source.unit import Rejection, Unit, compile_unit, unit_of


def unit(project, text, relative="counter.py"):
    return unit_of(project.path(relative), text)


def test_a_text_is_parsed_under_its_real_path(project):
    """The file need not be there: an editor sends what it has not saved."""
    found = unit(project, "x = 1\n")

    assert isinstance(found, Unit)
    assert (found.name, found.path, found.text) == ("counter", project.path("counter.py"), "x = 1\n")


def test_without_a_text_the_file_is_read(project):
    """As it is now."""
    found = unit_of(project.put("counter_v1"), None)

    assert isinstance(found, Unit)
    assert found.text == text_of("counter_v1")


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("def f():\n    match x\n        pass\n", 2, 11, "expected ':'"),
        ("x = (1,\n", 1, 4, "'(' was never closed"),
        ("if x:\npass\n", 2, 0, "expected an indented block"),
        ("é = 'é' +\n", 1, 9, "invalid syntax"),
    ],
)
def test_a_syntax_error_has_its_line_and_its_column_in_characters(project, text, line, column, message):
    """Lines count from 1, columns from 0."""
    found = unit(project, text)

    assert isinstance(found, Rejection)
    problem = found.problem
    assert (problem.line, problem.column, problem.code, problem.severity) == (line, column, "syntax", "error")
    assert message in problem.message
    assert (problem.end_line, problem.end_column) >= (line, column)


@pytest.mark.parametrize("text", ["x = '\0'", "x = " + "(" * 500 + ")" * 500, "x = 1\n\x00"])
def test_a_text_that_the_compiler_chokes_on_is_a_value_too(project, text):
    """Null bytes and depth."""
    found = unit(project, text)

    saved = unit_of(project.write("counter.py", text), None)

    assert isinstance(found, Rejection)
    assert isinstance(saved, Rejection)
    assert (found.problem.code, saved.problem) == ("syntax", found.problem)


@pytest.mark.parametrize("text", ["return 1\n", "def f():\n    nonlocal x\n", "await x\n", "x = 1\nbreak\n"])
def test_what_only_the_second_half_of_the_compiler_refuses_is_a_value(project, text):
    """The text parses, and is no module."""
    found = unit(project, text)
    assert isinstance(found, Unit)

    problem = compile_unit(found.tree, found, "snapshot.py")

    assert isinstance(problem, Diagnostic)
    assert problem.path == found.path
    assert problem.line == text.count("\n")


def test_an_encoding_line_is_followed(project):
    """The file is decoded as Python decodes it."""
    path = project.path("counter.py")
    with open(path, "wb") as stream:
        stream.write("# -*- coding: latin-1 -*-\nname = 'é'\n".encode("latin-1"))

    found = unit_of(path, None)

    assert isinstance(found, Unit)
    assert "é" in found.text
    assert found.encoding == "iso-8859-1"


@pytest.mark.parametrize(
    "data", [b"# coding: nonesuch\nx = 1\n", b"x = '\xff'\n", b"\xef\xbb\xbf# coding: latin-1\nx = 1\n"]
)
def test_a_file_that_cannot_be_decoded_is_said(project, data):
    """An unknown encoding, bytes that are none of it, a mark and a line that disagree."""
    path = project.path("counter.py")
    with open(path, "wb") as stream:
        stream.write(data)

    found = unit_of(path, None)

    assert isinstance(found, Rejection)
    assert found.problem.code == "encoding"


def test_a_text_that_its_own_encoding_cannot_hold_is_refused(project):
    """It could not be saved either."""
    found = unit(project, "# coding: ascii\nname = 'é'\n")

    assert isinstance(found, Rejection)
    assert found.problem.code == "encoding"


def test_a_file_that_is_not_there_is_said(project):
    """With its path."""
    found = unit_of(project.path("nowhere.py"), None)

    assert isinstance(found, Rejection)
    assert (found.name, found.problem.code) == ("nowhere", "read")
    assert project.path("nowhere.py") in found.problem.message


@pytest.mark.parametrize("text", ["\ufeffx = 1\r\ny = 2\r\n", "x = 1\ry = 2\r", "x = 1\ny = 2\n"])
def test_line_ends_and_byte_order_marks_make_no_difference(project, text):
    """A text that is the same for Python is the same text."""
    found = unit(project, text)

    assert isinstance(found, Unit)
    assert found.text == "x = 1\ny = 2\n"
