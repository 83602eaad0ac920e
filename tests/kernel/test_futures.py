"""How a process waits for futures and is cancelled: what asyncio and anyio see of it at each moment."""

from __future__ import annotations

import asyncio
import gc
import logging
import types
import weakref

import anyio
import pytest

from midflight import Down, exit, receive, self_, spawn, spawn_monitor
from midflight.kernel import ManualClock, current_scheduler
from midflight.testing import TestLoop


async def wait_for_message():
    return await receive()


def task_of(pid):
    """Return the process as the task that asyncio's users see."""
    return current_scheduler().processes[pid.number]


@pytest.mark.parametrize("by_anyio", [False, True])
def test_an_event_that_is_set_before_a_cancel_is_seen(runtime, by_anyio):
    """A future that is done stays the one that is waited for until the step, so anyio does not cancel the host."""

    async def main():
        event = anyio.Event() if by_anyio else asyncio.Event()
        seen = []
        with anyio.CancelScope() as scope:
            loop = asyncio.get_running_loop()
            loop.call_soon(lambda: (event.set(), scope.cancel()))
            await event.wait()
            seen.append("event")
        return seen

    assert runtime.run(main) == ["event"]


def test_the_future_is_shown_until_the_step(runtime):
    """`_fut_waiter`, which anyio reads, is the future while it is pending and while it is done; then None."""

    async def wait(future):
        return await future

    async def main():
        future = asyncio.get_running_loop().create_future()
        pid, _ = spawn_monitor(wait, future)
        task = task_of(pid)
        seen = [task._fut_waiter]
        await asyncio.sleep(0)
        seen.append(task._fut_waiter)
        future.set_result(None)
        seen.append(task._fut_waiter)
        await receive(Down)
        return seen == [None, future, future], task._fut_waiter

    assert runtime.run(main) == (True, None)


def test_a_process_that_waits_for_a_message_waits(runtime):
    """Its `_fut_waiter` is not done: so anyio.wait_all_tasks_blocked, which looks through all tasks, returns."""

    async def main():
        pid = spawn(wait_for_message)
        await anyio.wait_all_tasks_blocked()
        waiter = task_of(pid)._fut_waiter
        return waiter.done(), waiter.cancelled(), waiter.cancel()

    assert runtime.run(main) == (False, False, True)


def test_a_future_of_another_loop_is_refused(runtime):
    """Nobody would wake the process: asyncio's RuntimeError at once."""
    other = TestLoop(ManualClock())

    async def main():
        with pytest.raises(RuntimeError, match="attached to a different loop"):
            await other.create_future()

    try:
        runtime.run(main)
    finally:
        other.close()


def test_a_process_does_not_wait_for_itself(runtime):
    """asyncio's RuntimeError."""

    async def main():
        with pytest.raises(RuntimeError, match="Task cannot await on itself"):
            await asyncio.current_task()

    runtime.run(main)


def generator():
    yield


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: 7, "Task got bad yield: 7"),
        (lambda: generator(), "yield was used instead of yield from for generator in task"),
        (lambda: asyncio.get_running_loop().create_future(), "yield was used instead of yield from in task"),
    ],
)
def test_what_cannot_be_waited_for_is_said(runtime, made, words):
    """A yielded thing that is no future, a generator, a future without `yield from`: asyncio's RuntimeErrors."""

    @types.coroutine
    def wait():
        yield made()

    async def main():
        with pytest.raises(RuntimeError, match=words):
            await wait()

    runtime.run(main)


def test_a_bare_yield_is_given_the_exception_of_its_future(runtime):
    """As a task's step does: the exception is thrown at the yield, not left for the coroutine to ask for."""

    @types.coroutine
    def wait(future):
        future._asyncio_future_blocking = True
        yield future

    async def main():
        future = asyncio.get_running_loop().create_future()
        future.set_exception(KeyError("given"))
        with pytest.raises(KeyError):
            await wait(future)

    runtime.run(main)


# --- Cancelling -----------------------------------------------------------------------------------------


def test_a_cancel_asks_the_future_first(runtime):
    """A child task that swallows the cancellation and returns is heard, as by a task that awaits it."""

    async def stubborn():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as error:
            return error.args

    async def main():
        me = asyncio.current_task()
        child = asyncio.create_task(stubborn())
        asyncio.get_running_loop().call_soon(lambda: asyncio.get_running_loop().call_soon(me.cancel, "enough"))
        heard = await child
        return heard, me.cancelling(), me.uncancel()

    assert runtime.run(main) == (("enough",), 1, 0)


def test_a_cancel_of_a_running_process_is_the_next_futures(runtime):
    """Asked for while it runs, the cancellation goes to what it next awaits, with its message."""

    async def main():
        me = asyncio.current_task()
        me.cancel("later")
        future = asyncio.get_running_loop().create_future()
        try:
            await future
        except asyncio.CancelledError as error:
            return error.args, future.cancelled(), me._must_cancel

    assert runtime.run(main) == (("later",), True, False)


def test_a_cancel_that_comes_too_late_ends_the_process_cancelled(runtime):
    """A process that returns with a cancellation pending is cancelled, as a task is."""

    async def main():
        async def late():
            asyncio.current_task().cancel()
            return 5

        pid = spawn(late)
        task = task_of(pid)
        await asyncio.wait({task})
        return task.cancelled()

    assert runtime.run(main)


def test_an_uncancel_takes_back_what_was_not_thrown(runtime):
    """A done future, a cancel, an uncancel: the process gets the result."""

    async def wait(future):
        return await future

    async def main():
        future = asyncio.get_running_loop().create_future()
        task = task_of(spawn(wait, future))
        await asyncio.sleep(0)
        future.set_result(42)
        task.cancel()
        pending = task._must_cancel
        task.uncancel()
        return pending, task._must_cancel, await task

    assert runtime.run(main) == (True, False, 42)


def test_a_message_that_was_handed_survives_a_cancel(runtime):
    """The message goes back to the mailbox; the CancelledError is not kept as the last message."""

    async def take(top):
        try:
            await receive()
        except asyncio.CancelledError:
            top << ("after", await receive())

    async def main():
        pid = spawn(take, self_())
        await asyncio.sleep(0)
        task = task_of(pid)
        pid << "message"
        task.cancel()
        return await receive(), isinstance(task.last_message, BaseException)

    assert runtime.run(main) == (("after", "message"), False)


@pytest.mark.parametrize("kind", ["message", "future"])
def test_the_last_cancellation_is_not_kept(runtime, kind):
    """What was thrown into a process and handled there is freed at once: no attribute and no cycle keeps it."""
    refs = []

    async def main():
        waits = receive() if kind == "message" else asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)
        try:
            await waits
        except asyncio.CancelledError as error:
            error.mark = mark = Mark()
            refs.append(weakref.ref(mark))
        del mark
        await asyncio.sleep(0)
        return refs[0]() is None

    class Mark:
        pass

    gc.disable()
    try:
        assert runtime.run(main)
    finally:
        gc.enable()


@pytest.mark.parametrize("waits_for", ["nothing", "a message", "a future", "a failing future"])
def test_a_crash_leaves_no_cycle(runtime, waits_for):
    """A process that has raised, and what it raised, are freed when nobody holds them."""

    async def crash(future):
        if waits_for == "a message":
            await receive()
        elif waits_for != "nothing":
            await future
        raise ValueError

    async def main():
        future = asyncio.get_running_loop().create_future()
        pid, _ = spawn_monitor(crash, future)
        ref = weakref.ref(task_of(pid))
        await asyncio.sleep(0)
        pid << "go"
        if waits_for == "a future":
            future.set_result(None)
        elif waits_for == "a failing future":
            future.set_exception(KeyError())
        await receive(Down)
        return ref

    runtime.scheduler.on_crash[:] = [lambda report: None]
    gc.disable()
    try:
        assert runtime.run(main)() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("reason", ["kill", "shutdown"])
def test_an_exit_in_gather_is_not_logged_by_asyncio(runtime, caplog, reason):
    """The exception of the gathered futures counts as seen: nobody is told that it was never retrieved."""

    async def fail():
        try:
            await asyncio.sleep(60)
        finally:
            raise KeyError("of a child")

    async def host():
        await asyncio.gather(fail(), asyncio.sleep(60), return_exceptions=True)

    async def fails_at_once():
        await asyncio.gather(fail(), asyncio.sleep(60))

    async def main():
        pids = [spawn_monitor(host)[0], spawn_monitor(fails_at_once)[0]]
        await asyncio.sleep(0)
        for pid in pids:
            exit(pid, reason)
        for _ in pids:
            await receive(Down)
        for _ in range(5):
            await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR):
        runtime.run(main)
        gc.collect()
    assert [record.getMessage() for record in caplog.records if "retrieved" in record.getMessage()] == []
