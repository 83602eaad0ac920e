"""An exit signal that code swallows by accident ends its process all the same; a clean-up is left alone."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import pytest

from midflight import Down, GenServer, ProcessExit, exit, monitor, receive, spawn


async def end_of(runtime, body, reason="told"):
    """Return the reason that a process running `body` ends with after an exit signal, if it does within a second."""
    pid = spawn(body)
    ref = monitor(pid)
    await settled(runtime)
    exit(pid, reason)
    await settled(runtime)
    for _ in range(10):
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
