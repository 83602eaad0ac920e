"""Loads that take too long, from a terminal: what is shown meanwhile, Ctrl-C, and the end of the server."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.command_line import Shell
from helpers.server_process import MIDFLIGHT, Program
from helpers.terminal import Terminal

Start = Callable[..., Program]

HANGING = "import threading\nthreading.Event().wait()\n"
SPINNING = "x = 0\nwhile True: x += 1\n"


@pytest.fixture
def server(start: Start) -> Program:
    """Give a server of the project that can be reached."""
    found = start("serve")
    found.port()
    return found


@pytest.fixture
def typed(server: Program, project: Path, runtime_dir: Path, tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Give a function that runs a command on a terminal of its own."""
    terminals = []

    def run(*arguments: str) -> Terminal:
        terminals.append(Terminal(project, runtime_dir, tmp_path / "state", *MIDFLIGHT, *arguments))
        return terminals[-1]

    yield run
    for terminal in terminals:
        terminal.close()


@pytest.mark.parametrize(
    ("text", "where"),
    [(SPINNING, "at shop.py:2 in <module>"), (HANGING, "still runs the body of shop in .*, called at shop.py:2")],
)
def test_ctrl_c_breaks_a_load_off(typed: Callable[..., Terminal], project: Path, text: str, where: str) -> None:
    """The terminal says each second what the load does; the refusal is shown, and the exit code is 130."""
    (project / "shop.py").write_text(text)
    terminal = typed("load", "shop.py")
    terminal.see(r"shop runs its body .*shop.py:2 in <module>, since \d\.\d s \(Ctrl-C breaks it off\)")

    terminal.type("\x03")

    terminal.see(rf"shop not loaded: broken off by midflight load, connection \d+ after \d+\.\d s.*{where}")
    assert terminal.exit_code() == 130


def test_a_second_ctrl_c_leaves_at_once(typed: Callable[..., Terminal], project: Path, run: Shell) -> None:
    """The first one has asked for the end of the load; the server sees to that alone."""
    (project / "shop.py").write_text(HANGING)
    terminal = typed("load", "shop.py")
    terminal.see("since")

    terminal.type("\x03")
    terminal.see(r"\^C")
    terminal.type("\x03")

    assert terminal.exit_code() == 130


def test_a_load_that_waits_says_for_whose(typed: Callable[..., Terminal], project: Path) -> None:
    """And how long; broken off, it leaves the other one alone."""
    (project / "shop.py").write_text(HANGING)
    first = typed("load", "shop.py")
    first.see("runs its body")
    second = typed("load", "shop.py")

    second.see(r"shop waits for the load of shop by midflight load, connection \d+, since \d")

    second.type("\x03")
    second.see("shop not loaded: broken off")
    assert second.exit_code() == 130
    first.see("runs its body")


def test_doctor_names_loads_under_way(typed: Callable[..., Terminal], project: Path, run: Shell) -> None:
    """And, once it was given up, the thread that runs on."""
    (project / "shop.py").write_text(HANGING)
    terminal = typed("load", "shop.py")
    terminal.see("runs its body")
    assert "shop runs its body in " in doctor(run)["loads"]

    terminal.type("\x03")
    terminal.exit_code()

    assert "midflight-load-" in doctor(run)["loads"]
    assert "still runs the body of shop" in doctor(run)["loads"]


def doctor(run: Shell) -> Any:
    """Return what midflight doctor says, as data."""
    return run.json("doctor")


@pytest.mark.parametrize("is_given_up", [False, True])
def test_the_server_ends_while_a_body_hangs(
    typed: Callable[..., Terminal], project: Path, server: Program, is_given_up: bool
) -> None:
    """SIGTERM: the thread of the load goes with it."""
    (project / "shop.py").write_text(HANGING)
    terminal = typed("load", "shop.py")
    terminal.see("runs its body")
    if is_given_up:
        terminal.type("\x03")
        terminal.see("not loaded")

    server.signal(signal.SIGTERM)

    assert server.exit_code() == 0


def test_a_command_that_is_killed_gives_its_load_up(typed: Callable[..., Terminal], project: Path, run: Shell) -> None:
    """Its connection ends with it: the module can be loaded."""
    (project / "shop.py").write_text(SPINNING)
    terminal = typed("load", "shop.py")
    terminal.see("runs its body")

    terminal.process.kill()
    terminal.process.wait()

    (project / "shop.py").write_text("x = 1\n")
    assert "shop v1 loaded" in run("load", str(project / "shop.py"))
