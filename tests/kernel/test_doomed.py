"""A process that was killed from another thread and does not end: what is said of it, and that it ends in the end."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any

import pytest

from helpers.shells import DEADLINE_SECONDS, RunningRuntime
from midflight import exit, receive
from midflight.errors import Killed
from midflight.kernel import why_not_ended
from midflight.kernel.async_exc import break_into
from midflight.kernel.core import Process


@pytest.fixture
def running() -> Iterator[RunningRuntime]:
    """A runtime on a thread of its own."""
    running = RunningRuntime()
    yield running
    running.stop()


@pytest.fixture
def unwatched() -> Iterator[RunningRuntime]:
    """A runtime on a thread of its own that nobody breaks into but the test."""
    running = RunningRuntime(watchdog=False)
    yield running
    running.stop()


class Gate:
    """A function in C that returns when it is opened, once or more often."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self.passes = map(os.read, repeat(self._reader), repeat(1))  # next() of it waits, in C

    def open(self) -> None:
        """Let one through."""
        os.write(self._writer, b"1")

    def close(self) -> None:
        """Close the files."""
        os.close(self._reader)
        os.close(self._writer)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate that is shut."""
    gate = Gate()
    yield gate
    gate.close()


def spawn(running: RunningRuntime, function: Callable[..., Any], *args: object) -> Process:
    """Spawn a process and return it when it has begun; it sets the event that `function` gets first."""
    begun = threading.Event()
    process = running.scheduler.spawn(function, (begun, *args))
    assert begun.wait(DEADLINE_SECONDS)
    return process


def wait_for_a_turn(running: RunningRuntime) -> None:
    """Return when the runtime has come to what other threads asked of it."""
    running.scheduler.call_threadsafe(lambda: None).result(DEADLINE_SECONDS)


def test_one_in_code_in_c_is_said_to_be(running: RunningRuntime, gate: Gate) -> None:
    """And where; it ends at its next bytecode."""
    after: list[int] = []

    async def block(begun: threading.Event) -> None:
        begun.set()
        next(gate.passes)
        after.append(1)

    process = spawn(running, block)
    exit(process.pid, "kill")

    said = why_not_ended(running.scheduler, process)
    struck_until(lambda: process in running.scheduler.doomed and running.scheduler.struck is not None)
    gate.open()
    wait_for_a_turn(running)

    assert said.startswith(
        f"{process.pid!r} was killed and has not ended: it runs code that Python cannot interrupt, in C"
    )
    assert "test_doomed.py:" in said
    assert "block. Other processes wait. It ends as soon as it runs Python code of its own or yields." in said
    assert (after, process.pid.process, running.scheduler.doomed) == ([], None, {})


def struck_until(is_so: Callable[[], bool]) -> None:
    """Return when the watchdog has come so far."""
    until = threading.Event()
    for _ in range(int(DEADLINE_SECONDS * 1000)):
        if is_so():
            return
        until.wait(0.001)
    raise AssertionError("the watchdog has not struck")


def test_one_that_catches_all_is_said_to_resist(running: RunningRuntime) -> None:
    """It is struck again and again, and ends when it lets that through."""
    gives_in = threading.Event()
    caught = threading.Semaphore(0)

    async def resist(begun: threading.Event) -> None:
        begun.set()
        while True:
            try:
                len("")  # before 3.13 the jump back to the first statement of a `try` counts as before it
                while True:
                    len("")
            except BaseException:
                caught.release()
                if gives_in.is_set():
                    raise

    process = spawn(running, resist)
    exit(process.pid, "kill")
    for _ in range(3):
        assert caught.acquire(timeout=DEADLINE_SECONDS)

    said = why_not_ended(running.scheduler, process)
    gives_in.set()
    wait_for_a_turn(running)

    assert "it has caught the exception that ends it" in said
    assert "times and goes on, at " in said
    assert "restart the server" in said
    assert process.pid.process is None


def test_one_that_resists_and_yields_is_closed(running: RunningRuntime) -> None:
    """Nothing resumes it any more, whatever it catches."""
    caught = threading.Event()
    after: list[int] = []

    async def resist(begun: threading.Event) -> None:
        begun.set()
        try:
            len("")
            while True:
                len("")
        except BaseException:
            caught.set()
        await receive()
        after.append(1)

    process = spawn(running, resist)
    exit(process.pid, "kill")
    assert caught.wait(DEADLINE_SECONDS)
    wait_for_a_turn(running)

    assert (after, process.pid.process, running.scheduler.doomed) == ([], None, {})


def test_a_signal_other_than_kill_waits_for_the_process_to_yield(running: RunningRuntime) -> None:
    """It breaks into nothing, and that can be said."""
    yields = threading.Event()

    async def spin(begun: threading.Event) -> None:
        begun.set()
        while not yields.is_set():
            pass
        await receive()

    process = spawn(running, spin)
    exit(process.pid, "shutdown")

    said = why_not_ended(running.scheduler, process)
    yields.set()
    wait_for_a_turn(running)

    assert said.startswith(f"{process.pid!r} has not taken the exit signal yet: it has not yielded, at ")
    assert said.endswith('It takes the signal when it yields; the reason "kill" breaks into it.')


def test_one_whose_turn_does_not_come_names_who_holds_it_up(running: RunningRuntime, gate: Gate) -> None:
    """That is the one to be killed as well."""

    async def wait(begun: threading.Event) -> None:
        begun.set()
        await receive()

    async def block(begun: threading.Event) -> None:
        begun.set()
        next(gate.passes)

    waiting = spawn(running, wait)
    wait_for_a_turn(running)
    blocking = spawn(running, block)
    exit(waiting.pid, "kill")

    said = why_not_ended(running.scheduler, waiting)
    gate.open()
    wait_for_a_turn(running)

    assert f"its turn has not come, because {blocking.pid!r} has not yielded, at " in said
    assert f"Kill that process; the signal to {waiting.pid!r} comes right behind." in said
    assert why_not_ended(running.scheduler, waiting) == f"{waiting.pid!r} has ended."


# --- A strike that finds the step ended -----------------------------------------------------------------------


def strike_in_c(unwatched: RunningRuntime, gate: Gate, function: Callable[..., Any]) -> tuple[Process, list[object]]:
    """Strike at `function` once, surely, while it waits at the gate; let it go, and return what a bystander met."""
    met: list[object] = []

    async def stand_by() -> None:
        met.append("ran")

    process = spawn(unwatched, function)
    scheduler = unwatched.scheduler
    while not break_into(scheduler, process, scheduler.turns, Killed):
        pass
    bystander = scheduler.spawn(stand_by, ())
    gate.open()
    for _ in range(3):
        wait_for_a_turn(unwatched)
    assert bystander.pid.process is None
    return process, met


def test_a_strike_that_finds_the_process_returned_hits_nothing(unwatched: RunningRuntime, gate: Gate) -> None:
    """The turn absorbs it, before it does anything."""

    async def end_without_a_check(begun: threading.Event) -> None:
        begun.set()
        for _ in gate.passes:
            return

    process, met = strike_in_c(unwatched, gate, end_without_a_check)

    assert (process.pid.process, met) == (None, ["ran"])


def test_a_strike_that_finds_the_process_failed_hits_nothing(unwatched: RunningRuntime, gate: Gate) -> None:
    """Its own exception is its end, and there is one crash report."""
    reasons: list[object] = []
    unwatched.scheduler.on_crash.append(lambda report: reasons.append(type(report.reason)))

    async def fail_without_a_check(begun: threading.Event) -> None:
        begun.set()
        list(map([].__getitem__, map(len, gate.passes)))

    process, met = strike_in_c(unwatched, gate, fail_without_a_check)

    assert (process.pid.process, met, reasons) == (None, ["ran"], [IndexError])


def test_a_strike_that_finds_a_tail_call_hits_nothing(unwatched: RunningRuntime, gate: Gate) -> None:
    """The next function of the process runs undisturbed: who killed it does so in the ordinary way."""
    went_on: list[object] = []

    async def next_one() -> None:
        went_on.append("next")

    async def call_without_a_check(begun: threading.Event) -> Any:
        following = next_one()
        begun.set()
        for _ in gate.passes:
            return following

    process, met = strike_in_c(unwatched, gate, call_without_a_check)

    assert (process.pid.process, met, went_on) == (None, ["ran"], ["next"])
