"""What a failing input and an exit signal do to the shell. The rules are Erlang's, P41 and P42; cases s06, s07, s12."""

from __future__ import annotations

import logging

import pytest

from helpers.hostile import HOSTILE, HOSTILE_ERRORS, RAISED
from helpers.shells import Shell


def test_a_failing_input_shows_only_its_own_frames(shell: Shell) -> None:
    """With the lines of the input; neither the shell's nor the kernel's frames are of interest."""
    shell.ask("def divide(n):\n    return 1 / n\n")

    lines = [line for line in shell.error("divide(0)").splitlines() if line.strip(" ~^")]  # the marks vary

    assert lines == [
        "Traceback (most recent call last):",
        f'  File "{filename(shell, 2)}", line 1, in <module>',
        "    divide(0)",
        f'  File "{filename(shell, 1)}", line 2, in divide',
        "    return 1 / n",
        "ZeroDivisionError: division by zero",
    ]


def filename(shell: Shell, number: int) -> str:
    """Return the name that the frames of input `number` carry."""
    return f"<shell {shell.session._label}, input {number}>"


def test_an_error_of_midflight_ends_at_the_line_that_called_it(shell: Shell) -> None:
    """s12: a send to a name that nobody has fails; what is inside send() is not shown."""
    error = shell.error("send('nobody', 'hi')")

    assert error.count("File") == 1
    assert "NoSuchName: no process is registered as 'nobody'" in error


def test_the_causes_of_an_error_are_shown_without_our_frames(shell: Shell) -> None:
    """Chained errors too."""
    error = shell.error(
        "try:\n    send('nobody', 1)\nexcept LookupError as error:\n    raise ValueError('x') from error\n"
    )

    assert "direct cause" in error
    assert "midflight/kernel" not in error


def test_after_a_crash_the_shell_has_a_new_pid_and_its_bindings(shell: Shell) -> None:
    """P41: the process ended with the exception as its reason."""
    shell.ask("x = 1")
    shell.ask("before = self()")

    shell.error("1/0")

    assert shell.value("x") == "1"
    assert shell.value("self() != before and not is_alive(before)") == "True"


def test_after_a_crash_the_mailbox_is_empty(shell: Shell) -> None:
    """s06, P41: it was that of the process before."""
    shell.ask("self() << 'hello'")
    shell.ask("1/0")
    shell.ask("flush()")

    assert shell.output.take() == ""


def test_after_a_crash_the_name_is_gone(shell: Shell) -> None:
    """s12, P41: a name ends with its process."""
    shell.ask("register('me', self())")
    assert shell.value("whereis('me') == self()") == "True"

    shell.ask("1/0")

    assert shell.value("str(whereis('me'))") == "'None'"


def test_a_crash_is_the_exit_reason_that_links_hear(shell: Shell) -> None:
    """The exception itself."""
    shell.ask("async def watch(pid):\n    ref = monitor(pid)\n    print(type((await receive()).reason).__name__)\n")
    shell.ask("spawn(watch, self())")

    shell.error("1/0")

    assert shell.output.take() == "ZeroDivisionError\n"


def test_a_failing_input_makes_no_crash_report(shell: Shell, caplog: pytest.LogCaptureFixture) -> None:
    """The shell has told already."""
    shell.error("1/0")

    assert caplog.records == []


def test_a_linked_process_that_crashes_takes_the_evaluator_with_it(
    shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    """s07, P42: the input fails with its reason, the bindings stay."""
    shell.ask("x = 1")
    shell.ask("async def boom(): raise ValueError('boom')\n")

    with caplog.at_level(logging.CRITICAL, "midflight.crash"):
        error = shell.error("spawn_link(boom)")

    assert "ValueError: boom" in error
    assert "was ended by an exit signal, reason ValueError. Bindings are kept; it goes on as <0." in error
    assert shell.value("x") == "1"


def test_an_unlinked_crash_and_a_normal_end_leave_the_evaluator_alone(shell: Shell) -> None:
    """s07: a reason "normal" does not spread, and nothing spreads without a link."""
    shell.ask("before = self()")
    shell.ask("async def leave(reason): raise ProcessExit(reason)\n")

    shell.value("spawn(leave, 'boom')")
    shell.value("spawn_link(leave, 'normal')")

    assert shell.value("self() == before") == "True"


def test_an_evaluator_that_ends_between_two_inputs_says_so(shell: Shell) -> None:
    """Nothing is asked at that moment, so it goes above the prompt."""
    shell.ask("x = 1")
    shell.ask("async def later(): await receive(); raise ProcessExit('boom')\n")
    shell.ask("p = spawn_link(later)")
    pid = shell.session.bindings.find("p")

    pid << "now"

    shell.output.wait_for("was ended by an exit signal, reason 'boom'. Bindings are kept")
    assert shell.value("x") == "1"
    assert shell.session.number == 5


def test_the_shell_survives_its_own_kill(shell: Shell) -> None:
    """`kill` cannot be caught; the shell's process starts another evaluator."""
    shell.ask("x = 1")

    shell.error("exit(self(), 'kill')")

    assert shell.value("x") == "1"


def test_ending_the_shells_own_process_by_hand_answers_and_starts_another(shell: Shell) -> None:
    """From a process list, say: the input that runs is refused, the next one is evaluated, bindings are kept."""
    shell.ask("x = 1")
    shell.ask("async def end(pid): exit(pid, 'kill')\n")
    shell.bind(shell_pid=shell.session._shell)

    waiting = shell.session.eval("spawn(end, shell_pid); await receive()")

    with pytest.raises(RuntimeError, match="the shell is closed"):
        waiting.result(10)
    assert shell.value("x") == "1"


@pytest.mark.parametrize("text", ["raise SystemExit(3)", "import sys; sys.exit()", "exit(self(), 'x')"])
def test_leaving_python_leaves_only_the_input(shell: Shell, text: str) -> None:
    """The server and its runtime go on."""
    assert shell.error(text)
    assert shell.value("1 + 1") == "2"


@pytest.mark.parametrize("name", RAISED)
def test_whatever_an_input_raises_is_its_failure(shell: Shell, name: str) -> None:
    """KeyboardInterrupt and SystemExit too: neither the shell nor the runtime ends, and a new evaluator takes over."""
    shell.bind(made=RAISED[name])
    shell.ask("async def stay(): await receive()\n")
    shell.ask("bystander = spawn(stay)")

    error = shell.error("raise made()")

    assert "raise made()" in error
    assert shell.value("is_alive(bystander)") == "True"


@pytest.mark.parametrize("name", HOSTILE_ERRORS)
def test_a_hostile_exception_is_the_failure_of_its_input(shell: Shell, name: str) -> None:
    """Its traceback is shown as it can be."""
    shell.bind(error=HOSTILE_ERRORS[name]())

    error = shell.error("raise error")

    assert "input 1>" in error
    assert shell.value("1 + 1") == "2"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_value_is_shown_all_the_same(shell: Shell, name: str) -> None:
    """As the value of an input, among the bindings and the jobs, in the mailbox; then the shell goes on."""
    shell.bind(thing=HOSTILE[name]())

    for text in ("thing", "[thing]", "self() << thing", "h()", "b()", "flush()", "v(1)"):
        shell.ask(text)

    assert shell.value("1 + 1") == "2"
