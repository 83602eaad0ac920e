"""Calls that get no reply: timeout, nobody there, a server that ends. Statement P32."""

from __future__ import annotations

import asyncio

import pytest

from helpers.servers import Recorder, advance_later, end_of
from midflight import (
    NOREPLY,
    CallError,
    CallTimeout,
    Down,
    GenServer,
    NotInProcess,
    call,
    cast,
    exit,
    is_alive,
    process_info,
    receive,
    reply,
    self_,
    sleep,
    spawn,
    spawn_monitor,
    stop,
)


class Adder(GenServer):
    """A server of plain methods."""

    def init(self, total=0):
        self.total = total

    def handle_call(self, number, client):
        self.total += number
        return self.total


def test_a_call_times_out(runtime, clock):
    """P32: CallTimeout, which is a TimeoutError, after the given seconds."""

    async def main():
        pid = await Recorder.start()
        advance_later(clock, 2.0)
        with pytest.raises(CallTimeout) as caught:
            await call(pid, "later", timeout=2)
        return caught.value, pid

    error, pid = runtime.run(main)
    assert isinstance(error, TimeoutError)
    assert (error.dest, error.request, error.seconds) == (pid, "later", 2)


def test_a_late_reply_never_arrives(runtime, clock):
    """P32: neither in the mailbox nor in the next call."""

    async def main():
        pid = await Recorder.start()
        advance_later(clock, 1.0)
        with pytest.raises(CallTimeout):
            await call(pid, "later", timeout=1)
        cast(pid, ("answer", "late"))
        after = await call(pid, "after")
        return after, await receive(timeout=0, default="nothing came")

    assert runtime.run(main) == ("after", "nothing came")


def test_a_timeout_of_0_does_not_wait(runtime):
    """The server has no time to answer, and its answer is dropped."""

    async def main():
        pid = await Adder.start()
        with pytest.raises(CallTimeout):
            await call(pid, 1, timeout=0)
        return await call(pid, 1), await receive(timeout=0, default="nothing came")

    assert runtime.run(main) == (2, "nothing came")


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_a_bad_timeout_is_refused_before_the_request_is_sent(runtime, timeout):
    """The server never hears of it."""

    async def main():
        pid = await Recorder.start()
        with pytest.raises(ValueError, match="nothing was sent"):
            await call(pid, "request", timeout=timeout)
        return await call(pid, "heard"), process_info(self_())["monitors"]

    assert runtime.run(main) == ([], [])


@pytest.mark.parametrize("timeout", [None, float("inf")])
def test_a_call_may_wait_for_ever(runtime, timeout):
    """None and infinity are no time at all."""

    async def main():
        return await call(await Adder.start(), 1, timeout=timeout)

    assert runtime.run(main) == 1


def test_a_call_to_nobody_fails(runtime):
    """P32: noproc by pid and by name; another node is down; not oneself."""

    async def main():
        dead = await Adder.start()
        await stop(dead)
        reasons = []
        for dest in (dead, "nobody", ("nobody", "nonode@nohost"), ("x", "other@host"), self_()):
            with pytest.raises(CallError) as caught:
                await call(dest, "request", timeout=None)
            reasons.append(caught.value.reason)
        return reasons

    assert runtime.run(main) == ["noproc", "noproc", "noproc", ("nodedown", "other@host"), "calling_self"]


def test_a_destination_of_another_type_is_refused(runtime):
    """The error names what was given."""

    async def main():
        await call(42, "request")

    with pytest.raises(TypeError, match="not 42"):
        runtime.run(main)


def test_a_server_that_crashes_fails_its_call(runtime):
    """P32: the reason is the server's exception, and the cause of the error."""

    async def main():
        error = ValueError("oops")
        pid = await Recorder.start()
        with pytest.raises(CallError) as caught:
            await call(pid, ("raise", error))
        return error, caught.value, is_alive(pid)

    error, caught, lives = runtime.run(main)

    assert caught.reason is error
    assert caught.__cause__ is error
    assert not lives
    assert [report.reason for report in runtime.crashes] == [error]


def test_a_server_that_is_killed_fails_its_calls(runtime):
    """P32: all those that wait hear of it, with its reason."""

    async def main():
        pid, me = await Recorder.start(), self_()
        for _ in range(3):
            spawn(ask, pid, me)
        await sleep(0)
        exit(pid, "kill")
        return [await receive() for _ in range(3)]

    async def ask(pid, top):
        try:
            await call(pid, "later")
        except CallError as error:
            top << error.reason

    assert runtime.run(main) == ["killed"] * 3


def test_an_uncaught_call_error_ends_the_caller(runtime):
    """P32: as in OTP, where a failed call is an exit."""

    async def main():
        spawn_monitor(lambda: call("nobody", "request"))
        spawn_monitor(ask)
        return [(await receive(Down)).reason for _ in range(2)]

    async def ask():
        await call("nobody", "request")

    reasons = runtime.run(main)
    assert [type(reason) for reason in reasons] == [CallError, CallError]


def test_a_call_outside_a_process_is_refused(runtime):
    """An asyncio task has no mailbox for the reply."""

    async def main():
        pid = await Adder.start()
        return await asyncio.gather(asyncio.create_task(call(pid, 1)), return_exceptions=True)

    (error,) = runtime.run(main)
    assert isinstance(error, NotInProcess)


def test_a_call_that_is_cancelled_leaves_nothing_behind(runtime, clock):
    """asyncio.timeout around a call: no monitor, and no reply later."""

    async def call_within_a_second(pid):
        async with asyncio.timeout(1):
            await call(pid, "later", timeout=None)

    async def main():
        pid = await Recorder.start()
        advance_later(clock, 1.0)
        with pytest.raises(TimeoutError):
            await call_within_a_second(pid)
        monitors = process_info(self_())["monitors"], process_info(pid)["monitored_by"]
        cast(pid, ("answer", "late"))
        await call(pid, "after")
        return monitors, await receive(timeout=0, default="nothing came")

    assert runtime.run(main) == (([], []), "nothing came")


def test_a_caller_that_is_ended_leaves_nothing_behind(runtime):
    """The server forgets the client, also one whose reply is on its way."""

    async def main():
        pid = await Recorder.start()
        waiting = spawn(ask, pid)
        await sleep(0)
        await end_of(waiting, "enough")
        left = process_info(pid)["monitored_by"]
        answered = spawn(ask, pid)
        await sleep(0)
        cast(pid, ("answer", "to the dead"))
        cast(pid, ("answer", "in vain"))
        exit(answered, "enough")
        await call(pid, "after")
        return left, process_info(pid)["monitored_by"], is_alive(answered)

    async def ask(pid):
        await call(pid, "later", timeout=None)

    assert runtime.run(main) == ([], [], False)


def test_an_exit_signal_overtakes_a_reply(runtime):
    """A caller that was handed its reply and has not run yet unwinds, and the reply is nowhere."""
    seen = []

    class Murderer(GenServer):
        def handle_call(self, request, client):
            reply(client, "too late")
            exit(client.pid, "enough")
            return NOREPLY

    async def ask(pid):
        try:
            await call(pid, "request")
        finally:
            seen.append(process_info(self_())["messages"])

    async def main():
        spawn_monitor(ask, await Murderer.start())
        return (await receive(Down)).reason

    assert runtime.run(main) == "enough"
    assert seen == [[]]
