"""The cases d*: two nodes, which are schedulers of one interpreter here. Each test prints the lines of its case."""

from __future__ import annotations

import pytest

from erlang.t import idle
from erlang.terms import text
from midflight import (
    CallError,
    Exit,
    ProcessExit,
    RegistrationError,
    call,
    cluster,
    demonitor,
    exit,
    link,
    monitor,
    receive,
    register,
    registered,
    self_,
    send,
    spawn,
    trap_exit,
    unlink,
    unregister,
    whereis,
)
from midflight.otp import pg

same, differs = pytest.mark.same, pytest.mark.differs


async def recv(seconds=0):
    """Receive what comes, or has come: "nothing" when it has not, after a message there and back."""
    if seconds:
        await cluster.call_function("b", len, "")
    return await receive(timeout=0 if seconds else None, default="nothing")


async def down(ref):
    return (await receive((ref, ..., ...))).reason


def run(world, main):
    """Run `main` on the node a of two; return the lines that it prints."""
    a, b = world.pair()
    lines = []
    a.run(main, lambda term: lines.append(text(term)), a, b)
    return lines


@same
def test_d01_links_across(world, expected):
    """Links across nodes: a reason, kill, a dead process, unlink, normal."""

    async def main(o, a, b):
        trap_exit(True)
        p = await cluster.spawn("b", idle)
        link(p)
        p << ("die", "boom")
        o(await recv())
        link(p)
        o(await recv())
        q = await cluster.spawn("b", idle)
        link(q)
        exit(q, "kill")
        o(await recv())
        r = await cluster.spawn("b", idle)
        link(r)
        unlink(r)
        exit(r, "enough")
        o(await recv(0.2))
        s = await cluster.spawn("b", idle)
        link(s)
        exit(s, "normal")
        s << "stop"
        o(await recv())
        t = await cluster.spawn("b", idle)
        link(t)
        link(t)
        t << ("die", "once")
        o(await recv())
        o(await recv(0.2))

    assert run(world, main) == expected


@same
def test_d02_monitors_across(world, expected):
    """Monitors across nodes: reasons, a dead process, a name, two monitors, demonitor."""

    async def main(o, a, b):
        p = await cluster.spawn("b", idle)
        r1, r2 = monitor(p), monitor(p)
        p << ("die", "boom")
        o(await down(r1))
        o(await down(r2))
        o(await down(monitor(p)))
        found = await receive((monitor(("nobody", "b")), ..., ...))
        assert found.pid == ("nobody", "b")
        o(found.reason)
        q = await cluster.spawn("b", idle)
        demonitor(monitor(q))
        exit(q, "kill")
        o(await recv(0.2))
        s = await cluster.spawn("b", idle)
        r6 = monitor(s)
        exit(s, "kill")
        o(await down(r6))
        t = await cluster.spawn("b", idle)
        r7 = monitor(t)
        t << "stop"
        o(await down(r7))

    assert run(world, main) == expected


@same
def test_d03_noconnection(world, expected):
    """A node that is gone is "noconnection" for links and monitors, "nodedown" for calls, once."""

    async def main(o, a, b):
        trap_exit(True)
        me = self_()
        p, q = await cluster.spawn("b", idle), await cluster.spawn("b", idle)
        link(p)
        r1, r2 = monitor(q), monitor(("midflight.net", "b"))

        async def caller():
            try:
                await call(p, "hello", timeout=None)
            except CallError as error:
                me << ("caller", error.reason)

        spawn(caller)
        await cluster.call_function("b", len, "")
        b.world.network.cut("a", "b")
        o(("exit", (await receive(Exit)).reason))
        o(("down", await down(r1)))
        o(("down", await down(r2)))
        caller_heard = await receive(("caller", ...))
        assert caller_heard == ("caller", ("nodedown", "b"))
        o(("caller", "nodedown"))
        o(await receive(timeout=0, default="nothing"))
        o(("down", await down(monitor(p))))
        link(p)
        o(("exit", (await receive(Exit)).reason))
        with pytest.raises(CallError) as error:
            await call(p, "hello")
        assert error.value.reason == ("nodedown", "b")
        o(("caller", "nodedown"))
        o(p << "dropped")
        cluster.monitor_node("b")
        o((await receive(("nodedown", "b")))[0])
        o("b" in cluster.nodes())

    assert run(world, main) == expected


async def count(number):
    match await receive():
        case ("how_many", sender):
            sender << number
            return count(number)
        case message if message == number:
            return count(number + 1)
        case other:
            raise ProcessExit(("not_in_order", number, other))


@same
def test_d04_order_across(world, expected):
    """A thousand messages come in the order in which they were sent."""

    async def main(o, a, b):
        p = await cluster.spawn("b", count, 0)
        r = monitor(p)
        for number in range(1000):
            p << number
        p << ("how_many", self_())
        o(await receive())
        exit(p, "enough")
        o(await down(r))
        q = await cluster.spawn("b", count, 0)
        t = monitor(q)
        q << 0
        q << 7
        o(await down(t))

    assert run(world, main) == expected


def register_one(name):
    """Register a new process under a name of all nodes: "yes" or "no"."""
    pid = spawn(idle)
    try:
        register(name, pid, scope="global")
    except RegistrationError:
        return "no"
    return "yes"


def whereis_global(name):
    return whereis(name, scope="global")


def unregister_global(name):
    unregister(name, scope="global")


@differs(
    "`register` raises where Erlang answers `no`, and `send` takes what `whereis` says. A name is given at once, and "
    "the other nodes know of it a moment later; Erlang locks all nodes first."
)
def test_d05_global_names(world, expected):
    """Names of all nodes: given, found from the other node, taken, freed by the end and by hand."""

    async def main(o, a, b):
        p = spawn(idle)
        register("db", p, scope="global")
        o("yes")
        o(await cluster.call_function("b", whereis_global, "db") is p)
        o(await cluster.call_function("b", register_one, "db"))
        o(registered(scope="global"))
        o(whereis("db"))
        o(send(whereis_global("db"), "stop") == "stop")
        await down(monitor(p))
        o(whereis_global("db"))
        o(await cluster.call_function("b", register_one, "db"))
        o(cluster.node(whereis_global("db")) == "b")
        await cluster.call_function("b", unregister_global, "db")
        o(whereis_global("db"))

    assert run(world, main) == expected


def join_two():
    """Put two new processes of this node into the group; return them."""
    pids = [spawn(idle), spawn(idle)]

    async def join():
        await pg.join("g", pids)
        return pids

    return join()


def local_members():
    return pg.get_local_members("g")


async def start_groups():
    await pg.start()


@differs("A process of another node is refused by a ValueError, where Erlang's error is {nolocal, Pid}.")
def test_d06_groups_across(world, expected):
    """Process groups across nodes: members of both, the local ones, one that leaves, a node that is gone."""

    async def main(o, a, b):
        await pg.start()
        await cluster.call_function("b", start_groups)
        p = spawn(idle)
        await pg.join("g", p)
        q, s = await cluster.call_function("b", join_two)
        o(len(pg.get_members("g")))
        o(pg.get_local_members("g") == [p])
        o(len(await cluster.call_function("b", local_members)))
        with pytest.raises(ValueError, match="a group takes a process of this node"):
            await pg.join("g", q)
        gone = monitor(q)
        q << "stop"
        await down(gone)
        await cluster.call_function("b", len, "")
        o(len(pg.get_members("g")))
        ref, members = await pg.monitor("g")
        o(len(members))
        b.world.network.cut("a", "b")
        assert await receive((ref, "leave", ..., ...)) == (ref, "leave", "g", [s])
        o("left")
        o(pg.get_members("g") == [p])
        o(pg.which_groups())

    assert run(world, main) == expected.but(("{nolocal,<PID>}",))
