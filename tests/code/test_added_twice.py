"""A body that runs again adds its handlers to a logger again: the report says so before each line is read twice."""

from __future__ import annotations

import logging
import sys

import pytest

TEXT = """
import logging
from midflight.code import once
log = logging.getLogger("thing_of_test")
handler = logging.StreamHandler()
handler.setLevel(10)
log.addHandler(handler)
log.addHandler(logging.NullHandler())
"""


@pytest.fixture
def log():
    """The logger of the module; it has no handlers after the test."""
    found = logging.getLogger("thing_of_test")
    yield found
    found.handlers.clear()


def warned(report):
    """Return the warnings of handlers."""
    return [each.message for each in report.warnings if each.code == "added-twice"]


def test_a_handler_that_a_logger_gets_once_more_is_warned_of(project, log):
    """A handler that writes nothing is of no interest."""
    first = project.load_text("thing", TEXT)

    report = project.load_text("thing", TEXT)

    assert len(log.handlers) == 4
    assert warned(first) == []
    (warning,) = warned(report)
    assert warning.startswith("logger thing_of_test has one StreamHandler more, like one that it had")


def test_once_mends_it_as_the_warning_says(project, log):
    """A logger takes the same object once."""
    text = TEXT.replace("logging.StreamHandler()", "once('handler', logging.StreamHandler)")
    project.load_text("thing", text)

    report = project.load_text("thing", text)

    assert [type(each) for each in log.handlers].count(logging.StreamHandler) == 1
    assert warned(report) == []


def test_a_handler_for_another_place_is_no_double(project, log):
    """One to stderr and one to stdout."""
    log.addHandler(logging.StreamHandler(sys.stdout))
    project.load_text("thing", "x = 1\n")

    assert warned(project.load_text("thing", TEXT)) == []
