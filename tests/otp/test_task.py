"""Tasks: a value computed by a process of its own, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.servers import advance_later, deaf, settle, wait_for_ever
from midflight import (
    NotInProcess,
    ProcessExit,
    Task,
    TaskError,
    TaskTimeout,
    exit,
    is_alive,
    process_info,
    processes,
    receive,
    self_,
    sleep,
    spawn,
    spawn_monitor,
    trap_exit,
)


async def double(number):
    await sleep(0)
    return number * 2


async def fail(error):
    raise error


async def wait_and_say():
    return await receive()


@pytest.mark.parametrize("function", [double, lambda number: number * 2, lambda number: double(number)])
def test_a_task_has_a_result(runtime, function):
    """Of an async function, a plain one, and one that returns a coroutine."""

    async def main():
        return await Task.start(function, 21).result()

    assert runtime.run(main) == 42


def test_tasks_run_at_the_same_time(runtime):
    """All are started before one is asked."""

    async def main():
        tasks = [Task.start(wait_and_say) for _ in range(3)]
        for number, task in enumerate(tasks):
            task.pid << number
        return [await task.result() for task in reversed(tasks)]

    assert runtime.run(main) == [2, 1, 0]


def test_a_result_can_be_asked_for_again(runtime):
    """Elixir's can not."""

    async def main():
        task = Task.start(double, 4)
        return await task.result(), await task.result(0), await task.yield_(0)

    assert runtime.run(main) == (8, 8, ("ok", 8))


def test_a_task_leaves_nothing_behind(runtime):
    """No process, no message, no monitor."""

    async def main():
        before = processes()
        await Task.start(double, 4).result()
        info = process_info(self_())
        return processes() == before, info["messages"], info["monitors"], info["links"]

    assert runtime.run(main) == (True, [], [], [])


def test_a_task_that_fails_ends_its_owner(runtime):
    """By the link, with the same reason; a crash report names the function."""
    error = ValueError("bad input")

    async def owner():
        Task.start(fail, error)
        await receive("never")

    async def main():
        _, ref = spawn_monitor(owner)
        return (await receive((ref, ..., ...))).reason

    assert runtime.run(main) is error
    assert [report.initial_call.rpartition(".")[2] for report in runtime.crashes] == ["fail"]


def test_an_owner_that_traps_exits_gets_the_error(runtime):
    """result raises what the task raised."""
    error = ValueError("bad input")

    async def main():
        trap_exit(True)
        with pytest.raises(ValueError, match="bad input") as caught:
            await Task.start(fail, error).result()
        return caught.value is error

    assert runtime.run(main)


@pytest.mark.parametrize("reason", ["normal", "shutdown", ("any", "thing")])
def test_a_task_that_exits_has_no_result(runtime, reason):
    """For a reason that is no exception: a TaskError with it."""

    async def main():
        with pytest.raises(TaskError, match="has no result") as caught:
            await Task.start_nolink(fail, ProcessExit(reason)).result()
        return caught.value.reason

    assert runtime.run(main) == reason


def test_a_task_without_link_fails_alone(runtime):
    """Its owner hears of it when it asks."""

    async def main():
        task = Task.start_nolink(fail, ValueError("alone"))
        await settle()
        return await task.yield_()

    status, reason = runtime.run(main)
    assert status == "exit"
    assert isinstance(reason, ValueError)


def test_a_result_times_out(runtime, clock):
    """A TimeoutError; the task runs on, linked, and what it comes to is dropped."""

    async def main():
        task = Task.start(wait_and_say)
        advance_later(clock, 5)
        with pytest.raises(TaskTimeout) as caught:
            await task.result()
        alive = is_alive(task.pid)
        task.pid << "late"
        await settle()
        return caught.value, alive, is_alive(task.pid), process_info(self_())["messages"]

    error, *rest = runtime.run(main)
    assert isinstance(error, TimeoutError)
    assert error.seconds == 5
    assert rest == [True, False, []]


def test_yield_asks_again_and_again(runtime, clock):
    """None while it runs; then the outcome."""

    async def main():
        task = Task.start(wait_and_say)
        advance_later(clock, 2)
        first = await task.yield_(2)
        second = await task.yield_(0)
        task.pid << "done"
        return first, second, await task.yield_(None)

    assert runtime.run(main) == (None, None, ("ok", "done"))


def test_a_result_may_come_as_a_message(runtime):
    """To an owner that does not ask, as in Elixir: a server takes it in handle_info."""

    async def main():
        task = Task.start(double, 4)
        message = await receive()
        return message == (task.ref, 8)

    assert runtime.run(main)


def test_only_the_owner_may_ask(runtime):
    """The result comes to nobody else."""

    async def ask(task, top):
        try:
            await task.result()
        except TaskError as error:
            top << str(error)

    async def main():
        task = Task.start(double, 4)
        spawn(ask, task, self_())
        return await receive(str), await task.result()

    text, result = runtime.run(main)
    assert "only its owner" in text
    assert result == 8


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_a_bad_timeout_is_refused(runtime, timeout):
    """The task can be asked again."""

    async def main():
        task = Task.start(double, 4)
        with pytest.raises(ValueError, match="timeout must be"):
            await task.result(timeout)
        return await task.result()

    assert runtime.run(main) == 8


def test_a_task_needs_a_function_and_an_owner(runtime):
    """Nothing is started otherwise."""

    async def main():
        before = processes()
        with pytest.raises(TypeError, match="not 'double'"):
            Task.start("double")
        return processes() == before

    assert runtime.run(main)
    with pytest.raises(NotInProcess):
        Task.start(double, 4)


def test_an_owner_that_ends_takes_its_tasks_along(runtime):
    """By the link; one that has none runs on."""

    async def owner(top):
        top << (Task.start(wait_for_ever).pid, Task.start_nolink(wait_for_ever).pid)
        await receive()
        raise ProcessExit("owner gone")

    async def main():
        pid = spawn(owner, self_())
        linked, other = await receive()
        pid << "end"
        await settle()
        return is_alive(linked), is_alive(other)

    assert runtime.run(main) == (False, True)


def test_shutdown_ends_a_task(runtime):
    """None; the owner, unlinked, lives."""

    async def main():
        task = Task.start(wait_for_ever)
        await settle()
        return await task.shutdown(), is_alive(task.pid)

    assert runtime.run(main) == (None, False)


def test_shutdown_returns_a_reason_whose_equality_is_no_bool(runtime):
    """An array of NumPy's, say."""

    class Array:
        def __eq__(self, other: object) -> Any:
            return self

        def __bool__(self) -> bool:
            raise ValueError("the truth of an array is ambiguous")

        __hash__ = None

    reason = Array()

    async def fails():
        raise ProcessExit(reason)

    async def main():
        trap_exit(True)
        task = Task.start(fails)
        await settle()
        return (await task.shutdown())[1] is reason

    assert runtime.run(main)


def test_shutdown_kills_a_deaf_task(runtime, clock):
    """After its time; the outcome says so."""

    async def main():
        task = Task.start(deaf)
        await settle()
        advance_later(clock, 3)
        return await task.shutdown(3), is_alive(task.pid)

    assert runtime.run(main) == (("exit", "killed"), False)


def test_a_brutal_shutdown(runtime):
    """None: it was killed as asked."""

    async def main():
        task = Task.start(deaf)
        await settle()
        return await task.shutdown("brutal_kill"), is_alive(task.pid)

    assert runtime.run(main) == (None, False)


@pytest.mark.parametrize("shutdown", [5, "brutal_kill"])
def test_shutdown_of_a_task_that_is_done(runtime, shutdown):
    """It gives the value, also if nobody has asked yet."""

    async def main():
        task = Task.start(double, 4)
        await settle()
        failed = Task.start_nolink(fail, ProcessExit("before"))
        await settle()
        return await task.shutdown(shutdown), await failed.shutdown(shutdown)

    assert runtime.run(main) == (("ok", 8), ("exit", "before"))


def test_ignore_lets_a_task_run_on(runtime):
    """Alone: neither its value nor its failure comes back."""

    async def main():
        running, failing, done = Task.start(wait_and_say), Task.start(wait_and_say), Task.start(double, 4)
        await settle()
        outcomes = [await task.ignore() for task in (running, failing, done)]
        running.pid << "value"
        exit(failing.pid, "boom")
        await settle()
        return outcomes, is_alive(running.pid), process_info(self_())["messages"]

    assert runtime.run(main) == ([None, None, ("ok", 8)], False, [])


def test_a_task_shows_its_processes(runtime):
    """repr names the task's and the owner's; process_info the function."""

    async def main():
        task = Task.start(wait_and_say)
        shown, initial = repr(task), process_info(task.pid)["initial_call"]
        await task.shutdown()
        return shown == f"<Task {task.pid!r} of {self_()!r}>", initial.endswith("test_task.wait_and_say")

    assert runtime.run(main) == (True, True)
