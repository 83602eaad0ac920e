"""When a process goes on that has waited for a future: as closely behind it as a task, and in no other's context."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextvars import ContextVar

from midflight import Down, receive, self_, spawn, spawn_monitor


def test_the_step_follows_the_future_as_closely_as_a_tasks(runtime):
    """What the event loop was given after the future was done runs after the step: anyio's scopes count on that."""
    seen = []

    async def wait(future):
        await future
        seen.append("step")
        await asyncio.sleep(0)
        seen.append("after the others")

    async def run(start):
        future = asyncio.get_running_loop().create_future()
        start(wait, future)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        spawn(lambda: None)  # a turn is asked for already
        future.set_result(None)
        asyncio.get_running_loop().call_soon(seen.append, "callback")
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def main():
        await run(lambda function, future: tasks.append(asyncio.create_task(function(future))))
        as_task, seen[:] = tuple(seen), []
        await run(spawn)
        return as_task == tuple(seen) == ("step", "callback", "after the others")

    tasks = []
    assert runtime.run(main)


def test_a_future_that_calls_back_at_once_does_not_step_amid_a_step(runtime):
    """One that does not use the loop may be made done by a process: the waiting one takes its turn afterwards."""
    seen = []

    class AtOnce(asyncio.Future):
        def add_done_callback(self, function, *, context=None):
            self.function = function

        def set_result(self, result):
            super().set_result(result)
            self.function(self)

    async def wait(future):
        seen.append(await future)

    async def main():
        future = AtOnce()
        pid, _ = spawn_monitor(wait, future)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        future.set_result("done")
        seen.append("still here")
        assert asyncio.current_task().get_name() == repr(self_())
        await receive(Down(..., pid, "normal"))
        return seen

    assert runtime.run(main) == ["still here", "done"]


def test_a_timeout_set_in_such_a_step_rings(runtime, clock):
    """A receive with a timeout after a future: the event loop is told of the new deadline."""

    async def wait(future, top):
        await future
        top << await receive(timeout=5, default="timed out")

    async def main():
        future = asyncio.get_running_loop().create_future()
        spawn(wait, future, self_())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        future.set_result(None)
        asyncio.get_running_loop().call_soon(lambda: asyncio.get_running_loop().call_soon(clock.advance, 6))
        return await receive()

    assert runtime.run(main) == "timed out"


def test_no_turn_keeps_the_context_of_a_process(runtime):
    """A value that a process has put out of its context is freed: turns are taken in a context of their own."""
    variable = ContextVar("variable")

    class Value:
        pass

    async def main():
        value = Value()
        ref = weakref.ref(value)
        variable.set(value)
        await asyncio.to_thread(lambda: None)
        await asyncio.sleep(0)
        variable.set(None)
        del value
        gc.collect()
        return ref() is None

    assert runtime.run(main)
