"""Where output goes, and that it comes before the value that follows from it."""

from __future__ import annotations

from collections.abc import Callable

from helpers.shells import DEADLINE_SECONDS, Shell
from midflight.kernel import routed_output

ECHO = """\
async def echo(peer=None):
    message = await receive()
    print('got', message)
    if peer: peer << message
"""


def test_what_an_input_prints_goes_to_its_sink(shell: Shell) -> None:
    """Flushed before the answer."""
    assert shell.value("print('hello')") is None
    assert shell.output.take() == "hello\n"


def test_a_process_that_gets_a_message_prints_before_the_value_is_shown(shell: Shell) -> None:
    """The transcript of the tutorial: `Sum is 3`, then the value of the send."""
    shell.ask(ECHO)
    shell.ask("p = spawn(echo)")

    with routed_output():
        result = shell.session.eval("p << ('print',)")
        printed: list[str] = []
        result.add_done_callback(lambda _: printed.append(shell.output.text))
        value = result.result(DEADLINE_SECONDS).value

    assert value == "('print',)"
    assert printed == ["got ('print',)\n"]


def test_a_message_that_is_passed_on_some_times_prints_in_time_too(shell: Shell) -> None:
    """The evaluator gives way several times before it answers."""
    shell.ask(ECHO)
    shell.ask("last = spawn(echo)\nmiddle = spawn(echo, last)\nfirst = spawn(echo, middle)\n")

    shell.ask("first << 1")

    assert shell.output.take() == "got 1\n" * 3


def test_a_thread_prints_where_its_process_does(shell: Shell) -> None:
    """And the threads that it starts; those of a pool serve everybody, so they do not."""
    shell.ask("from threading import Thread\nfrom concurrent.futures import ThreadPoolExecutor\n")
    shell.ask("def inner(): print('inner')\n")
    shell.ask("def outer():\n    print('outer')\n    t = Thread(target=inner)\n    t.start()\n    t.join()\n")

    shell.ask("t = Thread(target=outer)\nt.start()\nt.join()\n")
    assert shell.output.take() == "outer\ninner\n"

    shell.ask("with ThreadPoolExecutor() as pool: pool.submit(print, 'of the pool').result()\n")
    assert shell.output.take() == ""


def test_a_failing_input_waits_for_the_others_as_well(shell: Shell) -> None:
    """What it set off before it failed is printed before its traceback."""
    shell.ask(ECHO)

    shell.error("spawn(echo) << 1; 1/0")

    assert shell.output.take() == "got 1\n"


def test_processes_that_never_stop_do_not_hold_up_an_answer(shell: Shell) -> None:
    """Giving way has a bound."""
    shell.ask("async def busy():\n    while True: await sleep(0)\n")
    shell.ask("ps = [spawn(busy) for _ in range(100)]; None")

    assert shell.value("1 + 1") == "2"


def test_two_shells_have_each_its_own_output(shell: Shell, make_shell: Callable[..., Shell]) -> None:
    """A spawned process prints to the shell that spawned it, whoever sends to it."""
    other = make_shell()
    shell.ask(ECHO)
    shell.ask("register('echo', spawn(echo))")

    other.ask("send('echo', 1)")

    assert shell.output.take() == "got 1\n"
    assert other.output.take() == ""
