"""Any exception is shown as a bounded text, and nothing that its class does gets out."""

from __future__ import annotations

import builtins
import traceback

import pytest

from helpers.hostile import HOSTILE_ERRORS
from midflight.text import exception_line, exception_text, exceptions_in


def test_an_exception_is_printed_as_python_does():
    """With its causes, notes and groups."""
    error = ExceptionGroup("two", [ValueError(1), KeyError(2)])
    error.__cause__ = OSError("before")
    error.add_note("noted")

    assert exception_text(error) == "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    "cls", [each for each in vars(builtins).values() if isinstance(each, type) and issubclass(each, Exception)]
)
def test_every_exception_of_python_is_printed_as_python_does(cls):
    """None of them is taken for one with ideas of its own."""
    error = cls.__new__(cls, *(("group", [ValueError()]) if issubclass(cls, ExceptionGroup) else ()))
    error.__context__ = ValueError("before")

    assert "During handling of the above exception" in exception_text(error)


@pytest.mark.parametrize("name", HOSTILE_ERRORS)
def test_a_hostile_exception_is_printed_all_the_same(name):
    """Whatever its class does, there is a text, not too long, that names it."""
    error = HOSTILE_ERRORS[name]()
    try:
        raise error
    except BaseException:
        pass

    text = exception_text(error)
    line = exception_line(error)

    assert type(error).__name__ in text
    assert type(error).__name__ in line
    assert len(text) < 110_000
    text.encode()
    line.encode()


def test_of_a_long_chain_the_newest_are_printed():
    """And how many are left out."""
    text = exception_text(HOSTILE_ERRORS["20,000 contexts"]())

    assert "ValueError: newest" in text
    assert "older exceptions left out" in text


def test_where_it_was_raised_is_printed_of_a_hostile_exception_too():
    """The place is what one looks for."""

    def fail():
        raise HOSTILE_ERRORS["a cause that is always new"]()

    with pytest.raises(Exception, match="hostile") as caught:
        fail()

    assert ".<locals>.fail\n" in exception_text(caught.value)


def test_the_exceptions_in_a_group_are_walked_without_recursion():
    """Each once, the group first."""
    shared = ValueError("shared")
    group: Exception = shared
    for _ in range(5_000):
        group = ExceptionGroup("g", [group, shared])

    assert sum(1 for _ in exceptions_in(group)) == 5_001
