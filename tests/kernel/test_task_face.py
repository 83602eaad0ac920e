"""The members of a Task that a process has, and its place among asyncio's tasks."""

from __future__ import annotations

import asyncio
import inspect
import io
from asyncio import all_tasks  # before any runtime, as libraries do
from contextvars import ContextVar

import anyio
import pytest

from midflight import Down, ProcessExit, Runtime, exit, receive, self_, spawn, spawn_monitor
from midflight.all_tasks import tasks_alone
from midflight.kernel import Process, current_scheduler


async def wait_for_message():
    return await receive()


def task_of(pid):
    """Return the process as the task that asyncio's users see."""
    return current_scheduler().processes[pid.number]


def test_every_public_member_of_a_task_is_there():
    """Each name of asyncio.Task, its constructor apart; and the members take the arguments that a Task's take."""
    assert {name for name in dir(asyncio.Task) if not name.startswith("_")} <= set(dir(Process))
    assert all(hasattr(Process, name) for name in ("__await__", "__iter__", "__hash__", "__weakref__"))


def test_isinstance_finds_a_task(runtime):
    """Libraries ask whether something is a Task or a Future; `type` still tells the truth."""

    async def main():
        me = asyncio.current_task()
        return (
            isinstance(me, asyncio.Task),
            isinstance(me, asyncio.Future),
            isinstance(me, Process),
            type(me) is Process,
        )

    assert runtime.run(main) == (True, True, True, True)


def test_the_result_and_the_exception(runtime):
    """Before the end InvalidStateError; then the value, the exception, or CancelledError for an exit signal."""

    async def fail():
        raise KeyError("crash")

    async def ended(function, reason=None):
        pid = spawn(function)
        task = task_of(pid)
        for look in (task.result, task.exception):
            with pytest.raises(asyncio.InvalidStateError):
                look()
        await asyncio.sleep(0)
        if reason is not None:
            exit(pid, reason)
        await asyncio.wait({task})
        return task

    async def main():
        async def give():
            return 7

        given = await ended(give)
        assert (given.result(), given.exception(), given.cancelled(), given.done()) == (7, None, False, True)
        crashed = await ended(fail)
        assert isinstance(crashed.exception(), KeyError)
        assert not crashed.cancelled()
        for reason in ("shutdown", "kill"):
            gone = await ended(wait_for_message, reason)
            assert gone.cancelled()
            for look in (gone.result, gone.exception):
                with pytest.raises(ProcessExit, match=r"shutdown|killed"):
                    look()
            assert not gone.cancel()

    runtime.scheduler.on_crash[:] = [lambda report: None]
    runtime.run(main)


def test_only_the_function_itself_sets_the_result(runtime):
    """As for a Task: set_result and set_exception are RuntimeErrors."""

    async def main():
        me = asyncio.current_task()
        for call in (me.set_result, me.set_exception):
            with pytest.raises(RuntimeError, match="does not support"):
                call(None)

    runtime.run(main)


def test_done_callbacks_are_called_after_the_end(runtime):
    """With the process, in the order they were added, each in its context; those taken back are not called."""
    variable = ContextVar("variable", default="outside")
    seen = []

    def first(task):
        seen.append((task.done(), variable.get()))

    def never(task):
        seen.append("never")

    async def main():
        pid = spawn(wait_for_message)
        task = task_of(pid)
        variable.set("caller's")
        task.add_done_callback(first)
        task.add_done_callback(never)
        task.add_done_callback(never)
        own = asyncio.current_task().get_context().copy()
        own.run(variable.set, "given")
        task.add_done_callback(first, context=own)
        assert task.remove_done_callback(never) == 2
        assert task.remove_done_callback(never) == 0
        pid << "go"
        await asyncio.wait({task})
        await asyncio.sleep(0)
        before = len(seen)
        task.add_done_callback(first)
        assert len(seen) == before  # the loop calls it, not we
        await asyncio.sleep(0)

    runtime.run(main)
    assert seen == [(True, "caller's"), (True, "given"), (True, "caller's")]


def test_a_name_can_be_set(runtime):
    """get_name gives it back as text; the registered name and the pid stay as they were."""

    async def main():
        me = asyncio.current_task()
        before = me.get_name()
        me.set_name(17)
        return before == repr(self_()), me.get_name(), repr(self_()) == before

    assert runtime.run(main) == (True, "17", True)


def test_the_stack_is_where_it_waits_or_what_it_raised(runtime):
    """get_stack and print_stack: the coroutine's frame; after a crash the traceback; after a normal end none."""

    async def crash():
        await receive()
        raise KeyError("crash")

    def printed(task):
        file = io.StringIO()
        task.print_stack(file=file)
        return file.getvalue()

    async def main():
        assert [frame.f_code.co_name for frame in asyncio.current_task().get_stack(limit=1)] == ["main"]
        pid = spawn(crash)
        task = task_of(pid)
        assert printed(task).startswith("No stack for")
        await asyncio.sleep(0)
        assert [frame.f_code.co_name for frame in task.get_stack()] == ["crash"]
        assert "Stack for" in printed(task)
        assert "await receive()" in printed(task)
        pid << "go"
        await asyncio.wait({task})
        assert [frame.f_code.co_name for frame in task.get_stack()] == ["crash"]
        assert printed(task).startswith("Traceback for")
        assert "KeyError" in printed(task)

    runtime.scheduler.on_crash[:] = [lambda report: None]
    runtime.run(main)


def test_a_process_that_has_not_begun_shows_a_coroutine_that_has_not_begun(runtime):
    """anyio looks at the coroutine of every task: of one that has none yet it must not fail."""

    async def main():
        pid = spawn(wait_for_message)
        state = inspect.getcoroutinestate(task_of(pid).get_coro())
        names = {info.name for info in anyio.get_running_tasks()}
        exit(pid, "kill")
        return state, repr(pid) in names, repr(self_()) in names

    assert runtime.run(main) == (inspect.CORO_CREATED, True, True)


# --- Among the tasks ------------------------------------------------------------------------------------


def test_all_tasks_has_the_processes(runtime):
    """Those that live, begun or not, and the tasks; each once. asyncio's own set is as before after the runtime."""

    async def main():
        gone, _ = spawn_monitor(lambda: None)
        gone_task = task_of(gone)
        await receive(Down)
        pid = spawn(wait_for_message)
        child = asyncio.create_task(asyncio.sleep(60))
        found = all_tasks()
        assert {asyncio.current_task(), task_of(pid), child} <= found
        assert gone_task not in found
        child.cancel()

    runtime.run(main)


def test_the_tasks_alone_are_found_without_a_look_at_any_process(runtime, monkeypatch):
    """So it costs the same, however many processes live."""
    looked_at = []
    monkeypatch.setattr(Process, "done", looked_at.append)

    async def main():
        spawn(wait_for_message)
        child = asyncio.create_task(asyncio.sleep(60))
        found = tasks_alone(asyncio.get_running_loop())
        child.cancel()
        return child in found, [task for task in found if isinstance(task, Process)]

    assert runtime.run(main) == (True, [])
    assert looked_at == []


def test_a_stopped_loop_has_no_processes_to_cancel():
    """asyncio.run cancels all tasks at its end: the one that runs the runtime, which ends the processes in order."""
    heard = []

    async def process():
        try:
            await receive()
        except asyncio.CancelledError as error:
            heard.append(error)
            raise

    async def serve():
        async with Runtime() as runtime:
            runtime.spawn(process)
            await asyncio.Event().wait()

    async def main():
        tasks.append(asyncio.create_task(serve()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    tasks = []
    asyncio.run(main())

    assert [(type(error), error.reason) for error in heard] == [(ProcessExit, "shutdown")]
    assert tasks[0].cancelled()


def test_a_child_task_waits_for_its_process(runtime):
    """asyncio.wait, gather, shield, wait_for, as_completed and `await` take a process as they take a task."""

    async def give(value):
        return await receive() + value

    async def wait(tasks):
        done, pending = await asyncio.wait(tasks)
        assert (done, pending) == (set(tasks), set())
        values = await asyncio.gather(*tasks)
        assert [await asyncio.shield(task) for task in tasks] == values
        assert [await asyncio.wait_for(task, 60) for task in tasks] == values
        assert sorted([await each for each in asyncio.as_completed(tasks)]) == values
        return values

    async def main():
        pids = [spawn(give, number) for number in (1, 2)]
        tasks = [task_of(pid) for pid in pids]
        child = asyncio.create_task(wait(tasks))
        awaiting = asyncio.create_task(asyncio.wait_for(tasks[0], 60))
        await asyncio.sleep(0)
        for pid in pids:
            pid << 10
        return await child, await awaiting

    assert runtime.run(main) == ([11, 12], 11)


def test_a_cancelled_wait_for_a_process_cancels_it(runtime):
    """As with a task: who awaits it and is cancelled passes that on; `shield` does not."""

    async def main():
        pids = [spawn(wait_for_message) for _ in range(2)]
        tasks = [task_of(pid) for pid in pids]
        waiting = [asyncio.create_task(asyncio.wait_for(tasks[0], 60)), asyncio.create_task(shield(tasks[1]))]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)
        ended = [task.cancelled() for task in tasks]
        exit(pids[1], "kill")
        return [each.cancelled() for each in waiting], ended

    async def shield(task):
        await asyncio.shield(task)

    runtime.scheduler.on_crash[:] = [lambda report: None]
    assert runtime.run(main) == ([True, True], [True, False])
