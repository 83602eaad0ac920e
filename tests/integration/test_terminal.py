"""The shell on a real terminal: prompts, output above the line being typed, Ctrl-C and Ctrl-D."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.server_process import MIDFLIGHT, Program
from helpers.terminal import Terminal
from midflight.epc import Client


@pytest.fixture
def terminal(start: Callable[..., Program], project: Path, runtime_dir: Path, tmp_path: Path) -> Iterator[Terminal]:
    """A shell at its first prompt."""
    start("serve").port()
    terminal = Terminal(project, runtime_dir, tmp_path / "state", *MIDFLIGHT, "shell")
    terminal.see(r"Midflight .*\r\n")
    terminal.see("1> ")
    yield terminal
    terminal.close()


def test_value_and_next_prompt_are_shown(terminal: Terminal) -> None:
    """The server's number is in the prompt; a statement of several lines has its own."""
    terminal.type("6 * 7\n")
    terminal.see(r"\n42\r\n2> ")
    terminal.type("for i in range(2):\n")
    terminal.see(r"\n\.\.\. ")
    terminal.type("    print(i)\n")
    terminal.see(r"\n\.\.\. ")
    terminal.type("\n")

    terminal.see(r"\n0\r\n1\r\n3> ")


def test_output_appears_above_the_line_being_typed(terminal: Terminal) -> None:
    """The line is wiped, the output shown, and prompt and line written anew."""
    terminal.type("async def later():\n    print('it says', await receive())\n\n")
    terminal.see("2> ")
    terminal.type("pid = spawn(later)\n")
    terminal.see("3> ")
    terminal.type("timer = send_after(0.5, pid, 'hello')\n")
    terminal.see("4> ")
    terminal.type("half a li")

    terminal.see(r"\r\x1b\[Kit says hello\r\n4> half a li")


@pytest.mark.parametrize("wait", ["await receive()", "while True: pass"])
def test_ctrl_c_breaks_off_the_evaluation(terminal: Terminal, wait: str) -> None:
    """Only that; the shell and its bindings go on."""
    terminal.type(f"async def endless():\n    print('begun', flush=True)\n    {wait}\n\n")
    terminal.see("2> ")
    terminal.type("await endless()\n")
    terminal.see("\nbegun\r\n")

    terminal.type("\x03")

    terminal.see("Traceback")
    terminal.see("3> ")
    terminal.type("endless\n")
    terminal.see("<function endless")


def test_ctrl_c_drops_the_line_being_typed(terminal: Terminal) -> None:
    """And the lines before it of the same statement; the prompt is the same."""
    terminal.type("def f():\n")
    terminal.see(r"\n\.\.\. ")
    terminal.type("    retu")
    terminal.see("retu")
    terminal.wait_until_it_reads()

    terminal.type("\x03")

    terminal.see("1> ")
    terminal.type("'next'\n")
    terminal.see(r"\n'next'\r\n2> ")


def test_crash_is_shown(terminal: Terminal) -> None:
    """A process that crashes is reported as in the editors."""
    terminal.type("spawn(lambda: 1/0)\n")

    terminal.see(r"Process <0\.\d+\.0> crashed in")
    terminal.see("ZeroDivisionError")
    terminal.see("2> ")


def test_ctrl_d_leaves_and_the_history_is_kept(terminal: Terminal, tmp_path: Path) -> None:
    """The server runs on; the lines are there for the next shell."""
    terminal.type("6 * 7\n")
    terminal.see("2> ")

    terminal.type("\x04")

    assert terminal.exit_code() == 0
    assert (tmp_path / "state/midflight/shell_history").read_text().splitlines()[-1] == "6 * 7"


def test_server_that_ends_takes_the_shell_with_it(terminal: Terminal, project: Path) -> None:
    """Also while a line is being typed; the exit code says so."""
    terminal.type("half a li")
    terminal.see("half a li")
    terminal.wait_until_it_reads()

    with Client.attach(project) as client:
        client.call("server/stop")

    terminal.see("The server has ended, and this shell with it")
    assert terminal.exit_code() == 1
