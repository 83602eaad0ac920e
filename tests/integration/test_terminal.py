"""The shell on a real terminal: prompts, output above the line being typed, Ctrl-C and Ctrl-D."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.server_process import DEADLINE_SECONDS, MIDFLIGHT, Program
from helpers.terminal import Terminal
from midflight.cli import main
from midflight.epc import RemoteServer


@pytest.fixture
def terminal(start: Callable[..., Program], project: Path, runtime_dir: Path, tmp_path: Path) -> Iterator[Terminal]:
    """A shell at its first prompt."""
    start("serve").port()
    terminal = Terminal(project, runtime_dir, tmp_path / "state", *MIDFLIGHT, "shell", is_drawn=True)
    terminal.see(r"Midflight .*\r\n")
    terminal.see("1>")
    yield terminal
    terminal.close()


def test_value_and_next_prompt_are_shown(terminal: Terminal) -> None:
    """The server's number is in the prompt; a statement of several lines has its own."""
    terminal.type("6 * 7\n")
    terminal.see(r"\n42\r\n2>")
    terminal.type("for i in range(2):\n")
    terminal.see(r"\n\.\.")
    terminal.type("    print(i)\n")
    terminal.see(r"\n\.\.")
    terminal.type("\n")

    terminal.see(r"\n0\r\n1\r\n3>")


def test_output_appears_above_the_line_being_typed(terminal: Terminal) -> None:
    """The output is shown, and prompt and line below it."""
    terminal.type("async def later():\n    print('it says', await receive())\n\n")
    terminal.see("2>")
    terminal.type("pid = spawn(later)\n")
    terminal.see("3>")
    terminal.type("timer = send_after(0.5, pid, 'hello')\n")
    terminal.see("4>")
    terminal.type("half a li")

    terminal.see(r"it says hello\r\n4> half a li")


@pytest.mark.parametrize("wait", ["await receive()", "while True: pass"])
def test_ctrl_c_breaks_off_the_evaluation(terminal: Terminal, wait: str) -> None:
    """Only that; the shell and its bindings go on."""
    terminal.type(f"async def endless():\n    print('begun', flush=True)\n    {wait}\n\n")
    terminal.see("2>")
    terminal.type("await endless()\n")
    terminal.see("\nbegun\r\n")

    terminal.type("\x03")

    terminal.see("Traceback")
    terminal.see("3>")
    terminal.type("endless\n")
    terminal.see("<function endless")


def test_ctrl_c_that_does_not_wake_the_main_thread_breaks_off_too(terminal: Terminal) -> None:
    """It may come just before that falls asleep, which is the same as another thread being given it."""
    terminal.type("print('begun', flush=True) or await receive()\n")
    terminal.see("\nbegun\r\n")
    terminal.wait_until_it_sleeps()

    terminal.interrupt_another_thread()

    terminal.see("Traceback")
    terminal.see("2>")


def test_ctrl_c_drops_the_line_being_typed(terminal: Terminal) -> None:
    """And the lines before it of the same statement; the prompt is the same."""
    terminal.type("def f():\n")
    terminal.see(r"\n\.\.")
    terminal.type("    retu")
    terminal.see("retu")
    terminal.wait_until_it_sleeps()

    terminal.type("\x03")

    terminal.see("1>")
    terminal.type("'next'\n")
    terminal.see(r"\n'next'\r\n2>")


def test_crash_is_shown(terminal: Terminal) -> None:
    """A process that crashes is reported as in the editors."""
    terminal.type("spawn(lambda: 1/0)\n")

    terminal.see(r"Process <0\.\d+\.0> crashed in")
    terminal.see("ZeroDivisionError")
    terminal.see("2>")


def test_ctrl_d_leaves_and_the_history_is_kept(terminal: Terminal, tmp_path: Path) -> None:
    """The server runs on; the lines are there for the next shell."""
    terminal.type("6 * 7\n")
    terminal.see("2>")

    terminal.type("\x04")

    assert terminal.exit_code() == 0
    assert (tmp_path / "state/midflight/shell_history").read_text().splitlines()[-1] == "+6 * 7"


def test_server_that_ends_takes_the_shell_with_it(terminal: Terminal, project: Path) -> None:
    """Also while a line is being typed; the exit code says so."""
    terminal.type("half a li")
    terminal.see("half a li")
    terminal.wait_until_it_sleeps()

    with RemoteServer.attach(project) as client:
        client.call("server/stop")

    terminal.see("The server has ended, and this shell with it")
    assert terminal.exit_code() == 1


# --- A shell whose terminal is gone ----------------------------------------------------------------------------------


@pytest.fixture
def shell(project: Path, runtime_dir: Path, tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """A function that runs `midflight shell` with options on another terminal."""
    terminals = []

    def run(*options: str) -> Terminal:
        command = (*MIDFLIGHT, "shell", *options)
        terminals.append(Terminal(project, runtime_dir, tmp_path / "state", *command, is_drawn=True))
        return terminals[-1]

    yield run
    for each in terminals:
        each.close()


def killed(terminal: Terminal, project: Path) -> list[dict[str, Any]]:
    """Kill the program of a terminal by SIGKILL; return the shells that wait once the server knows of it."""
    terminal.process.kill()
    terminal.process.wait(DEADLINE_SECONDS)
    with RemoteServer.attach(project) as client:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not (rows := client.call("shell/parked")):
            assert time.monotonic() < deadline, "the server never saw that its client is gone"
        return list(rows)


def test_a_killed_shell_is_taken_up(
    terminal: Terminal, shell: Callable[..., Terminal], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its bindings; what was printed meanwhile comes after the line that says whose it was."""
    terminal.type("x = 41\nasync def say():\n    print('it says', await receive())\n\nspawn(say, name='say')\n")
    terminal.see("4>")
    (row,) = killed(terminal, project)
    with RemoteServer.attach(project) as client:
        client.call("process/send", "say", "'hello'")
    capsys.readouterr()
    assert main(["shell", "--list", "--root", str(project)]) == 0
    assert re.fullmatch(
        r"SHELL  OF +SINCE  INPUTS  BINDINGS  STATE +LAST INPUT\n"
        r"1      midflight shell, connection \d+  \d\d:\d\d  3       2         has printed  spawn\(say, name='say'\)\n",
        capsys.readouterr().out,
    )

    again = shell("--take", str(row["session"]))

    again.see(r"Shell 1 of midflight shell, connection \d+, taken up again: nobody had it since \d\d:\d\d\.")
    again.see("3 inputs, and its bindings; what was printed meanwhile follows")
    again.see("it says hello\r\n")
    again.type("x + 1\n")
    again.see("\n42\r\n5>")
    again.type("\x1b[A\x1b[A")
    again.see("spawn")
    again.type("\x15\x04")
    assert again.exit_code() == 0
    taken = shell("--take")
    taken.see("Shell 1 of midflight shell")
    taken.see("5>")


def test_a_shell_that_is_left_ends(terminal: Terminal, shell: Callable[..., Terminal], project: Path) -> None:
    """By Ctrl-D; and a live one is nobody else's."""
    other = shell("--take")
    other.see("No shell waited to be taken up; this is a new one")
    other.see("1>")
    other.type("\x04")
    assert other.exit_code() == 0
    named = shell("--take", "1")
    named.see("Shell 1 does not wait: it has ended, or somebody has it; nothing was opened")
    assert named.exit_code() == 3
    terminal.type("\x04")
    assert terminal.exit_code() == 0

    with RemoteServer.attach(project) as client:
        assert client.call("shell/parked") is None


def test_a_shell_that_evaluates_is_taken_up(terminal: Terminal, shell: Callable[..., Terminal], project: Path) -> None:
    """Its answer comes when it is done; Ctrl-C breaks it off."""
    terminal.type("register('me', self())\nprint('on it', flush=True); await receive()\n")
    terminal.see("\non it\r\n")
    killed(terminal, project)
    again = shell("--take")
    again.see("The evaluation goes on")

    with RemoteServer.attach(project) as client:
        client.call("process/send", "me", "'its answer'")

    again.see("'its answer'\r\n3>")


def test_without_a_server_none_waits(shell: Callable[..., Terminal]) -> None:
    """No server is started to look."""
    for options in (["--list"], ["--take"]):
        asked = shell(*options)
        asked.see("No server runs for")
        assert asked.exit_code() == 5


def test_old_code_that_runs_is_told_above_the_line_being_typed(terminal: Terminal) -> None:
    """When the server says so, as it does of crashes."""
    terminal.type("call = code.StaleCall('shop', 1, 'index', 5, 'app.py:9 in go')\n")
    terminal.see("2>")

    terminal.type(
        "from midflight.code.held import stale_calls; [t(call) for t in list(stale_calls._listeners)] and None\n"
    )

    terminal.see(r"shop version 1 is old, and index:5 of it ran, called by app\.py:9 in go\r\n")
    terminal.see("3>")
