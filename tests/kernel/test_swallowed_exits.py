"""An exit signal that code swallows by accident ends its process all the same; a clean-up is left alone."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import pytest

import midflight
from midflight import Down, GenServer, ProcessExit, exit, monitor, receive, self_, sleep, spawn

MANY = 200_000


async def end_of(runtime, body, reason="told", seconds=1.0):
    """Return the reason that a process running `body` ends with after an exit signal, if it does within `seconds`."""
    pid = spawn(body)
    ref = monitor(pid)
    await settled(runtime)
    exit(pid, reason)
    await settled(runtime)
    for _ in range(round(seconds / 0.1)):
        runtime.clock.advance(0.1)
        await settled(runtime)
    down = await receive(Down, timeout=0, default=None)
    if down is None:
        exit(pid, "kill")
        await receive((ref, ..., ...))
    return None if down is None else down.reason


async def settled(runtime):
    """Let all others run, and the event loop, too."""
    for _ in range(20):
        await asyncio.sleep(0)


async def swallows():
    """Go back to work after an exit signal, as asyncio.wait_for of Python 3.11 may make one do."""
    with suppress(asyncio.CancelledError):
        await receive("never")
    while True:
        await receive()


def test_a_process_that_is_back_at_work_is_told_again(runtime):
    """Its links and its supervisor wait for its end; an exit signal is never lost."""
    assert runtime.run(end_of, runtime, swallows) == "told"


async def swallow():
    with suppress(asyncio.CancelledError):
        await receive("never")


async def always_has_messages(finished):
    """Swallow it, and then be sent the next message before the last is done."""
    await swallow()
    for _ in range(MANY):
        self_() << "more"
        await receive()
    finished.append("all of them")


async def calls_itself(finished, left=MANY):
    """The same by tail calls."""
    if left == MANY:
        await swallow()
    if not left:
        finished.append("all of them")
        return None
    self_() << "more"
    await receive()
    return calls_itself(finished, left - 1)


@pytest.mark.parametrize("busy", [always_has_messages, calls_itself])
def test_one_that_never_waits_for_its_next_message_is_told_again(busy):
    """It is back at work, though nobody ever finds it waiting."""
    finished = []

    async def main():
        pid = spawn(busy, finished)
        ref = monitor(pid)
        await asyncio.sleep(0)
        exit(pid, "told")
        return (await receive((ref, ..., ...))).reason

    assert midflight.run(main) == "told"  # time moves while it runs, or its turn would not end
    assert finished == []


async def waits_for_good():
    """Swallow it, and then wait for what never comes."""
    await swallow()
    await asyncio.Event().wait()


async def waits_for_one_message():
    """The same with a message that never comes."""
    await swallow()
    await receive("the other never")


async def sleeps():
    """The same with time."""
    await swallow()
    await sleep(1e6)


@pytest.mark.parametrize("waits", [waits_for_good, waits_for_one_message, sleeps])
def test_one_that_waits_for_something_else_is_told_again_after_five_seconds(runtime, waits):
    """That is as long as a supervisor gives a child to clean up; an exit signal is never lost."""
    assert runtime.run(end_of, runtime, waits, "told", 4.9) is None
    assert runtime.run(end_of, runtime, waits, "told", 5.2) == "told"


def test_a_clean_up_that_takes_its_own_answers_is_let_be(runtime):
    """It is no plain `receive()` that it stands at, so nothing is thrown into it."""
    seen = []

    async def noted():
        await swallow()
        for _ in range(1000):
            self_() << "answer"
            seen.append(await receive("answer"))

    assert runtime.run(end_of, runtime, noted) == "told"
    assert len(seen) == 1000


def test_a_server_that_swallowed_it_ends_with_its_reason(runtime):
    """As in OTP, where an exit signal ends a server that does not trap exits."""

    class Server(GenServer):
        async def handle_info(self, message):
            with suppress(asyncio.CancelledError):
                await receive("never")

    async def main():
        pid = await Server.start()
        ref = monitor(pid)
        pid << "wait"
        await settled(runtime)
        exit(pid, "told")
        return (await receive((ref, ..., ...))).reason

    assert runtime.run(main) == "told"


@pytest.mark.parametrize("at_the_same_time", [True, False])
def test_wait_for_loses_no_exit_signal(runtime, at_the_same_time):
    """Before Python 3.12 it swallows a cancellation that comes when what it waits for is done."""
    gate = asyncio.Event()

    async def waits():
        await asyncio.wait_for(gate.wait(), 100)
        while True:
            await receive()

    async def main():
        pid = spawn(waits)
        ref = monitor(pid)
        await settled(runtime)
        gate.set()
        if not at_the_same_time:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        exit(pid, "told")
        return (await receive((ref, ..., ...))).reason

    assert runtime.run(main) == "told"


def test_a_task_group_that_fails_loses_no_exit_signal(runtime):
    """Before Python 3.13 it swallows a cancellation that comes while it ends because of an error."""
    gate = asyncio.Event()

    async def child():
        await gate.wait()
        raise LookupError

    async def slow():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    async def waits():
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(child())
                group.create_task(slow())
        except* LookupError:
            pass
        while True:
            await receive()

    async def main():
        pid = spawn(waits)
        ref = monitor(pid)
        await settled(runtime)
        gate.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        exit(pid, "told")
        await settled(runtime)
        runtime.clock.advance(0.2)  # it was not back at work at once
        return (await receive((ref, ..., ...))).reason

    assert runtime.run(main) == "told"


def test_a_clean_up_after_the_exception_was_caught_is_let_be(runtime):
    """To catch the cancellation, close things with some awaits, and return is good asyncio."""
    done = []

    async def cleans_up():
        with suppress(asyncio.CancelledError):
            await receive("never")
        await asyncio.sleep(0.35)
        await receive("never", timeout=0.1, default=None)
        done.append("cleaned up")

    assert runtime.run(end_of, runtime, cleans_up) == "told"
    assert done == ["cleaned up"]


def test_a_finally_that_receives_is_not_told_again(runtime):
    """It is busy with the exception: that is no swallowing."""
    heard = []

    async def waits_in_finally():
        try:
            await receive("never")
        finally:
            heard.append(await receive())

    async def main():
        pid = spawn(waits_in_finally)
        ref = monitor(pid)
        await settled(runtime)
        exit(pid, "told")
        await settled(runtime)
        runtime.clock.advance(5)
        await settled(runtime)
        pid << "last word"
        return (await receive((ref, ..., ...))).reason

    assert runtime.run(main) == "told"
    assert heard == ["last word"]


def test_one_that_swallows_each_is_reported_and_goes_on(runtime, caplog):
    """Somebody is told how to end it; it takes no turn from the others."""

    async def stubborn():
        while True:
            with suppress(BaseException):
                await receive()

    with caplog.at_level(logging.ERROR, "midflight"):
        assert runtime.run(end_of, runtime, stubborn) is None

    assert [each.getMessage() for each in caplog.records if "swallowed its exit signal 10 times" in each.getMessage()]


def test_an_exit_raised_by_the_process_itself_may_be_caught(runtime):
    """It is an exception of its own then, as exit/1 is in Erlang."""

    async def main():
        with suppress(ProcessExit):
            raise ProcessExit("mine")
        return await receive(timeout=0, default="goes on")

    assert runtime.run(main) == "goes on"
