"""The shell's buffer: what is typed, what is shown, and where."""

from __future__ import annotations

import os
import queue
import re
import signal
import sys
import time

import pytest

from helpers.neovim import DEADLINE_SECONDS, Neovim, Project
from midflight.epc import RemoteServer


@pytest.fixture
def shell(neovim: Neovim) -> Neovim:
    """A Neovim in the prompt of an open shell."""
    neovim.nvim.command("MidflightShell")
    neovim.wait_prompt("1> ")
    return neovim


def test_a_line_typed_at_the_prompt_is_evaluated(shell: Neovim) -> None:
    """Its value goes above the next prompt."""
    shell.nvim.input("1 + 1<CR>")

    assert shell.wait_prompt("2> ")[1:] == ["1> 1 + 1", "2"]


def test_lines_of_one_input_have_a_prompt_of_their_own(shell: Neovim) -> None:
    """An empty line ends it; it has used one number."""
    shell.nvim.input("for x in (1, 2):<CR>")
    shell.wait_prompt("... ")
    shell.nvim.input("    print(x)<CR>")
    shell.wait_prompt("... ")
    shell.nvim.input("<CR>")

    assert shell.wait_prompt("2> ")[1:] == ["1> for x in (1, 2):", "...     print(x)", "... ", "1", "2"]


def test_a_syntax_error_shows_the_same_prompt_again(shell: Neovim) -> None:
    """It uses no number."""
    shell.nvim.input("foo(.<CR>")

    shell.wait("the error", "vim.fn.search('SyntaxError', 'nw') > 0")
    assert shell.wait_prompt("1> ")[-1] == "SyntaxError: invalid syntax"


def test_what_is_typed_while_something_runs_stays_behind_the_prompt(shell: Neovim) -> None:
    """Output and the prompt come in above and before it, the cursor stays where it was in the text."""
    shell.nvim.input("print('it waits'); await receive()<CR>")
    shell.wait_shell("it waits")
    shell.nvim.input("1 + 1")
    shell.wait("the text", "vim.fn.getline('$') == '1 + 1'")

    shell.nvim.command("MidflightInterrupt")

    shell.wait("the prompt before it", "vim.fn.getline('$') == '2> 1 + 1'")
    shell.nvim.input("<CR>")
    assert shell.wait_prompt("3> ")[-2:] == ["2> 1 + 1", "2"]


def test_control_c_at_the_prompt_breaks_off_the_evaluation(shell: Neovim) -> None:
    """One that waits and one that never does."""
    shell.nvim.input("print('it waits'); await receive()<CR>")
    shell.wait_shell("it waits")
    shell.nvim.input("<C-c>")
    assert "CancelledError" in shell.wait_prompt("2> ")[-1]

    shell.nvim.input("for _ in iter(int, print('it runs')): pass<CR>")  # int() is never None
    shell.wait_shell("it runs")
    shell.nvim.input("<C-c>")
    assert shell.wait_prompt("3> ")[-1] == "KeyboardInterrupt"


def test_a_load_does_not_wait_for_an_evaluation(shell: Neovim) -> None:
    """The shell waits for a message, and what it waits for may be in the version that is loaded."""
    shell.nvim.input("print('it waits'); await receive()<CR>")
    shell.wait_shell("it waits")
    shell.nvim.input("<Esc>")

    shell.edit("counter.py")
    shell.nvim.command("MidflightLoad")

    shell.wait_message("counter v1 loaded")
    assert shell.shell()[-1] == ""


def test_output_of_a_process_goes_above_the_prompt(shell: Neovim) -> None:
    """Whenever it comes; a line that is printed in parts is one line."""
    shell.nvim.input("async def say(): await receive(); print('a', end=''); print('b')<CR><CR>")
    shell.wait_prompt("2> ")
    shell.nvim.input("send_after(0.01, spawn(say), 1) and None<CR>")
    shell.wait("the output", "vim.fn.search('^ab$', 'nw') > 0")

    assert shell.wait_prompt("3> ")[-1] == "ab"


def test_the_lines_of_a_range_are_evaluated(neovim: Neovim) -> None:
    """As they stand, though they are indented."""
    neovim.edit("notes.py")
    neovim.replace("def f():\n    x = 20\n    x + 1\n")

    neovim.nvim.command("2,3MidflightShell")

    assert neovim.wait_prompt("2> ")[1:] == ["1>     x = 20", "    x + 1", "21"]
    neovim.wait_message("21")


def test_a_crash_is_shown(shell: Neovim) -> None:
    """With its traceback."""
    shell.nvim.input("spawn(lambda: 1/0)<CR>")

    shell.wait_message(" crashed in __shell__")
    shell.wait("the report", "vim.fn.search('ZeroDivisionError', 'nw') > 0")


def test_a_flood_of_output_arrives_whole(shell: Neovim) -> None:
    """In order, and the prompt after it."""
    shell.nvim.input("for n in range(2000): print(n)<CR><CR>")

    assert shell.wait_prompt("2> ")[-2000:] == [str(n) for n in range(2000)]


def test_the_processes_have_a_page(shell: Neovim) -> None:
    """What each runs."""
    shell.nvim.input("1<CR>")
    shell.wait_prompt("2> ")
    shell.nvim.input("<Esc>")
    shell.nvim.command("MidflightProcesses")

    shell.wait("the page", "vim.fn.expand('%'):find('/processes', 1, true)")
    assert shell.nvim.current.buffer[0].split() == ["Pid", "Name", "Module", "At", "Status", "Messages"]
    assert "evaluate_all" in "".join(shell.nvim.current.buffer[:])


def test_a_process_is_ended_by_name(shell: Neovim, project: Project) -> None:
    """The answer says what keeps it, or that nobody has the name; a process that opens a pipe waits for a writer."""
    gate = project.root / "gate"
    os.mkfifo(gate)
    shell.nvim.input(f"register('sleeper', spawn(open, '{gate}'))<CR>")
    shell.wait("its report", "vim.fn.execute('messages'):find('has not yielded', 1, true)")
    shell.nvim.input("<Esc>")

    shell.nvim.command("MidflightExit sleeper")

    shell.wait_message("was killed and has not ended: it runs code that Python cannot interrupt, in C")
    gate.write_text("")
    shell.wait_prompt("2> ")
    shell.nvim.command("MidflightExit sleeper")
    shell.wait_message("'sleeper' is neither a pid nor a registered name")


def test_what_stands_in_another_front_end_is_let_go_on(shell: Neovim, project: Project) -> None:
    """The question finds the end of its input; then nothing stands."""
    asked: queue.Queue[object] = queue.Queue()
    with RemoteServer.attach(project.root, handlers={"shell/read": lambda _, question: asked.put(question)}) as other:
        session = other.call("shell/open")["session"]
        future = other.submit("shell/eval", session, "input('name? ')")
        asked.get(timeout=DEADLINE_SECONDS)

        shell.nvim.input("<Esc>")
        shell.nvim.command("MidflightContinue")

        shell.wait_message("finds the end of its input")
        assert "EOFError" in future.result(DEADLINE_SECONDS)["error"]
        shell.nvim.command("MidflightContinue")
        shell.wait_message("nothing stands; all processes run")


def test_the_shell_of_a_killed_neovim_is_taken_up(shell: Neovim, project: Project) -> None:
    """By the next one, with its bindings and what was printed meanwhile, behind the line that says whose it was."""
    shell.nvim.input("x = 41<CR>")
    shell.wait_prompt("2> ")
    shell.nvim.input("pid = spawn(__import__('counter').start, name='it')<CR>")
    shell.wait_prompt("3> ")
    shell.close(signal.SIGKILL)
    with RemoteServer.attach(project.root) as client:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not client.call("shell/parked"):
            assert time.monotonic() < deadline, "the server never saw that its client is gone"
        client.call("process/send", "it", "'unknown'")

    again = Neovim(project.root, sys.executable)
    try:
        again.nvim.command("MidflightShell")
        lines = again.wait_prompt("3> ")
        again.wait_shell("Unhandled message 'unknown'")
        again.nvim.input("x + 1<CR>")
        assert again.wait_prompt("4> ")[-1] == "42"
    finally:
        again.close()

    assert re.match(
        r"Shell \d+ of Neovim, connection \d+, taken up again: nobody had it since \d\d:\d\d\. 2 inputs", lines[0]
    )
