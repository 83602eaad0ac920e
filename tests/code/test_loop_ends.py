"""A process function that goes on by `return loop(...)`, and ends at a message that it does not know."""

from __future__ import annotations

from textwrap import indent

import pytest

HEAD = "from midflight import receive\nimport thing\n\n\n"


def found(project, body: str) -> list[tuple[str, int]]:
    """Load a function of that body, whose first line is 6; return code and line of what is found."""
    text = f"{HEAD}async def loop(n):\n{indent(body, '    ')}\n\n\ndef log(message):\n    pass\n"
    report = project.load_text("thing", text)
    assert {each.severity for each in report.warnings} <= {"warning"}
    return [(each.code, each.line) for each in report.warnings]


@pytest.mark.parametrize(
    "last",
    [
        "case _:\n        log('?')",
        "case message:\n        log(message)",
        "case _:\n        pass",
        "case 1 | _:\n        n += 1",
        "case _ as message:\n        if message:\n            return loop(n)",
        "case _:\n        if n:\n            log(n)\n        else:\n            return loop(n)",
        "case _:\n        with open('x'):\n            log(n)",
        "case _:\n        try:\n            log(n)\n        except OSError:\n            return loop(n)",
        "case _:\n        match n:\n            case 1:\n                return loop(n)",
    ],
)
@pytest.mark.parametrize(
    "head", ["match await receive():", "message = await receive()\nmatch message:", "match await receive(timeout=5):"]
)
def test_a_catch_all_that_lets_the_loop_end(project, head, last):
    """The process would be gone at the first unknown message, normally and without a word."""
    body = f"{head}\n    case 'add':\n        return loop(n + 1)\n    {last}"

    line = f"{HEAD}async def loop(n):\n{body}".split("case ")[0].count("\n") + 3

    assert found(project, body) == [("loop-ends", line)]


def test_the_message_says_what_to_write(project):
    """As what the other cases go on."""
    body = (
        "match await receive():\n    case 'add':\n        return thing.loop(n + 1)\n    case other:\n        log(other)"
    )
    text = f"{HEAD}async def loop(n):\n{indent(body, '    ')}\n\n\ndef log(message):\n    pass\n"

    (warning,) = project.load_text("thing", text).warnings

    assert warning.message == (
        "`case other` comes to its end without a `return`, so loop ends at the first message that no other case takes; "
        "write `return thing.loop(...)` there, or `return` if that is meant"
    )
    assert (warning.line, warning.column, warning.end_column) == (9, 13, 18)


def test_no_catch_all(project):
    """A receive without patterns takes every message, known or not."""
    body = "match await receive():\n    case 'add':\n        return loop(n + 1)\n    case 'stop':\n        pass"

    assert found(project, body) == [("loop-ends", 6)]


@pytest.mark.filterwarnings("ignore:'return' in a 'finally' block:SyntaxWarning")
@pytest.mark.parametrize(
    "body",
    [
        "match await receive():\n    case 'add':\n        return loop(n)\n    case _:\n        return loop(n)",
        "match await receive():\n    case 'add':\n        return loop(n)\n    case _:\n        return",
        "match await receive():\n    case 'add':\n        return loop(n)\n    case _:\n        raise ValueError",
        "match await receive():\n    case 'add':\n        return loop(n)\n    case _:\n        exit('why')",
        "match await receive():\n    case 1:\n        return loop(n)\n    case _:\n        while n:\n            pass",
        "match await receive():\n    case 'add':\n        return loop(n)\n    case _:\n"
        "        if n:\n            return loop(n)\n        else:\n            return",
        "match await receive():\n    case 'add':\n        return loop(n)\n    case _:\n"
        "        try:\n            log(n)\n        finally:\n            return loop(n)",
        "match await receive():\n    case 'add':\n        n += 1\n    case _:\n        pass\nreturn loop(n)",
        "while n:\n    match await receive():\n        case 1:\n            n += 1\n        case _:\n            pass",
        "while n:\n    match await receive():\n        case 1:\n            return loop(n)\n        case 2: n",
        "match await receive():\n    case 'add':\n        log(1)\n    case _:\n        log(2)",
        "match await receive('add', 'stop'):\n    case 'add':\n        return loop(n)\n    case 'stop':\n        pass",
        "match n:\n    case 1:\n        return loop(n)\n    case _:\n        pass",
        "message = await receive()\nmessage = 3\nmatch message:\n    case 1:\n        return loop(n)",
        "match await receive():\n    case 1:\n        def f():\n            return loop(n)\n    case _:\n        pass",
    ],
)
def test_what_goes_on_or_ends_on_purpose_is_none(project, body):
    """A bare `return` says that the end is meant; a `while` goes on anyway; patterns take what they name."""
    assert found(project, body) == []


def test_the_tutorial_has_none(project):
    """Its loops take every message; one that was written for the tests alone does not."""
    found = {version: project.load(version).warnings for version in ("counter_v1", "counter_v2", "counter_v3")}

    assert found["counter_v1"] == found["counter_v2"] == ()
    assert ["pair ends at the first one" in each.message for each in found["counter_v3"]] == [True]
