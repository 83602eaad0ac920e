"""The cases e09 to e15: Elixir's DynamicSupervisor and PartitionSupervisor."""

from __future__ import annotations

import pytest

from erlang.t import idle
from midflight import (
    IGNORE,
    Agent,
    ChildError,
    ChildSpec,
    DynamicSupervisor,
    Exit,
    NoSuchName,
    PartitionSupervisor,
    Supervisor,
    exit,
    is_alive,
    monitor,
    receive,
    self_,
    stop,
    trap_exit,
)

same, differs = pytest.mark.same, pytest.mark.differs


async def refused(t, request):
    """Print why a request was refused."""
    with pytest.raises(ChildError) as error:
        await request
    t.o(("error", error.value.reason))


async def counts(supervisor):
    """Return how many are active, specs, supervisors and workers."""
    found = await Supervisor.count_children(supervisor)
    return [found[key] for key in sorted(found)]


@same
def test_e09_dynamic_supervisor(t, expected):
    """which_children, start_child and so on are those of Supervisor."""

    async def main():
        s = await DynamicSupervisor.start_link()
        t.o(await Supervisor.which_children(s))
        one = await Supervisor.start_child(s, ChildSpec("x", idle))
        two = await Supervisor.start_child(s, ChildSpec("x", idle, type="supervisor"))
        t.o(len([child for child in await Supervisor.which_children(s) if child.id is None]))
        t.o(await counts(s))
        await Supervisor.terminate_child(s, one)
        t.o("ok")
        await refused(t, Supervisor.terminate_child(s, one))
        await refused(t, Supervisor.terminate_child(s, self_()))
        t.o((is_alive(one), is_alive(two), await counts(s)))
        with pytest.raises(ZeroDivisionError):
            await Supervisor.start_child(s, ChildSpec("y", lambda: 1 / 0))
        t.o("error")
        t.o("ignore" if await Supervisor.start_child(s, ChildSpec("y", lambda: IGNORE)) is None else "started")
        t.o(await counts(s))

    t.run(main)

    assert t.printed == expected


@same
def test_e10_dynamic_restarts(t, expected):
    """By the rules of every supervisor."""

    async def main():
        for restart in ("permanent", "transient", "temporary"):
            for reason in ("normal", "shutdown", ("shutdown", "x"), "boom"):
                s = await DynamicSupervisor.start_link()
                pid = await Supervisor.start_child(s, ChildSpec("x", idle, restart=restart))
                pid << ("die", reason)
                await t.s()
                found = await Supervisor.which_children(s)
                t.o((restart, reason, "removed" if not found else "restarted" if found[0].pid != pid else "?"))

    t.run(main)

    assert t.printed == expected


@same
def test_e12_dynamic_limits(t, expected):
    """Refused with ChildError; `intensity` is Elixir's max_restarts, 3 by default."""

    async def main():
        trap_exit(True)
        s = await DynamicSupervisor.start_link(max_children=1)
        one = await Supervisor.start_child(s, ChildSpec("x", idle))
        await refused(t, Supervisor.start_child(s, ChildSpec("x", idle)))
        await Supervisor.terminate_child(s, one)
        t.o("ok" if await Supervisor.start_child(s, ChildSpec("x", idle)) else "none")
        none = await DynamicSupervisor.start_link(max_children=0)
        await refused(t, Supervisor.start_child(none, ChildSpec("x", idle)))
        z = await DynamicSupervisor.start_link()
        for _ in range(2):
            await Supervisor.start_child(z, ChildSpec("x", idle))
        for _ in range(4):
            exit((await Supervisor.which_children(z))[0].pid, "kill")
            await t.s()
            t.o(is_alive(z))
        t.o(await t.recv(0.02))

    t.run(main)

    assert t.printed == expected


@same
def test_e13_dynamic_stop(t, expected):
    """All are told at once."""

    async def child(how):
        trap_exit(True)
        t.o((how, (await receive(Exit)).reason))
        await t.s(3 if how == "deaf" else 0.04)

    async def main():
        s = await DynamicSupervisor.start_link()
        watches = {}
        for how, shutdown in (("polite", 5.0), ("deaf", 0.06), ("brutal", "brutal_kill")):
            pid = await Supervisor.start_child(s, ChildSpec(how, child, (how,), shutdown=shutdown))
            await t.s()
            watches[how] = monitor(pid)
        await stop(s)
        for how, watch in watches.items():
            t.o((how, (await receive((watch, ..., ...))).reason))

    t.run(main)

    assert t.printed == expected


@differs("A PartitionSupervisor that is not there is NoSuchName, an error and no exit.")
def test_e15_partition_supervisor(t, expected):
    """`via(key)` is a name like a Registry's."""

    async def at(key):
        return await Agent.get(PartitionSupervisor.via("counters", key), lambda _: self_())

    async def main():
        s = await PartitionSupervisor.start_link(ChildSpec("x", Agent, (int,)), name="counters", partitions=3)
        t.o(PartitionSupervisor.partitions("counters"))
        t.o(await at(1) == await at(4))
        t.o(await at(-1) == await at(1))
        t.o(await at(0) == await at(1))
        t.o(await at("ada") == await at("ada"))
        t.o([child.id for child in await Supervisor.which_children(s)])
        t.o(await counts(s))
        before, other = await at(0), await at(1)
        exit(before, "kill")
        await t.s()
        t.o((await at(0) == before, await at(1) == other))
        numbered = ChildSpec("x", Agent, (int,))
        await PartitionSupervisor.start_link(
            numbered, 2, name="numbered", with_arguments=lambda args, number: (*args, number * 10)
        )
        t.o([await Agent.get(PartitionSupervisor.via("numbered", number), int) for number in range(2)])
        with pytest.raises(NoSuchName):
            await Agent.get(PartitionSupervisor.via("nobody", 1), int)
        t.o("error")

    t.run(main)

    assert t.printed == expected.but(("exit", "error"))
