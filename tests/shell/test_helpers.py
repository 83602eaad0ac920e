"""The helpers that look at processes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from helpers.shells import Shell


def test_flush_prints_and_drops_the_messages(shell: Shell) -> None:
    """P43: as `Shell got M`, oldest first."""
    shell.ask("self() << 'one'")
    shell.ask("self() << ('two', 2)")

    assert shell.value("flush()") is None

    assert shell.output.take() == "Shell got 'one'\nShell got ('two', 2)\n"
    assert shell.value("process_info(self())['messages']") == "[]"


def test_i_lists_every_process(shell: Shell) -> None:
    """Pid, name or initial call, what it runs and where, its state, how many messages wait."""
    shell.ask("async def wait(): await receive('never')\n")
    shell.ask("register('waiter', spawn(wait))")
    shell.ask("send('waiter', 1)")
    shell.ask("i()")

    heading, *lines = shell.output.take().splitlines()
    assert heading.split() == ["Pid", "Name", "or", "initial", "call", "Runs", "At", "Status", "Msgs"]
    assert [line.split()[1:] for line in lines if "waiter" in line] == [
        ["waiter", "__shell__", "wait:1", "waiting", "1"]
    ]
    assert lines[-1] == "3 processes"


def test_regs_lists_the_names(shell: Shell) -> None:
    """With the process that has each."""
    shell.ask("register('me', self())")
    shell.ask("regs()")

    assert "me    <0." in shell.output.take()


def test_pid_reads_a_pid(shell: Shell) -> None:
    """As it is shown, as a number, and as Erlang's shell takes it; the same object as the process's own."""
    shell.ask("n = self().number")

    for text in ("pid(n)", "pid(f'0.{n}.0')", "pid(repr(self()))"):
        assert shell.value(f"{text} == self()") == "True"


def test_pid_of_a_dead_process_is_a_dead_pid(shell: Shell) -> None:
    """As in Erlang; what is sent to it is dropped."""
    assert shell.value("pid('0.999.0')") == "<0.999.0>"
    assert shell.value("is_alive(pid(999))") == "False"


@pytest.mark.parametrize("text", ["''", "'me'", "'1.2.3'"])
def test_pid_refuses_what_is_none(shell: Shell, text: str) -> None:
    """And says how one is written."""
    assert "a pid is written as '0.37.0'" in shell.error(f"pid({text})")


def test_bt_shows_where_a_process_waits(shell: Shell) -> None:
    """By pid, by name, by number; with the lines of the code that runs, and without the kernel's."""
    shell.ask("async def inner():\n    await receive()\n\nasync def outer():\n    await inner()\n")
    shell.ask("p = spawn(outer); register('p', p)")

    for text in ("bt(p)", "bt('p')", "bt(p.number)"):
        shell.ask(text)
        printed = shell.output.take()
        assert printed.splitlines()[0].endswith("is waiting, 0 messages in its mailbox")
        assert printed.index("in outer\n    await inner()") < printed.index("in inner\n    await receive()")
        assert "kernel" not in printed


def test_bt_of_a_waiting_evaluation_shows_its_input(shell: Shell, make_shell: Callable[..., Shell]) -> None:
    """What drives it hides nothing: purge and the process list walk the same frames."""
    other = make_shell()
    shell.ask("register('first', self())")
    waiting = shell.session.eval("await receive()")

    other.ask("bt('first')")

    assert "in <module>\n    await receive()" in other.output.take()
    other.ask("send('first', None)")
    waiting.result(10)


def test_bt_of_a_dead_process_says_so(shell: Shell) -> None:
    """No error: the shell keeps its pid."""
    assert shell.value("bt(999)") is None
    assert shell.output.take() == "<0.999.0> is not alive\n"


def test_help_lists_every_helper(shell: Shell) -> None:
    """One line each."""
    shell.ask("help()")

    printed = shell.output.take()
    for name in ("v(", "e(", "h(", "b(", "f(", "flush(", "i(", "regs(", "m(", "c(", "l(", "lm(", "pid(", "bt(", "q("):
        assert f"\n{name}" in f"\n{printed}"


def test_help_of_something_is_its_documentation(shell: Shell) -> None:
    """As plain text; nothing is asked of the server's terminal."""
    shell.ask("help(spawn)")

    assert "Start a process that runs" in shell.output.take()


@pytest.mark.parametrize("text", ["q()", "quit()"])
def test_q_says_how_to_leave(shell: Shell, text: str) -> None:
    """The server goes on."""
    assert shell.value(text) is None
    assert "`midflight stop` ends the server" in shell.output.take()


def test_erlangs_words_for_self(shell: Shell) -> None:
    """`self()` and `self_()` are one."""
    assert shell.value("self() == self_()") == "True"
