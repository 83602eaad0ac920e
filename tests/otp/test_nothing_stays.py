"""What is given up, or fails, leaves nothing in the mailbox of who asked: no Down, no Exit, no late answer."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress

import pytest

from midflight import (
    NOREPLY,
    AlreadyStarted,
    CallTimeout,
    ChildSpec,
    GenServer,
    InitFailed,
    Registry,
    Stop,
    Supervisor,
    Task,
    TaskTimeout,
    call,
    exit,
    receive,
    reply,
    self_,
    sleep,
    stop,
    trap_exit,
)


class Slow(GenServer):
    """Waits in init, or for `seconds` in a call, until time moves on."""

    async def init(self, seconds=0.0):
        await sleep(seconds)

    async def handle_call(self, request, client):
        await sleep(request)
        return "late"

    async def terminate(self, reason):
        await sleep(1)


class Fails(GenServer):
    def init(self, how):
        match how:
            case "raises":
                raise ValueError(how)
            case "stops":
                raise Stop(how)
            case "killed":
                exit(self_(), "kill")


async def left():
    """Return what is in the mailbox when all others have come to rest."""
    for _ in range(20):
        await sleep(0)
    found = []
    while (message := await receive(timeout=0, default=None)) is not None:
        found.append(message)
    assert not self_().process.monitors
    return found


def moving(clock, seconds):
    """Move the clock on when all processes wait."""
    asyncio.get_running_loop().call_soon(lambda: asyncio.get_running_loop().call_soon(clock.advance, seconds))


@pytest.mark.parametrize("traps", [False, True])
@pytest.mark.parametrize("start", [Slow.start, Slow.start_link])
def test_a_start_that_times_out_leaves_nothing(runtime, clock, start, traps):
    """OTP: gen:start with a timeout, which unlinks, kills and flushes."""

    async def main():
        trap_exit(traps)
        moving(clock, 1)
        with pytest.raises(InitFailed, match="timeout"):
            await start(60, timeout=1)
        return await left(), self_().process.links

    messages, links = runtime.run(main)

    assert messages == []
    assert not links


@pytest.mark.parametrize("traps", [False, True])
@pytest.mark.parametrize("start", [Slow.start, Slow.start_link])
def test_a_start_that_is_broken_off_leaves_nothing(runtime, clock, start, traps):
    """By asyncio.timeout, in the starter."""

    async def main():
        trap_exit(traps)
        moving(clock, 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await start(60)
        return await left()

    assert runtime.run(main) == []


@pytest.mark.parametrize("how", ["raises", "stops", "killed"])
@pytest.mark.parametrize("linked", [False, True])
def test_an_init_that_fails_leaves_nothing(runtime, how, linked):
    """The starter gets the error raised, and not told once more."""

    async def main():
        trap_exit(True)
        with pytest.raises((ValueError, InitFailed)):
            await (Fails.start_link if linked else Fails.start)(how)
        return await left()

    assert runtime.run(main) == []


def test_a_name_that_is_taken_leaves_nothing(runtime):
    """Neither one of the runtime nor one of a registry."""

    async def main():
        trap_exit(True)
        await Registry.start_link("rooms")
        via = Registry("rooms").via("a key")
        for name in ("a name", via):
            await Slow.start_link(name=name)
            with pytest.raises(AlreadyStarted):
                await Slow.start_link(name=name)
        return await left()

    assert runtime.run(main) == []


def test_a_call_that_times_out_leaves_nothing(runtime, clock):
    """Whenever its answer comes, and also if the server ends. OTP 24 and later: the same, by an alias."""

    async def main():
        server = await Slow.start()
        moving(clock, 1)
        with pytest.raises(CallTimeout):
            await call(server, 5, timeout=1)
        clock.advance(10)
        found = await left()
        exit(server, "kill")
        return found + await left()

    assert runtime.run(main) == []


def test_an_answer_of_another_process_after_the_timeout_is_dropped(runtime, clock):
    """A reply that was put off, too."""

    class Holds(GenServer):
        def init(self):
            self.client = None

        def handle_call(self, request, client):
            if request == "hold":
                self.client = client
                return NOREPLY
            reply(self.client, "late")
            return "done"

    async def main():
        server = await Holds.start()
        moving(clock, 1)
        with pytest.raises(CallTimeout):
            await call(server, "hold", timeout=1)
        await call(server, "let go")
        return await left()

    assert runtime.run(main) == []


def test_a_stop_that_times_out_leaves_nothing(runtime, clock):
    """The server ends later, and nobody is told."""

    async def main():
        server = await Slow.start()
        moving(clock, 0.5)
        with pytest.raises(CallTimeout):
            await stop(server, timeout=0.5)
        clock.advance(10)
        return await left()

    assert runtime.run(main) == []


def test_a_task_that_is_given_up_leaves_nothing(runtime, clock):
    """Its value is lost; it is linked still, so of a task that was not, nothing comes."""

    async def main():
        task = Task.start_nolink(sleep, 5)
        moving(clock, 1)
        with pytest.raises(TaskTimeout):
            await task.result(1)
        clock.advance(10)
        return await left()

    assert runtime.run(main) == []


@pytest.mark.parametrize("on_timeout", ["exit", "kill_task"])
def test_tasks_of_a_stream_that_are_killed_leave_nothing(runtime, clock, on_timeout):
    """In an owner that traps exits, and whether or not the loop was left."""

    async def main():
        trap_exit(True)
        moving(clock, 1)
        async with aclosing(Task.stream([9, 9, 9], sleep, timeout=1, on_timeout=on_timeout)) as outcomes:
            with suppress(TaskTimeout):
                assert await anext(outcomes) == ("exit", "timeout")
        return await left()

    assert runtime.run(main) == []


def test_a_supervisor_that_does_not_start_leaves_nothing(runtime):
    """Nor do the children before the one that failed."""

    async def main():
        trap_exit(True)
        with pytest.raises(InitFailed):
            await Supervisor.start_link([ChildSpec(1, Registry, ("rooms",)), ChildSpec(2, Fails, ("raises",))])
        return await left()

    assert runtime.run(main) == []


def test_a_start_that_is_broken_off_as_init_fails_leaves_nothing(runtime):
    """The Exit has come already when the starter is cancelled: it is taken back. OTP: gen unlinks and flushes."""
    found = []

    async def starter():
        trap_exit(True)
        try:
            await Fails.start_link("raises")
        except asyncio.CancelledError:
            found.append("cancelled")
        found.extend(await left())

    async def canceller(pid):
        await sleep(0)
        pid.process.cancel()

    runtime.spawn(canceller, runtime.spawn(starter))
    runtime.run_until_idle()

    assert found == ["cancelled"]
