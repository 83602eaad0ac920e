"""A line from the person at the shell in a terminal, or from a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import MIDFLIGHT, Program
from helpers.terminal import Terminal


@pytest.fixture
def terminal(start: Callable[..., Program], project: Path, runtime_dir: Path, tmp_path: Path) -> Iterator[Terminal]:
    """A shell at its first prompt."""
    start("serve").port()
    terminal = Terminal(project, runtime_dir, tmp_path / "state", *MIDFLIGHT, "shell", is_drawn=True)
    terminal.see("1>")
    yield terminal
    terminal.close()


def test_an_evaluation_reads_a_line(terminal: Terminal) -> None:
    """Its prompt stands behind what was printed; Ctrl-C and Ctrl-D act on the wait."""
    terminal.type("print('Your', end=' '); input('name? ')\n")
    terminal.see("Your name\\?")
    terminal.type("Joe\n")
    terminal.see(r"'Joe'\r\n2>")

    terminal.type("input('name? ')\n")
    terminal.see(r"\n\r*name\?")
    terminal.type("\x03")
    terminal.see(r"KeyboardInterrupt\r\n3>")

    terminal.type("input('name? ')\n")
    terminal.see(r"\n\r*name\?")
    terminal.type("\x04")
    terminal.see(r"EOFError: .*\r\n4>")


def test_a_password_is_not_shown(terminal: Terminal) -> None:
    """Stars in its place."""
    terminal.type("len(__import__('getpass').getpass('secret: '))\n")
    terminal.see("secret:")

    terminal.type("abc\n")

    assert "abc" not in terminal.see(r"[^>]*\r\n3\r\n2>")


def test_a_process_asks_while_an_input_is_typed(terminal: Terminal) -> None:
    """What was typed comes back behind the next prompt."""
    terminal.type("async def ask():\n    await receive()\n    print('it is', input('name? '))\n\n")
    terminal.see("2>")
    terminal.type("timer = send_after(0.5, spawn(ask), 'now')\n")
    terminal.see("3>")
    terminal.type("half a li")

    terminal.see(r"name\?")
    terminal.type("Joe\n")

    terminal.see(r"it is Joe\r\n3> half a li")


def test_a_breakpoint_is_stepped_through(terminal: Terminal) -> None:
    """pdb's prompt stands in place of the shell's."""
    terminal.type("def f(a):\n    breakpoint()\n    return a + 1\n\n")
    terminal.see("2>")
    terminal.type("f(41)\n")
    terminal.see(r"-> (breakpoint\(\)|return a \+ 1)\r\n\r*\(Pdb\)")
    terminal.type("p a\n")
    terminal.see(r"\n41\r\n\r*\(Pdb\)")

    terminal.type("c\n")

    terminal.see(r"\n42\r\n3>")


def test_a_pipe_has_the_answers_behind_the_inputs(run: Shell, start: Callable[..., Program]) -> None:
    """Line by line, as Python takes both from standard input; at its end there is none."""
    start("serve").port()

    result = run.piped("shell", given="x = input('name? ')\nJoe\nx\ninput()\n")

    assert result.stdout == "name? 'Joe'\n'Joe'\n"
    assert "EOFError" in result.stderr
