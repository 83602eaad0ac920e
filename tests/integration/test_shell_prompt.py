"""The prompt of the shell on a terminal: completion, signatures, several lines, leaving; and one input by -c."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import MIDFLIGHT, Program
from helpers.terminal import Terminal
from helpers.tmux import Tmux
from midflight.editors.terminal.input_text import is_leaving, is_whole


@pytest.fixture
def terminal(start: Callable[..., Program], project: Path, runtime_dir: Path, tmp_path: Path) -> Iterator[Terminal]:
    """A shell at its first prompt."""
    start("serve").port()
    terminal = Terminal(project, runtime_dir, tmp_path / "state", *MIDFLIGHT, "shell", is_drawn=True)
    terminal.see("1>")
    yield terminal
    terminal.close()


def test_tab_completes_from_live_objects(terminal: Terminal) -> None:
    """What a name stands for in this shell, and nothing that a text could tell."""
    terminal.type("box = type('Box', (), {'only_in_this_box': 1})()\n")
    terminal.see("2>")

    terminal.type("box.only_\t")

    terminal.see("in_this_box")
    terminal.type("\n")
    terminal.see(r"\n1\r\n3>")


def test_the_bottom_line_shows_how_a_call_is_made(
    start: Callable[..., Program], project: Path, runtime_dir: Path, tmp_path: Path
) -> None:
    """While it is written."""
    start("serve").port()
    variables = {"MIDFLIGHT_RUNTIME_DIR": str(runtime_dir), "XDG_STATE_HOME": str(tmp_path / "state")}
    with Tmux([*MIDFLIGHT, "shell"], project, variables) as tmux:
        tmux.wait_text("1>")

        tmux.type("send_after(1, ")

        tmux.wait_text("send_after(seconds: float, dest: Dest, message: object)")


@pytest.mark.parametrize("text", ["q()", "quit()", "exit()"])
def test_q_leaves(terminal: Terminal, text: str) -> None:
    """As Ctrl-D does."""
    terminal.type(f"{text}\n")

    assert terminal.exit_code() == 0


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("1 + 1", True),
        ("await f()", True),
        ("f(", False),
        ("for i in x:", False),
        ("for i in x:\n    f(i)", False),
        ("for i in x:\n    f(i)\n", True),
        ("for i in x:\n    f(i)\n    ", True),
        ("1 +* 2", True),
        ("x = 1\ny = 2", True),
        ("", True),
    ],
)
def test_enter_ends_a_whole_input(text: str, whole: bool) -> None:
    """A compound statement ends with an empty line; what is wrong is ended too, to be told so."""
    assert is_whole(text) is whole


def test_only_the_call_leaves() -> None:
    """A name that begins like it does not."""
    assert [is_leaving(each) for each in ("q()", " exit() ", "q", "exit(pid)")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("code", "exit_code", "printed", "said"),
    [
        ("6 * 7", 0, "42\n", ""),
        ("for i in (1, 2): print(i)", 0, "1\n2\n", ""),
        ("await sleep(0)", 0, "", ""),
        ("1 / 0", 1, "", "ZeroDivisionError"),
        ("f(", 1, "", "It ends in the middle of a statement; nothing was run."),
    ],
)
def test_one_input_is_evaluated(
    run: Shell, start: Callable[..., Program], code: str, exit_code: int, printed: str, said: str
) -> None:
    """Its value and output on stdout, a traceback on stderr, with exit code 1."""
    start("serve").port()

    result = run.piped("shell", "-c", code)

    assert (result.returncode, result.stdout) == (exit_code, printed)
    assert said in result.stderr
