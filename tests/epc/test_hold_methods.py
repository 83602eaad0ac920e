"""The methods about what all processes stand for: any front end sees it, and lets it go on or ends it."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.debugging import Person
from helpers.epc_peer import DEADLINE_SECONDS
from midflight.errors import RemoteError


@pytest.fixture
def person(node: Any) -> Person:
    """A person at a shell."""
    return Person(node)


@pytest.fixture
def other(node: Any, person: Person) -> Any:
    """Another front end, which has no shell."""
    return node.connect()


def test_without_a_hold_there_is_none(other: Any) -> None:
    """Nothing goes on that runs."""
    assert other.call("process/holder") is None
    assert other.call("process/continue") is None


def test_another_front_end_lets_a_breakpoint_go_on(person: Person, other: Any) -> None:
    """The value is as without the breakpoint, and the debugger has let go."""
    person.eval("def f(a):\n    breakpoint()\n    return a + 1\n").result(DEADLINE_SECONDS)
    future = person.eval("f(1)")
    person.begun()

    holder = other.call("process/holder")
    assert (holder["kind"], holder["function"], holder["prompt"]) == ("breakpoint", "f", "(Pdb) ")
    assert other.call("process/continue", holder["pid"]) is True

    assert future.result(DEADLINE_SECONDS)["value"] == "2"
    assert other.call("process/holder") is None
    assert person.eval("__import__('sys').gettrace()").result(DEADLINE_SECONDS)["value"] is None


def test_another_front_end_ends_the_input_of_a_question(person: Person, other: Any) -> None:
    """`input()` finds the end of its input, which the program may catch."""
    text = "def read():\n    try:\n        return input('name? ')\n    except EOFError:\n        return 'nobody'\n"
    person.eval(text).result(DEADLINE_SECONDS)
    future = person.eval("read()")
    assert person.questions.get(timeout=DEADLINE_SECONDS)["prompt"] == "name? "

    holder = other.call("process/holder")
    assert (holder["kind"], holder["prompt"]) == ("line", "name? ")
    assert other.call("process/continue") is True

    assert future.result(DEADLINE_SECONDS)["value"] == "'nobody'"


@pytest.mark.parametrize("call", ["breakpoint()", "input()"])
def test_another_front_end_ends_the_process(person: Person, other: Any, call: str) -> None:
    """Its supervisors and monitors hear of it as of any end; the others run on."""
    person.eval(f"def f():\n    {call}\n    return 1\n").result(DEADLINE_SECONDS)
    person.eval("pid, ref = spawn_monitor(f)")
    person.questions.get(timeout=DEADLINE_SECONDS)

    assert other.call("process/exit", other.call("process/holder")["pid"], "kill")

    down = person.eval("(await receive(Down)).reason").result(DEADLINE_SECONDS)
    assert down["value"] == "'killed'"
    assert other.call("process/holder") is None


def test_a_process_that_stands_for_another_one_is_not_let_go(person: Person, other: Any) -> None:
    """The answer says which one holds them all."""
    person.eval("waiting = spawn(receive, name='waiting')").result(DEADLINE_SECONDS)
    future = person.eval("input('name? ')")
    person.questions.get(timeout=DEADLINE_SECONDS)

    with pytest.raises(RemoteError, match=r"waiting stands at no breakpoint; nothing was done.*waits for a line"):
        other.call("process/continue", "waiting")
    with pytest.raises(RemoteError, match="nobody"):
        other.call("process/continue", "nobody")

    assert other.call("process/continue") is True
    assert "EOFError" in future.result(DEADLINE_SECONDS)["error"]
