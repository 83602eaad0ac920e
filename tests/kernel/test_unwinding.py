"""What runs in a process that an exit signal or `kill` ends, asyncio's task groups and timeouts included."""

from __future__ import annotations

import asyncio

import pytest

from helpers.ends import down_reason, fail, wait_for_ever
from midflight import (
    Down,
    ProcessExit,
    exit,
    is_alive,
    process_info,
    receive,
    register,
    self_,
    sleep,
    spawn,
    spawn_monitor,
    whereis,
)


def test_an_exit_signal_unwinds(runtime):
    """Law 4: finally and async with run; links hear after the unwinding; the reason is final."""
    steps = []

    class Resource:
        async def __aenter__(self):
            steps.append("open")

        async def __aexit__(self, kind, error, _):
            await asyncio.sleep(0)
            steps.append(("close", error.reason, isinstance(error, asyncio.CancelledError)))

    async def worker():
        try:
            async with Resource():
                await receive()
        finally:
            steps.append(process_info(self_())["status"])
            raise KeyError("raised while unwinding")

    async def main():
        pid, _ = spawn_monitor(worker)
        await sleep(0)
        exit(pid, "first")
        exit(pid, "second is ignored")
        return (await receive(Down)).reason

    assert runtime.run(main) == "first"
    assert steps == ["open", ("close", "first", True), "exiting"]
    assert runtime.crashes == []


def test_kill_tells_first_and_does_not_wait(runtime):
    """Law 4: the pid is dead and monitors know before finally runs, which gets to its first await only."""
    steps = []

    async def worker():
        try:
            await asyncio.sleep(1000)
        finally:
            steps.append(is_alive(me[0]))
            with pytest.raises(RuntimeError, match="outside a process"):
                self_()
            await asyncio.sleep(0)
            steps.append("never")

    me = []

    async def main():
        pid, _ = spawn_monitor(worker)
        me.append(pid)
        await sleep(0)
        exit(pid, "kill")
        return (await receive(Down)).reason

    assert runtime.run(main) == "killed"
    assert steps == [False]


def test_a_process_that_swallows_the_signal_still_ends_with_its_reason(runtime):
    """Once thrown, the reason is final, whatever the process returns; it may go on working meanwhile."""

    async def stubborn():
        try:
            await receive()
        except ProcessExit:
            return "as if nothing had been"

    async def main():
        pid, _ = spawn_monitor(stubborn)
        await sleep(0)
        exit(pid, "told")
        return (await receive(Down)).reason

    assert runtime.run(main) == "told"


def test_an_exit_signal_goes_through_a_task_group(runtime):
    """The children are cancelled and awaited; the reason comes out unwrapped."""
    cancelled = []

    async def child(number):
        try:
            await asyncio.sleep(1000)
        finally:
            cancelled.append(number)

    async def worker():
        async with asyncio.TaskGroup() as group:
            group.create_task(child(1))
            group.create_task(child(2))

    async def main():
        pid, _ = spawn_monitor(worker)
        await asyncio.sleep(0)
        await sleep(0)
        exit(pid, "group over")
        return (await receive(Down)).reason

    assert runtime.run(main) == "group over"
    assert sorted(cancelled) == [1, 2]


def test_a_failing_child_of_a_task_group_ends_the_process(runtime):
    """TaskGroup's own cancellation of its parent works on a process."""

    async def worker():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(ValueError("child")))
            await receive()

    reason = runtime.run(down_reason, worker)

    assert isinstance(reason, ExceptionGroup)
    assert isinstance(reason.exceptions[0], ValueError)


def test_asyncio_timeout_works_around_receive(runtime, clock):
    """asyncio.timeout cancels a process as it does a task, and takes the cancellation back."""

    async def main():
        task = asyncio.current_task()
        timed_out = False
        try:
            async with asyncio.timeout(5):
                clock.advance(5)
                await receive()
        except TimeoutError:
            timed_out = True
        return timed_out, task.cancelling()

    assert runtime.run(main) == (True, 0)


def test_a_name_goes_with_its_process(runtime):
    """P24."""

    async def main():
        pid = spawn(wait_for_ever)
        register("short-lived", pid)
        assert whereis("short-lived") is pid
        exit(pid, "kill")
        return whereis("short-lived")

    assert runtime.run(main) is None


def test_a_process_killed_in_the_run_queue_never_runs(runtime):
    """kill between the send that wakes a process and its step."""
    ran = []

    async def main():
        pid = spawn(lambda: ran.append("not this"))
        exit(pid, "kill")
        await sleep(0)
        waiting = spawn(wait_and_say)
        await sleep(0)
        waiting << "wake"
        exit(waiting, "kill")
        await sleep(0)

    async def wait_and_say():
        ran.append(await receive())

    runtime.run(main)
    assert ran == []


def test_a_coroutine_that_ignores_the_close_is_dead_all_the_same(runtime, caplog):
    """kill marks it dead, tells everybody, never resumes it, and says so in the log."""

    async def deaf():
        while True:
            try:
                await receive()
            except BaseException:
                pass

    async def main():
        pid, _ = spawn_monitor(deaf)
        await sleep(0)
        exit(pid, "kill")
        return (await receive(Down)).reason

    assert runtime.run(main) == "killed"
    assert "dead all the same" in caplog.text
