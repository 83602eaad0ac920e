"""The clock of a runtime that stands while a person is asked, and processes that nobody can be asked for."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from helpers.shells import DEADLINE_SECONDS, RunningRuntime, Shell
from midflight import asking
from midflight.asking import Question
from midflight.kernel import routed_output
from midflight.line_input import no_lines, routed_input


class Person:
    """A group leader that answers at once, on the thread that asks."""

    def ask(self, question: Question) -> None:
        """Answer with the prompt."""
        question.answer(question.prompt)

    def withdraw(self, question: Question) -> None:
        """Nothing is shown."""

    def write(self, _text: str) -> None:
        """Drop it."""

    def flush(self) -> None:
        """Nothing is held back."""


def test_the_clock_stands(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """No timeout passes in the hour that a person thinks, a process's or an asyncio timer's."""
    times = iter((0.0, 3600.0))
    shell.ask("import asyncio")
    shell.bind(person=Person())
    shell.ask("def read(loop):\n    before = loop.time()\n    input('x')\n    me << loop.time() - before\n")
    shell.ask("me = self()")
    monkeypatch.setattr(asking, "time", SimpleNamespace(monotonic=lambda: next(times)))

    shell.ask("p = spawn(read, asyncio.get_running_loop(), group_leader=person)")

    passed = float(shell.value("await receive()") or 0)
    assert -3600 <= passed < -3600 + DEADLINE_SECONDS


def test_without_a_front_end_it_is_eof() -> None:
    """`input` says why; a stream is at its end."""
    with no_lines(), routed_output(), routed_input():
        with pytest.raises(EOFError, match="nobody can type a line here: no front end has started this process"):
            input("name? ")
        assert __import__("sys").stdin.readline() == ""


def test_a_program_of_its_own_reads_its_own_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the group leader cannot ask, standard input is Python's."""
    monkeypatch.setattr("sys.stdin", io.StringIO("one\ntwo\n"))
    with routed_input():
        assert input() == "one"
        assert __import__("sys").stdin.read() == "two\n"


def test_the_names_of_python_come_back(running: RunningRuntime) -> None:
    """When the runtime ends."""
    before = input

    running.stop()

    assert (before.__name__, input.__name__) == ("input_", "input")
