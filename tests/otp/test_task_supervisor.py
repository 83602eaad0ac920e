"""Tasks under a supervisor, and several tasks waited for at once."""

from __future__ import annotations

import pytest

from helpers.servers import settle
from midflight import (
    CallError,
    ChildError,
    ChildSpec,
    Supervisor,
    Task,
    TaskError,
    TaskSupervisor,
    TaskTimeout,
    exit,
    is_alive,
    process_info,
    receive,
    self_,
    sleep,
    spawn_monitor,
    whereis,
)


async def double(number):
    await sleep(0)
    return number * 2


async def fail(error):
    raise error


def test_a_task_of_a_supervisor_has_a_result(runtime):
    """And leaves nothing behind in its owner."""

    async def main():
        await Supervisor.start_link([ChildSpec("tasks", TaskSupervisor, name="tasks", type="supervisor")])
        task = await TaskSupervisor.start("tasks", double, 21)
        found = await task.result()
        await settle()
        info = process_info(self_())
        return found, info["messages"], info["monitors"], whereis("tasks") in info["links"]

    assert runtime.run(main) == (42, [], [], False)


def test_a_linked_task_ends_its_owner(runtime):
    """And not its supervisor."""
    error = ValueError("bad input")

    async def owner(tasks):
        await TaskSupervisor.start(tasks, fail, error)
        await receive("never")

    async def main():
        tasks = await TaskSupervisor.start_link()
        _, ref = spawn_monitor(owner, tasks)
        return (await receive((ref, ..., ...))).reason is error, is_alive(tasks)

    assert runtime.run(main) == (True, True)


def test_a_task_without_link_is_only_told_of(runtime):
    """As Task.start_nolink."""

    async def main():
        tasks = await TaskSupervisor.start_link()
        task = await TaskSupervisor.start_nolink(tasks, fail, ValueError("bad input"))
        with pytest.raises(ValueError, match="bad input"):
            await task.result()
        return await TaskSupervisor.children(tasks)

    assert runtime.run(main) == []


def test_a_task_ends_with_its_supervisor(runtime):
    """Its owner is told."""

    async def main():
        tasks = await TaskSupervisor.start_link()
        task = await TaskSupervisor.start_nolink(tasks, sleep, 60)
        await Supervisor.terminate_child(tasks, task.pid)
        with pytest.raises(TaskError) as caught:
            await task.result()
        return caught.value.reason

    assert runtime.run(main) == "shutdown"


def test_the_tasks_are_shown_by_their_functions(runtime):
    """The initial call of the process, and the id of its spec."""

    async def main():
        tasks = await TaskSupervisor.start_link()
        task = await TaskSupervisor.start(tasks, sleep, 60)
        spec = await Supervisor.get_childspec(tasks, task.pid)
        initial = process_info(task.pid)["initial_call"]
        await task.shutdown()
        return spec.id, initial

    assert runtime.run(main) == ("midflight.kernel.messages.sleep", "midflight.kernel.messages.sleep")


def test_too_many_tasks_are_refused(runtime):
    """With ChildError, and nothing runs."""

    async def main():
        tasks = await TaskSupervisor.start_link(max_children=1)
        pid = await TaskSupervisor.start_child(tasks, sleep, 60)
        with pytest.raises(ChildError, match="max_children"):
            await TaskSupervisor.start(tasks, double, 1)
        return await TaskSupervisor.children(tasks) == [pid]

    assert runtime.run(main)


def test_without_the_supervisor_no_task(runtime):
    """The call to it fails."""

    async def main():
        with pytest.raises(CallError):
            await TaskSupervisor.start("tasks", double, 1)
        tasks = await TaskSupervisor.start_link()
        with pytest.raises(TypeError, match="a task needs a function"):
            await TaskSupervisor.start(tasks, 5)

    runtime.run(main)


def test_the_first_failure_ends_await_many(runtime):
    """Though an earlier task runs still."""

    async def main():
        tasks = [Task.start_nolink(sleep, 60), Task.start_nolink(fail, ValueError("bad input"))]
        with pytest.raises(ValueError, match="bad input"):
            await Task.await_many(tasks, timeout=None)
        exit(tasks[0].pid, "kill")

    runtime.run(main)


def test_await_many_has_one_time_for_all(runtime, clock):
    """TaskTimeout names the first that is late; the others can be asked again."""

    async def main():
        early, late = Task.start(double, 4), Task.start(sleep, 60)
        await settle()
        with pytest.raises(TaskTimeout) as caught:
            await Task.await_many([late, early], timeout=0)
        return caught.value.pid == late.pid, await early.result(0)

    assert runtime.run(main) == (True, 8)


def test_one_task_twice(runtime):
    """Has its value at both places."""

    async def main():
        task = Task.start(double, 4)
        return await Task.await_many([task, task]), await Task.yield_many([task])

    values, ((_, outcome),) = runtime.run(main)
    assert (values, outcome) == ([8, 8], ("ok", 8))


def test_only_the_owner_may_wait_for_many(runtime):
    """As for one."""

    async def stranger(tasks):
        await Task.yield_many(tasks)

    async def main():
        _, ref = spawn_monitor(stranger, [Task.start(sleep, 60)])
        return (await receive((ref, ..., ...))).reason

    assert isinstance(runtime.run(main), TaskError)
