"""A line from the person: a process asks the front end that started it, and all processes stand meanwhile."""

from __future__ import annotations

import queue
import time
from concurrent.futures import Future
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from midflight.epc import RemoteServer


class Person:
    """A client with a shell, whose questions the test answers."""

    def __init__(self, node: Any) -> None:
        self.questions: queue.Queue[dict[str, Any]] = queue.Queue()
        self.dropped: queue.Queue[int] = queue.Queue()
        self.client: RemoteServer = node.connect(
            {
                "shell/output": lambda *_: None,
                "shell/read": lambda _, question: self.questions.put(question),
                "shell/unread": lambda _, number: self.dropped.put(number),
            }
        )
        self.session = self.client.call("shell/open", {"keep": True})["session"]

    def eval(self, text: str) -> Future[Any]:
        """Begin to evaluate `text`."""
        return self.client.submit("shell/eval", self.session, text)

    def asked(self) -> dict[str, Any]:
        """Return the next question."""
        return self.questions.get(timeout=DEADLINE_SECONDS)

    def answer(self, question: dict[str, Any], line: str | None) -> Any:
        """Answer `question`."""
        return self.client.call("shell/answer", self.session, question["id"], line)


@pytest.fixture
def person(node: Any) -> Person:
    """A person at a shell."""
    return Person(node)


def value(future: Future[Any]) -> Any:
    """Return the value that is shown, or the last line of the error."""
    answer = future.result(DEADLINE_SECONDS)
    return answer["value"] if answer["error"] is None else answer["error"].strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("code", "prompt", "secret", "shown"),
    [
        ("input('name? ')", "name? ", False, "'Joe'"),
        ("__import__('sys').stdin.readline()", "", False, r"'Joe\n'"),
        ("next(__import__('sys').stdin)", "", False, r"'Joe\n'"),
        ("(lambda s: (s.read(2), s.readline()))(__import__('sys').stdin)", "", False, r"('Jo', 'e\n')"),
        ("__import__('getpass').getpass('secret: ')", "secret: ", True, "'Joe'"),
        ("await get_line('name? ')", "name? ", False, "'Joe'"),
        ("await __import__('asyncio').to_thread(input, 'name? ')", "name? ", False, "'Joe'"),
    ],
)
def test_a_line_is_asked_for(person: Person, code: str, prompt: str, secret: bool, shown: str) -> None:
    """By each of Python's ways; the answer is the value."""
    future = person.eval(code)
    question = person.asked()

    assert (question["prompt"], bool(question["secret"])) == (prompt, secret)
    assert person.answer(question, "Joe") is True
    assert value(future) == shown


def test_a_second_answer_is_dropped(person: Person) -> None:
    """The process has its line."""
    future = person.eval("input()")
    question = person.asked()
    person.answer(question, "first")

    assert person.answer(question, "second") is None
    assert value(future) == "'first'"


def test_the_end_of_the_input_is_an_eoferror(person: Person) -> None:
    """As for Python at a terminal; for a stream it is an empty line."""
    failing, reading = "input()", "__import__('sys').stdin.readline()"
    future = person.eval(failing)
    person.answer(person.asked(), None)
    assert value(future) == "EOFError: the person who was asked has ended the input"

    future = person.eval(reading)
    person.answer(person.asked(), None)
    assert value(future) == "''"


def test_an_interrupt_ends_the_wait_of_an_evaluation(person: Person) -> None:
    """It is interrupted, as where it waits for anything else; the front end is told to ask no longer."""
    future = person.eval("input()")
    question = person.asked()

    assert person.client.call("interrupt", person.session) is True

    assert future.result(DEADLINE_SECONDS)["status"] == "interrupted"
    assert person.dropped.get(timeout=DEADLINE_SECONDS) == question["id"]


def test_an_interrupt_ends_the_wait_of_a_process(person: Person) -> None:
    """By KeyboardInterrupt in that process, and in nothing else."""
    value(person.eval("def read():\n    try: input()\n    except KeyboardInterrupt: me << 'broken off'\n"))
    person.eval("me = self(); pid = spawn(read)")
    person.asked()

    person.client.call("interrupt", person.session)

    assert value(person.eval("await receive(timeout=5)")) == "'broken off'"


def test_a_kill_ends_the_wait(person: Person, node: Any) -> None:
    """From any other front end, though the whole runtime stands."""
    person.eval("pid = spawn(lambda: input())")
    question = person.asked()
    other = node.connect()
    (pid,) = [row["pid"] for row in other.call("process/list") if row["status"] == "running"]

    other.call("process/exit", pid, "kill")

    assert person.dropped.get(timeout=DEADLINE_SECONDS) == question["id"]
    assert value(person.eval("is_alive(pid)")) == "False"


def test_a_front_end_that_goes_away_ends_the_wait(person: Person, node: Any) -> None:
    """The shell waits for another connection; what it evaluated has failed with EOFError."""
    person.eval("input()")
    person.asked()
    other = node.connect()

    person.client.close()

    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (rows := other.call("shell/parked")) or rows[0]["busy"]:
        assert time.monotonic() < deadline
    opened = other.call("shell/open", {"take": rows[0]["session"]})
    assert "EOFError: the front end that started this process is gone" in opened["answers"][0]["error"]


def test_a_front_end_that_cannot_ask_is_none(node: Any) -> None:
    """It says so, and the process is told at once."""
    client = node.connect({"shell/output": lambda *_: None})
    session = client.call("shell/open")["session"]

    error = client.call("shell/eval", session, "input()")["error"]

    assert "EOFError: the front end that started this process cannot ask for a line" in error


def test_others_are_answered_meanwhile(person: Person, node: Any) -> None:
    """The list of processes is that of a runtime in which one does not yield."""
    future = person.eval("input()")
    question = person.asked()

    rows = node.connect().call("process/list")

    assert [row["status"] for row in rows].count("running") == 1
    person.answer(question, "")
    assert value(future) == "''"
