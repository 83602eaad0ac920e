"""The current task, where Python keeps it in the thread, as 3.14 does: asyncio is told of it by functions."""

from __future__ import annotations

import asyncio

import pytest

from midflight import Down, Runtime, exit, receive, run, sleep, spawn, spawn_monitor
from midflight.current_task import CurrentTask, swap_current_task


@pytest.fixture(params=["by swapping", "as documented"])
def task_of_the_thread(request, monkeypatch):
    """Have runtimes tell asyncio of the current task as Python 3.14 wants it."""

    class Documented(CurrentTask):
        swap = staticmethod(swap_current_task)
        __setitem__ = swap

    kind = CurrentTask if request.param == "by swapping" else Documented
    monkeypatch.setattr("midflight.driver.current_tasks", kind)


def test_the_current_task_is_told_to_asyncio(task_of_the_thread):
    """In each process it is that one; between two steps and in an asyncio task it is none of them."""
    seen = []

    async def main():
        me = asyncio.current_task()
        other, _ = spawn_monitor(lambda: seen.append(asyncio.current_task().get_name()))
        await receive(Down)
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: seen.append(asyncio.current_task()))
        child = loop.create_task(in_a_task())
        await asyncio.sleep(0)
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(in_a_task())
        assert await child is child
        assert asyncio.current_task() is me
        return seen == [repr(other), None]

    async def in_a_task():
        await asyncio.sleep(0)
        return asyncio.current_task()

    assert run(main)


def test_a_kill_leaves_the_current_task_what_it_was(task_of_the_thread):
    """The clean-up has none; who kills, a process or an asyncio task, is the current one afterwards."""
    seen = []

    async def wait():
        try:
            await receive()
        finally:
            seen.append(asyncio.current_task())

    async def main():
        me = asyncio.current_task()
        exit(spawn(wait), "kill")
        pid = spawn(wait)
        await sleep(0)
        exit(pid, "kill")
        return asyncio.current_task() is me

    async def embedded():
        async with Runtime() as runtime:
            pid = runtime.spawn(wait)
            await asyncio.sleep(0)
            exit(pid, "kill")
            assert await runtime.run(main)
            runtime.spawn(wait)
            await asyncio.sleep(0)
            me = asyncio.current_task()
            runtime.kill_all()
            return asyncio.current_task() is me is not None

    assert asyncio.run(embedded())
    assert seen == [None] * 3
