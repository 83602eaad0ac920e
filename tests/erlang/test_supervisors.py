"""The cases p52 to p58, p75 and p76: the children of a supervisor, and its reports."""

from __future__ import annotations

import logging

import pytest

from erlang.t import idle
from midflight import (
    IGNORE,
    AlreadyStarted,
    ChildError,
    ChildSpec,
    CodeChangeError,
    Exit,
    InitFailed,
    ProcessExit,
    Supervisor,
    exit,
    is_alive,
    receive,
    self_,
    trap_exit,
    unlink,
)
from midflight.otp import ProgressReport, SupervisorReport
from midflight.otp import sys as otp_sys

same, differs = pytest.mark.same, pytest.mark.differs


async def pid_of(supervisor, wanted):
    """Return the pid of a child."""
    return {child.id: child.pid for child in await Supervisor.which_children(supervisor)}[wanted]


@same
def test_p52_auto_shutdown(t, expected):
    """A significant child that ends by itself ends its supervisor, if it is the first, or the last one that runs."""

    async def ends(supervisor, wanted, reason):
        if not is_alive(supervisor):
            return "gone"
        await pid_of(supervisor, wanted) << ("die", reason)
        await t.s()
        return is_alive(supervisor)

    async def start(auto_shutdown, restart):
        children = [ChildSpec(each, idle, restart=restart, significant=True) for each in ("a", "b")]
        children.append(ChildSpec("plain", idle, restart="temporary"))
        return await Supervisor.start_link(children, intensity=9, auto_shutdown=auto_shutdown)

    async def main():
        trap_exit(True)
        for auto_shutdown in ("any_significant", "all_significant"):
            for restart in ("transient", "temporary"):
                for reason in ("normal", "boom"):
                    supervisor = await start(auto_shutdown, restart)
                    ended = [await ends(supervisor, each, reason) for each in ("plain", "a", "b")]
                    t.o((auto_shutdown, restart, reason, ended))
                    t.o(await t.recv(0.03))
        supervisor = await start("any_significant", "transient")
        await Supervisor.terminate_child(supervisor, "a")
        await t.s()
        t.o(("terminated", is_alive(supervisor)))
        supervisor = await start("all_significant", "transient")
        await Supervisor.terminate_child(supervisor, "a")
        t.o(("last_one", await ends(supervisor, "b", "normal")))
        t.o(await t.recv(0.03))

    t.run(main)

    assert t.printed == expected


@same
def test_p54_significant_children(t, expected):
    """What cannot be is a ValueError, before anything is started."""

    def child(restart):
        return ChildSpec("x", idle, restart=restart, significant=True)

    async def start(auto_shutdown, *restarts):
        try:
            return await Supervisor.start_link([child(each) for each in restarts], auto_shutdown=auto_shutdown)
        except ValueError:
            return None

    async def main():
        for auto_shutdown in ("never", "any_significant", "all_significant"):
            for restart in ("permanent", "transient", "temporary"):
                started = await start(auto_shutdown, restart)
                t.o((auto_shutdown, restart, "started" if started else "refused"))
        for auto_shutdown in ("never", "any_significant"):
            supervisor = await start(auto_shutdown)
            try:
                await Supervisor.start_child(supervisor, child("transient"))
                said = "started"
            except ValueError:
                said = "refused"
            t.o((auto_shutdown, "start_child", said, len(await Supervisor.which_children(supervisor))))
        t.o(("sometimes", "started" if await start("sometimes") else "refused"))

    t.run(main)

    assert t.printed == expected


@same
def test_p55_get_childspec(t, expected):
    """The ChildSpec itself; one that is not there is a ChildError."""

    async def shown(supervisor, wanted):
        try:
            spec = await Supervisor.get_childspec(supervisor, wanted)
        except ChildError as error:
            t.o(("error", error.reason))
        else:
            t.o([spec.id, spec.restart, spec.type, spec.significant])

    async def main():
        spec = ChildSpec("x", idle, restart="transient", shutdown=2.0)
        supervisor = await Supervisor.start_link([spec])
        await shown(supervisor, "x")
        await shown(supervisor, "y")
        await Supervisor.terminate_child(supervisor, "x")
        await shown(supervisor, "x")
        await Supervisor.delete_child(supervisor, "x")
        await shown(supervisor, "x")
        simple = await Supervisor.start_link([spec], "simple_one_for_one")
        await shown(simple, await Supervisor.start_child(simple, ()))
        await shown(simple, self_())

    t.run(main)

    assert t.printed == expected


@differs(
    "Added children start before the new version counts, and removed ones stop after it; OTP starts and stops nobody."
)
def test_p57_supervisor_code_change(t, expected):
    """The children are what init returns then; a wrong answer changes nothing."""
    answer = []

    class Tree(Supervisor):
        def init(self):
            wanted, options = answer
            vars(self).update(options)
            return wanted if wanted is IGNORE else [ChildSpec(id, numbered, (number,)) for id, number in wanted]

    async def numbered(number):
        while True:
            match await receive():
                case ("ask", pid):
                    pid << ("number", number)
                case ("die", reason):
                    raise ProcessExit(reason)

    async def number_of(pid):
        pid << ("ask", self_())
        return (await receive(("number", ...)))[1]

    async def change(supervisor):
        await otp_sys.suspend(supervisor)
        try:
            await otp_sys.change_code(supervisor, __name__, None)
            t.o("ok")
        except CodeChangeError:
            t.o("error")
        await otp_sys.resume(supervisor)

    async def main():
        answer[:] = [("a", 1), ("b", 1)], {}
        s = await Tree.start_link()
        a, b = await pid_of(s, "a"), await pid_of(s, "b")
        answer[:] = [("b", 2), ("c", 2)], {"strategy": "one_for_all", "intensity": 9}
        await change(s)
        t.o([(child.id, await number_of(child.pid)) for child in await Supervisor.which_children(s)])
        t.o((is_alive(a), is_alive(b)))
        b << ("die", "boom")
        await t.s()
        t.o((await pid_of(s, "b") == b, await number_of(await pid_of(s, "b"))))
        answer[:] = IGNORE, {}
        await change(s)
        answer[:] = [], {"strategy": "nonsense"}
        await change(s)
        t.o(await number_of(await pid_of(s, "b")))

    t.run(main)

    assert t.printed == expected.but(("[{a,1},{b,1},{c,none}]", "[{b,1},{c,2}]"), ("{true,true}", "{false,true}"))


@differs("The reason of a start that fails is the exception.")
def test_p58_supervisor_reports(t, expected, caplog):
    """On the logger midflight.supervisor, the report in the record's attribute `report`."""
    caplog.set_level(logging.INFO, "midflight.supervisor")

    async def shown():
        await t.s()
        for record in caplog.records:
            match getattr(record, "report", None):
                case ProgressReport(started=child):
                    t.o(("progress", child.id, child.restart))
                case SupervisorReport(context=context, reason=reason, offender=child):
                    t.o((context, reason, child.id))
        caplog.clear()

    async def dies(supervisor, wanted, reason):
        t.o((wanted, reason))
        await pid_of(supervisor, wanted) << ("die", reason)
        await shown()

    async def deaf():
        trap_exit(True)
        while True:
            await receive()

    def never():
        raise LookupError("no table")

    def child(wanted, restart):
        return ChildSpec(wanted, idle, restart=restart)

    async def main():
        trap_exit(True)
        children = [child("p", "permanent"), child("t", "transient"), child("x", "temporary")]
        s = await Supervisor.start_link(children, intensity=9)
        await shown()
        for wanted, reason in (("p", "normal"), ("p", "boom"), ("t", "boom"), ("t", "normal"), ("x", "boom")):
            await dies(s, wanted, reason)
        t.o("terminate")
        await Supervisor.terminate_child(s, "p")
        await shown()
        y = await Supervisor.start_link([child("y", "temporary")])
        await shown()
        await dies(y, "y", "shutdown")
        t.o("never")
        with pytest.raises(InitFailed):
            await Supervisor.start_link([ChildSpec("n", never)])
        await shown()
        z = await Supervisor.start_link([child("z", "permanent")], intensity=0)
        await shown()
        await dies(z, "z", "boom")
        d = await Supervisor.start_link([ChildSpec("d", deaf, shutdown=0.05)])
        await shown()
        t.o("deaf")
        await Supervisor.terminate_child(d, "d")
        await shown()

    t.run(main)

    assert t.printed == expected.but(("{start_error,no_table,n}", "{start_error,{'LookupError',stack},n}"))


@same
def test_p75_supervisor_strategies(t, expected):
    """In the order of the children, and its reverse."""

    async def child(name, pid):
        trap_exit(True)
        pid << ("starts", name)
        match await receive(Exit, ("die", ...)):
            case Exit():
                pid << ("stops", name)
                raise ProcessExit("shutdown")
            case (_, reason):
                raise ProcessExit(reason)

    async def main():
        for strategy in ("one_for_one", "one_for_all", "rest_for_one"):
            children = [ChildSpec(name, child, (name, self_())) for name in ("a", "b", "c")]
            supervisor = await Supervisor.start_link(children, strategy, 9)
            t.o((strategy, await t.mb()))
            await pid_of(supervisor, "b") << ("die", "boom")
            t.o(await t.mb())
            unlink(supervisor)
            exit(supervisor, "shutdown")
            t.o(await t.mb())

    t.run(main)

    assert t.printed == expected


@same
def test_p76_supervisor_requests(t, expected):
    """Refused with ChildError, whose `reason` is OTP's; AlreadyStarted for one that runs."""

    async def shown(request):
        try:
            found = await request
        except ChildError as error:
            t.o(("error", error.reason))
        except AlreadyStarted:
            t.o(("error", "already_started"))
        else:
            t.o("ok" if found is None else "started")

    async def main():
        s = await Supervisor.start_link([ChildSpec("x", idle)])
        await shown(Supervisor.start_child(s, ChildSpec("x", idle)))
        await shown(Supervisor.start_child(s, ChildSpec("y", idle)))
        await shown(Supervisor.restart_child(s, "x"))
        await shown(Supervisor.delete_child(s, "x"))
        await shown(Supervisor.terminate_child(s, "x"))
        await shown(Supervisor.start_child(s, ChildSpec("x", idle)))
        await shown(Supervisor.terminate_child(s, "x"))
        await shown(Supervisor.restart_child(s, "x"))
        await shown(Supervisor.terminate_child(s, "x"))
        requests = (Supervisor.restart_child, Supervisor.delete_child, Supervisor.terminate_child)
        await shown(Supervisor.delete_child(s, "x"))
        for request in requests:
            await shown(request(s, "x"))
        z = await Supervisor.start_link([ChildSpec("x", idle)], "simple_one_for_one")
        pid = await Supervisor.start_child(z, ())
        for request in requests:
            await shown(request(z, "x"))
        await shown(Supervisor.terminate_child(z, pid))
        await shown(Supervisor.terminate_child(z, pid))
        t.o(list((await Supervisor.count_children(z)).values()))

    t.run(main)

    assert t.printed == expected
