"""A session as its front ends use it: from any thread, in order, until it is closed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from helpers.shells import DEADLINE_SECONDS, RunningRuntime, Shell
from midflight.errors import ShellClosed
from midflight.shell import Session


def test_inputs_are_evaluated_in_the_order_they_were_given(shell: Shell) -> None:
    """Also when nobody waits for the answers between them."""
    futures = [shell.session.eval(text) for text in ("x = 1", "x = x + 1", "x = x * 10", "x")]

    assert [future.result(DEADLINE_SECONDS).value for future in futures] == ["1", "2", "20", "20"]


def test_a_waiting_input_holds_up_the_next_one_but_nobody_else(shell: Shell, make_shell: Callable[..., Shell]) -> None:
    """One shell evaluates one input at a time."""
    other = make_shell()
    shell.ask("register('me', self())")
    waiting = shell.session.eval("await receive()")
    after = shell.session.eval("'after'")

    assert other.value("send('me', 'go on')") == "'go on'"

    assert waiting.result(DEADLINE_SECONDS).value == "'go on'"
    assert after.result(DEADLINE_SECONDS).value == "'after'"


def test_the_mailbox_of_the_shell_is_the_users(shell: Shell) -> None:
    """A receive without a pattern takes what was sent, not what the shell needs itself; the rest stays."""
    shell.ask("self() << 'one'")
    shell.ask("self() << 'two'")

    assert shell.value("await receive()") == "'one'"
    assert shell.value("process_info(self())['messages']") == "['two']"


def test_an_input_that_was_given_up_is_not_evaluated(shell: Shell) -> None:
    """Its future was cancelled while another input ran."""
    shell.ask("register('me', self())")
    waiting = shell.session.eval("await receive()")
    given_up = shell.session.eval("x = 'evaluated'")

    assert given_up.cancel()
    shell.session.scheduler.names["me"].pid << "go on"

    waiting.result(DEADLINE_SECONDS)
    assert "NameError" in shell.error("x")


def test_a_closed_shell_refuses_inputs(shell: Shell) -> None:
    """And says what to do."""
    shell.ask("x = 1")

    shell.session.close()
    shell.session.close()

    with pytest.raises(ShellClosed, match="open another shell"):
        shell.session.eval("x").result(DEADLINE_SECONDS)


@pytest.mark.parametrize("text", ["begun.set(); await receive()", "begun.set()\nwhile True: pass\n"])
def test_closing_ends_the_evaluation_that_runs(shell: Shell, text: str) -> None:
    """One that waits and one that does not; whoever waits for an answer gets one."""
    begun = threading.Event()
    shell.bind(begun=begun)
    running = shell.session.eval(text)
    waiting = shell.session.eval("1")
    assert begun.wait(DEADLINE_SECONDS)

    shell.session.close()

    with pytest.raises(ShellClosed):
        waiting.result(DEADLINE_SECONDS)
    assert running.exception(DEADLINE_SECONDS) is not None or running.result().status == "interrupted"


def test_closing_ends_the_shells_processes_and_no_others(running: RunningRuntime, shell: Shell) -> None:
    """What it spawned lives on."""
    shell.ask("async def wait(): await receive()\n")
    shell.ask("register('one', spawn(wait))")

    shell.session.close()

    alive = running.scheduler.call_threadsafe(lambda: [each.name for each in running.scheduler.processes.values()])
    assert alive.result(DEADLINE_SECONDS) == ["one"]


def test_the_end_of_the_runtime_answers_all(running: RunningRuntime) -> None:
    """An editor that waits is told; a later input is refused at once."""
    shell = Shell(running)
    begun = threading.Event()
    shell.bind(begun=begun)
    waiting = shell.session.eval("begun.set(); await receive()")
    assert begun.wait(DEADLINE_SECONDS)

    running.stop()

    assert waiting.exception(DEADLINE_SECONDS) is not None or waiting.result().status == "error"
    with pytest.raises(ShellClosed):
        shell.session.eval("1").result(DEADLINE_SECONDS)


def test_a_runtime_that_copies_messages_answers_all_the_same(copying: RunningRuntime) -> None:
    """The shell's own messages stand for themselves."""
    shell = Shell(copying)

    assert shell.value("self() << [1]") == "[1]"
    assert shell.value("await receive()") == "[1]"
    shell.session.close()


def test_two_shells_do_not_share_bindings(shell: Shell, make_shell: Callable[..., Shell]) -> None:
    """Each has its own names and numbers."""
    other = make_shell()
    shell.ask("x = 1")

    assert "NameError" in other.error("x")
    assert (shell.session.number, other.session.number) == (2, 2)


def test_a_session_begins_nothing_until_it_is_asked(running: RunningRuntime) -> None:
    """So it can be made on any thread, before the runtime is busy."""
    session = Session(running.scheduler, Shell(running).output)

    assert running.scheduler.processes == {}
    session.close()


def test_an_input_that_fails_names_the_processes_that_ended_with_it(shell: Shell) -> None:
    """A supervisor that was started in the shell is linked to the shell's process: a typo ends it, and says so."""
    shell.ask("from midflight import Supervisor")
    shell.ask("top = await Supervisor.start_link([], name='top')")
    shell.ask("async def wait(): await receive()")
    shell.ask("other = spawn_link(wait)")
    shell.ask("free = spawn_link(wait); unlink(free)")
    top, other = shell.value("top"), shell.value("other")

    error = shell.error("nonesuch")

    *_, name_error, line = error.splitlines()
    assert name_error.startswith("NameError: ")
    assert line == (
        f"Ended with the shell's process, to which they were linked: {top} (top), {other}. "
        "unlink(pid) lets a process outlive an input that fails."
    )
    assert shell.value("(is_alive(top), is_alive(other), is_alive(free))") == "(False, False, True)"
    assert "linked" not in shell.error("nonesuch")


def test_an_input_that_fails_does_not_name_a_process_that_outlived_it(shell: Shell) -> None:
    """One that traps exits hears of the end, and goes on."""
    shell.ask("async def trap():\n    trap_exit(True)\n    while True: await receive()\n")
    shell.ask("pid = spawn_link(trap)")
    shell.ask("await sleep(0)")

    error = shell.error("nonesuch")

    assert shell.value("is_alive(pid)") == "True"
    assert "linked" not in error
