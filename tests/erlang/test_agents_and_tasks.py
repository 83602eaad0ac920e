"""The cases e01 to e07: Elixir's Agent, Task and Task.Supervisor."""

from __future__ import annotations

import pytest

from erlang.t import idle
from midflight import (
    Agent,
    AlreadyStarted,
    CallError,
    CallTimeout,
    ChildError,
    Exit,
    InitFailed,
    ProcessExit,
    Supervisor,
    Task,
    TaskError,
    TaskSupervisor,
    TaskTimeout,
    exit,
    is_alive,
    self_,
    sleep,
    stop,
    trap_exit,
)

same, differs = pytest.mark.same, pytest.mark.differs


async def slow(number):
    """Return the number, after so many thousandths of a second."""
    await sleep(number / 1000)
    return number


def boom():
    """End with the reason "boom"."""
    raise ProcessExit("boom")


@differs("update returns None, where Elixir has the atom ok.")
def test_e01_agent(t, expected):
    """Functions of the agent, called on the class."""

    async def main():
        a = await Agent.start_link(lambda: [1])
        t.o(await Agent.get(a, len))
        t.o(await Agent.update(a, lambda numbers: [2, *numbers]))
        t.o(await Agent.get_and_update(a, lambda numbers: (numbers[0], [3, *numbers])))
        Agent.cast(a, lambda numbers: [4, *numbers])
        t.o(await Agent.get(a, list))
        t.o(await Agent.get(a, list.__getitem__, 0))
        t.o(await Agent.get(a, lambda _: self_()) == a)
        await Agent.start_link(lambda: 7, name="seven")
        t.o(await Agent.get("seven", int))
        with pytest.raises(AlreadyStarted):
            await Agent.start_link(lambda: 8, name="seven")
        t.o("error")
        await stop(a)
        t.o(is_alive(a))

    t.run(main)

    assert t.printed == expected.but(("ok", "undefined"))


@differs("The errors are exceptions; the caller that does not catch them ends, as in Elixir.")
def test_e02_agent_that_fails(t, expected):
    """A CallError has the agent's own error as its reason."""

    async def caught(request):
        with pytest.raises(CallError) as error:
            await request
        reason = error.value.reason
        t.o(
            "timeout"
            if type(error.value) is CallTimeout
            else (type(reason).__name__,)
            if reason != "noproc"
            else reason
        )

    async def main():
        a = await Agent.start(lambda: 0)
        await caught(Agent.get(a, lambda number: 1 / number))
        t.o(is_alive(a))
        await caught(Agent.get(a, int))
        b = await Agent.start(lambda: 0)
        await caught(Agent.get_and_update(b, lambda _: "nonsense"))
        c = await Agent.start(lambda: 0)
        Agent.cast(c, lambda number: 1 / number)
        await t.s()
        t.o(is_alive(c))
        d = await Agent.start(lambda: 0)
        await caught(Agent.get(d, lambda _: sleep(0.5), timeout=0.02))
        with pytest.raises(InitFailed) as error:
            await Agent.start(boom)
        t.o(("error", error.value.reason))

    t.run(main)

    assert t.printed == expected.but(("badarith", "{'ZeroDivisionError'}"), ("{bad_return,nonsense}", "{'TypeError'}"))


@differs("A timeout is TaskTimeout, and what is no exception a TaskError with the reason.")
def test_e03_await_many(t, expected):
    """The values in order; the first failure at once."""

    async def failure(*tasks, timeout=5.0):
        with pytest.raises(TaskError) as error:
            await Task.await_many(tasks, timeout)
        t.o("timeout" if type(error.value) is TaskTimeout else error.value.reason)

    async def main():
        trap_exit(True)
        t.o(await Task.await_many([Task.start(slow, number) for number in (60, 20, 0)]))
        t.o(await Task.await_many([]))
        await failure(Task.start(slow, 0), Task.start(slow, 900), timeout=0.06)
        before = t.clock.now()
        await failure(Task.start(slow, 900), Task.start(boom))
        t.o(t.clock.now() - before < 0.5)

    t.run(main)

    assert t.printed == expected


@same
def test_e04_yield_many(t, expected):
    """A pair for each task; its outcome is None if it runs still."""

    async def main():
        trap_exit(True)
        tasks = [Task.start(slow, 300), Task.start(slow, 20), Task.start(boom)]
        found = await Task.yield_many(tasks, 0.08)
        t.o([outcome or "none" for _, outcome in found])
        t.o([task for task, _ in found] == tasks)
        t.o(is_alive(tasks[0].pid))
        ((_, outcome),) = await Task.yield_many(tasks[:1])
        t.o(outcome)
        t.o(await Task.yield_many([]))

    t.run(main)

    assert t.printed == expected


@same
def test_e06_task_supervisor(t, expected):
    """Tasks that are children: listed, limited, stopped."""

    async def refused(request):
        with pytest.raises(ChildError) as error:
            await request
        t.o(("error", error.value.reason))

    async def main():
        trap_exit(True)
        s = await TaskSupervisor.start_link(max_children=2)
        t.o(await (await TaskSupervisor.start(s, lambda: 1 + 1)).result())
        await t.s()
        t.o(await TaskSupervisor.children(s))
        t.o(await (await TaskSupervisor.start_nolink(s, boom)).yield_())
        t.o(await t.recv(0.02))
        linked = await TaskSupervisor.start(s, boom)
        t.o(await linked.yield_())
        t.o(await t.recv(0.02) == Exit(linked.pid, "boom"))
        one = await TaskSupervisor.start_child(s, idle)
        two = await TaskSupervisor.start_child(s, idle)
        t.o(await TaskSupervisor.children(s) == [one, two])
        await refused(TaskSupervisor.start_child(s, idle))
        await TaskSupervisor.terminate_child(s, one)
        t.o("ok")
        await refused(TaskSupervisor.terminate_child(s, one))
        t.o((is_alive(one), is_alive(two)))
        exit(s, "shutdown")
        await t.s()
        t.o(is_alive(two))

    t.run(main)

    assert t.printed == expected


@same
def test_e07_task_supervisor_restarts(t, expected):
    """Temporary unless `restart` says otherwise."""

    async def main():
        s = await TaskSupervisor.start_link()
        for restart in ("temporary", "transient", "permanent"):
            for reason in ("normal", "boom"):
                pid = await TaskSupervisor.start_child(s, idle, restart=restart)
                pid << ("die", reason)
                await t.s()
                now = await TaskSupervisor.children(s)
                t.o((restart, reason, len(now), pid in now))
                for other in now:
                    await TaskSupervisor.terminate_child(s, other)
        pid = await TaskSupervisor.start_child(s, idle)
        ((_, _, kind),) = await Supervisor.which_children(s)
        pid << ("die", "boom")
        await t.s()
        t.o((kind, await TaskSupervisor.children(s)))

    t.run(main)

    assert t.printed == expected
