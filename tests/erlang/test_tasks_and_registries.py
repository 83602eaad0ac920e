"""The cases e18 to e20: the ends of tasks, streams of them, and registries."""

from __future__ import annotations

import pytest

from erlang.t import idle
from midflight import (
    Agent,
    AlreadyStarted,
    ProcessExit,
    RegistrationError,
    Registry,
    Task,
    TaskTimeout,
    exit,
    is_alive,
    receive,
    self_,
    sleep,
    spawn_monitor,
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


@same
def test_e18_task_shutdown(t, expected):
    """None for a task that was ended by it."""

    async def deaf():
        trap_exit(True)
        while True:
            await receive()

    def shown(outcome):
        t.o("none" if outcome is None else outcome)

    async def main():
        trap_exit(True)
        done = Task.start(lambda: 7)
        await t.s()
        shown(await done.shutdown())
        runs = Task.start(idle)
        shown(await runs.shutdown())
        t.o(is_alive(runs.pid))
        failed = Task.start(boom)
        await t.s()
        shown(await failed.shutdown())
        shown(await Task.start(idle).shutdown("brutal_kill"))
        never = Task.start(deaf)
        await t.s()
        shown(await never.shutdown(0.06))
        ignored = Task.start(idle)
        shown(await ignored.ignore())
        t.o(is_alive(ignored.pid))
        late = Task.start(lambda: 8)
        await t.s()
        shown(await late.ignore())

    t.run(main)

    assert t.printed == expected


@differs("By default 8 at once, in Elixir as many as there are cores; a timeout is TaskTimeout.")
def test_e19_async_stream(t, expected):
    """`async for` over Task.stream."""

    async def outcomes(items, function=slow, **options):
        t.o([outcome async for outcome in Task.stream(items, function, **options)])

    def fails_at_one(number):
        return boom() if number == 1 else number

    async def main():
        trap_exit(True)
        await outcomes([60, 20, 1], max_concurrency=3)
        await outcomes([90, 40, 1], max_concurrency=3, ordered=False)
        await outcomes([900, 1], max_concurrency=2, timeout=0.12, on_timeout="kill_task")
        await outcomes([1, 2], fails_at_one)
        taken = []
        async for outcome in Task.stream([1, 2, 3], lambda number: number * 10, max_concurrency=1):
            taken.append(outcome)
            if len(taken) == 2:
                break
        t.o(taken)
        await outcomes([])
        with pytest.raises(TaskTimeout):
            await outcomes([900], timeout=0.03)
        t.o("timeout")

    t.run(main)

    assert t.printed == expected


@differs("update returns the new value, or raises KeyError; Elixir's returns the old one too.")
def test_e20_registry(t, expected):
    """A key that is taken is a RegistrationError, or AlreadyStarted for a name."""
    rooms = Registry("rooms")

    def refused(value):
        with pytest.raises(RegistrationError):
            rooms.register("lobby", value)
        t.o("error")

    async def other():
        refused(3)
        rooms.register("attic", 4)
        t.o("ready")
        await idle()

    async def main():
        await Registry.start_link("rooms")
        t.o(rooms.lookup("lobby"))
        rooms.register("lobby", 1)
        t.o(rooms.lookup("lobby") == [(self_(), 1)])
        refused(2)
        pid, ref = spawn_monitor(other)
        await t.s()
        t.o(rooms.update("lobby", lambda number: number + 10))
        with pytest.raises(KeyError):
            rooms.update("attic", lambda number: number + 10)
        t.o("error")
        t.o(rooms.count())
        t.o(rooms.keys(pid) == ["attic"])
        t.o(rooms.via("attic").whereis() == pid)
        exit(pid, "kill")
        await receive((ref, ..., ...))
        await t.s()
        t.o((rooms.lookup("attic"), rooms.count()))
        rooms.unregister("lobby")
        t.o(rooms.lookup("lobby"))
        agent = await Agent.start_link(lambda: 7, name=rooms.via("agent"))
        t.o(await Agent.get(rooms.via("agent"), int))
        with pytest.raises(AlreadyStarted) as error:
            await Agent.start_link(lambda: 8, name=rooms.via("agent"))
        t.o(error.value.pid == agent)

    t.run(main)

    assert t.printed == expected.but(("{11,1}", "11"))
