"""The door by which a process that waits goes on as another coroutine: who may pass it, and what stays."""

from __future__ import annotations

import threading

import pytest

from midflight import exit, process_info, receive
from midflight.kernel import obstacle, reenter


async def old(sink):
    try:
        sink.append(("old", await receive()))
    finally:
        sink.append("left")


async def idle(sink):
    sink.append(("idle", await receive()))


async def new(sink):
    sink.append(("new", await receive()))


def test_a_process_goes_on_as_another_coroutine(runtime):
    """From its start, at its next turn, under its pid."""
    sink: list[object] = []
    pid = runtime.spawn(idle, sink)
    runtime.run_until_idle()

    assert reenter(runtime.scheduler, pid.process, new(sink)) is None
    status = process_info(pid)["status"]
    runtime.run_until_idle()
    pid << 1
    runtime.run_until_idle()

    assert status == "runnable"
    assert sink == [("new", 1)]


def test_a_try_around_the_wait_would_be_left(runtime):
    """So the caller must know that there is none; no message is lost by it."""
    sink: list[object] = []
    pid = runtime.spawn(old, sink)
    runtime.run_until_idle()

    reenter(runtime.scheduler, pid.process, new(sink))
    pid << 1
    runtime.run_until_idle()

    assert sink == ["left", ("new", 1)]


def test_a_process_with_an_obstacle_stays(runtime):
    """Nothing has changed then, and the coroutine is the caller's to close."""
    sink: list[object] = []
    pid = runtime.spawn(idle, sink)
    coro = new(sink)

    why = reenter(runtime.scheduler, pid.process, coro)
    coro.close()
    pid << 1
    runtime.run_until_idle()

    assert why == "it has not begun"
    assert sink == [("idle", 1)]


def test_a_coroutine_that_has_begun_is_no_new_one(runtime):
    """Another process runs it, perhaps."""
    sink: list[object] = []
    pid, other = runtime.spawn(idle, sink), runtime.spawn(idle, sink)
    runtime.run_until_idle()

    with pytest.raises(ValueError, match=r"<0\.1\.0> cannot go on as a coroutine that has begun; it goes on as it was"):
        reenter(runtime.scheduler, pid.process, other.process.coro)

    for each in (pid, other):
        each << 1
    runtime.run_until_idle()
    assert sink == [("idle", 1), ("idle", 1)]


def test_another_thread_may_not(runtime):
    """Processes are touched on their own thread."""
    pid = runtime.spawn(idle, [])
    runtime.run_until_idle()
    said: list[str | None] = []

    thread = threading.Thread(target=lambda: said.append(obstacle(runtime.scheduler, pid.process)))
    thread.start()
    thread.join()

    assert said == ["another thread runs it"]
    assert obstacle(runtime.scheduler, pid.process) is None
    exit(pid, "kill")


def test_a_dead_process_does_not_come_back(runtime):
    """Nor one that another thread has killed, which hears of it in the next turn."""
    dead, doomed = runtime.spawn(idle, []), runtime.spawn(idle, [])
    runtime.run_until_idle()
    process = dead.process

    exit(dead, "kill")
    thread = threading.Thread(target=exit, args=(doomed, "kill"))
    thread.start()
    thread.join()

    assert obstacle(runtime.scheduler, process) == "it is exiting"
    assert obstacle(runtime.scheduler, doomed.process) == "it is exiting"
    runtime.run_until_idle()


def test_only_a_receive_of_its_own_will_do(runtime):
    """Not one that something stands between, be that no coroutine."""

    class Waits:
        def __await__(self):
            return (yield from receive())

    async def through():
        await Waits()

    pid = runtime.spawn(through)
    runtime.run_until_idle()

    assert obstacle(runtime.scheduler, pid.process) == "a deeper stack: through > __await__"
    exit(pid, "kill")
