"""A process that always yields and never waits leaves the interpreter to the program's other threads now and then."""

from __future__ import annotations

import asyncio
import selectors
import socket

import pytest

import midflight
from midflight import receive, self_, sleep
from midflight.pauses import AWAKE_SECONDS, PAUSE_SECONDS, PausingSelector


class Time:
    """A clock that moves by `step` seconds at each look, and a sleep that moves it."""

    def __init__(self, step: float) -> None:
        self.step = step
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        self.now += self.step
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(self.now)
        self.now += seconds


@pytest.fixture
def world():
    """A selector on a clock of the test's, with a socket that always has something to read."""
    time = Time(PAUSE_SECONDS / 2)
    selector = PausingSelector(time.clock, time.sleep)
    ours, theirs = socket.socketpair()
    with ours, theirs, selector:
        selector.register(ours, selectors.EVENT_READ)
        theirs.send(b"x")
        yield selector, time


def rounds(selector, time, until, timeout):
    while time.now < until:
        assert len(selector.select(timeout)) == 1


@pytest.mark.parametrize("timeout", [0, 60.0, None])
def test_a_loop_that_never_waits_sleeps_after_each_five_milliseconds(world, timeout):
    """Whether it polls, or would wait and has no need to."""
    selector, time = world

    rounds(selector, time, 10 * AWAKE_SECONDS, timeout)

    gaps = [after - before for before, after in zip([0.0, *time.slept], time.slept, strict=False)]
    assert 8 <= len(gaps) <= 10
    assert min(gaps) >= AWAKE_SECONDS


def test_a_loop_that_has_waited_does_not_sleep(world):
    """The threads had the interpreter then: the five milliseconds begin again."""
    selector, time = world

    for _ in range(10):
        rounds(selector, time, time.now + AWAKE_SECONDS / 2, 0)
        time.step = 2 * PAUSE_SECONDS
        selector.select(0.0)  # long enough for a thread to wake up
        time.step = PAUSE_SECONDS / 2

    assert time.slept == []


async def sends():
    """Send to oneself and receive, for ever."""
    self_() << "again"
    await receive()
    return sends()


async def yields():
    """Let the others run, for ever."""
    while True:
        await sleep(0)


async def yields_to_the_loop():
    """The same by asyncio's means."""
    while True:
        await asyncio.sleep(0)


async def awaits_what_is_done_next():
    """Wait for futures, each of which is done in the next callback, for ever."""
    loop = asyncio.get_running_loop()
    while True:
        future = loop.create_future()
        loop.call_soon(future.set_result, None)
        await future


async def has_a_busy_child():
    """Wait for a child task that never waits."""
    await asyncio.create_task(yields_to_the_loop())


BUSY = [sends, yields, yields_to_the_loop, awaits_what_is_done_next, has_a_busy_child]


@pytest.mark.parametrize("busy", BUSY)
def test_a_program_with_a_busy_process_pauses(busy, monkeypatch):
    """Every way of never waiting; the pause is what ends the program here."""
    first: list[midflight.Pid] = []

    class Counting(PausingSelector):
        def __init__(self):
            super().__init__(sleep=lambda seconds: [pid << "paused" for pid in first])

    async def main():
        first.append(self_())
        midflight.spawn(busy)
        return await receive("paused")

    monkeypatch.setattr("midflight.event_loop.PausingSelector", Counting)

    assert midflight.run(main) == "paused"
