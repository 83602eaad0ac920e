"""Breaking off an evaluation: one that waits, one that never does, and nothing else."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import Future

from helpers.shells import DEADLINE_SECONDS, Shell
from midflight.shell import EvalResult
from midflight.shell.interrupt import Breakable


def begin(shell: Shell, text: str) -> Future[EvalResult]:
    """Evaluate `text`; return once it has called `begun.set()`."""
    begun = threading.Event()
    shell.bind(begun=begun)
    future = shell.session.eval(text)
    assert begun.wait(DEADLINE_SECONDS), future
    return future


def test_an_evaluation_that_waits_is_cancelled(shell: Shell) -> None:
    """Bindings, pid and mailbox stay; it has used a number."""
    before = shell.value("self()")
    future = begin(shell, "x = 1\nbegun.set()\nawait receive()")

    assert shell.session.interrupt()

    result = future.result(DEADLINE_SECONDS)
    assert (result.status, result.number, result.value) == ("interrupted", 3, None)
    assert "await receive()" in (result.error or "")
    assert shell.value("x") == "1"
    assert shell.value("self()") == before


def test_a_busy_loop_is_broken(shell: Shell) -> None:
    """It never gives way, so no other process can end it."""
    before = shell.value("self()")
    future = begin(shell, "x = 1\nwhile True: begun.set()")

    assert shell.session.interrupt()

    result = future.result(DEADLINE_SECONDS)
    assert (result.status, result.number) == ("interrupted", 3)
    assert "while True: begun.set()" in (result.error or "")
    assert shell.value("x") == "1"
    assert shell.value("self()") == before


def test_a_repr_that_never_ends_is_broken(shell: Shell) -> None:
    """Showing the value belongs to the evaluation."""
    shell.ask("class Slow:\n    def __repr__(self):\n        begun.set()\n        while True: pass\n")
    future = begin(shell, "Slow()")

    assert shell.session.interrupt()

    assert future.result(DEADLINE_SECONDS).status == "interrupted"


def test_a_loop_of_sends_loses_and_doubles_no_message(shell: Shell) -> None:
    """The blow does not fall inside the kernel: what was counted as sent has arrived, in order."""
    kept: list[object] = []
    got_last = threading.Event()
    shell.bind(kept=kept, got_last=got_last)
    shell.ask("async def keep():\n    while kept[-1:] != ['last']: kept.append(await receive())\n    got_last.set()\n")
    shell.ask("n = 0; p = spawn(keep)")
    future = begin(shell, "while True:\n    n += 1\n    p << n\n    if n == 1000: begun.set()\n")

    assert shell.session.interrupt()

    assert future.result(DEADLINE_SECONDS).status == "interrupted"
    sent = int(shell.value("n") or 0)
    shell.ask("p << 'last'")
    assert got_last.wait(DEADLINE_SECONDS)
    assert kept[:-1] in ([*range(1, sent + 1)], [*range(1, sent)])  # the last may have been counted and not sent


def test_with_no_evaluation_there_is_nothing_to_interrupt(shell: Shell) -> None:
    """And nothing is hit: the next input is evaluated."""
    assert not shell.session.interrupt()
    assert shell.value("1") == "1"
    assert not shell.session.interrupt()
    assert shell.value("2") == "2"


def test_code_that_catches_the_interrupt_goes_on(shell: Shell) -> None:
    """It is an exception like others: what the input does with it is its own affair."""
    future = begin(
        shell, "try:\n    begun.set()\n    while True: len('')\nexcept KeyboardInterrupt:\n    x = 'caught'\n"
    )

    assert shell.session.interrupt()

    assert future.result(DEADLINE_SECONDS).status == "ok"
    assert shell.value("x") == "'caught'"


def test_code_that_has_caught_an_interrupt_can_be_broken_by_another(shell: Shell) -> None:
    """Each strike is one of its own."""
    caught = threading.Event()
    shell.bind(caught=caught)
    loop = "begun.set()\n    while True: len('')"  # not first in the `try`: before 3.13 its jump counts as outside
    future = begin(shell, f"try:\n    {loop}\nexcept KeyboardInterrupt:\n    caught.set()\n    {loop}\n")

    assert shell.session.interrupt()
    assert caught.wait(DEADLINE_SECONDS)
    assert shell.session.interrupt()

    assert future.result(DEADLINE_SECONDS).status == "interrupted"


def test_a_timeout_works_after_an_interrupt(shell: Shell) -> None:
    """The cancellation is taken back, else asyncio would think that the process is still to be cancelled."""
    future = begin(shell, "begun.set(); await receive()")
    shell.session.interrupt()
    assert future.result(DEADLINE_SECONDS).status == "interrupted"

    shell.ask("import asyncio")
    error = shell.error("async with asyncio.timeout(0):\n    await receive()\n")

    assert error.rstrip().endswith("TimeoutError")


def test_interrupts_at_any_moment_hit_the_evaluation_or_nothing(shell: Shell) -> None:
    """A bystander that runs all the time, the kernel and the shell never meet a KeyboardInterrupt."""
    shell.ask("async def bystander():\n    while True: await sleep(0)\n")
    shell.ask("p = spawn(bystander)")
    stop = threading.Event()
    statuses: list[str] = []
    until = time.monotonic() + 6 * DEADLINE_SECONDS
    interval = sys.getswitchinterval()

    def interrupt_for_ever() -> None:
        while not stop.is_set():
            shell.session.interrupt()

    thread = threading.Thread(target=interrupt_for_ever)
    sys.setswitchinterval(1e-5)  # else the other thread comes in only every 5 ms, when all is over
    thread.start()
    try:
        while statuses.count("interrupted") < 30 and time.monotonic() < until:
            statuses.append(shell.ask("for _ in range(100_000): None\n").status)
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        thread.join(DEADLINE_SECONDS)

    assert set(statuses) <= {"ok", "interrupted"}
    assert statuses.count("interrupted") == 30
    assert shell.value("is_alive(p)") == "True"


def test_a_coroutine_between_two_steps_cannot_be_struck() -> None:
    """What runs on the thread then is somebody else's."""

    async def body() -> None:
        raise AssertionError("not begun")

    steps = Breakable(body())

    assert not steps.interrupt()
    steps.close()


def test_a_step_whose_innermost_code_is_ours_cannot_be_struck() -> None:
    """A blow inside `strike` itself, called by the step, would be one inside Midflight."""
    struck: list[bool] = []

    async def body() -> None:
        struck.append(steps.interrupt())

    steps = Breakable(body())
    for _ in steps:
        raise AssertionError("it does not wait")

    assert struck == [False]
