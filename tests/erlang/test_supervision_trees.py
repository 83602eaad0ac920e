"""The cases p87 to p89: who is started again with whom, and supervisors that are the children of others."""

from __future__ import annotations

import pytest

from erlang.t import idle
from midflight import (
    ChildSpec,
    Exit,
    Pid,
    ProcessExit,
    Supervisor,
    exit,
    is_alive,
    receive,
    self_,
    trap_exit,
    unlink,
    whereis,
)

same, differs = pytest.mark.same, pytest.mark.differs


async def pid_of(supervisor, wanted):
    """Return the pid of a child, None if it does not run, "gone" if there is no such child."""
    children = {child.id: child.pid for child in await Supervisor.which_children(supervisor)}
    return children.get(wanted, "gone")


def became(before, now):
    """Say what has become of a child."""
    return now if type(now) is not Pid else "same" if now is before else "new"


@same
def test_p87_rest_for_one(t, expected):
    """A child that was terminated by hand runs again, if the strategy has it start with the one that ended."""

    async def main():
        always = ("permanent", "permanent", "permanent")
        cases = [
            (always, "c", "b"),
            (always, "a", "b"),
            (("permanent", "temporary", "transient"), None, "a"),
            (("permanent", "permanent", "temporary"), None, "c"),
        ]
        for strategy in ("rest_for_one", "one_for_all"):
            for restarts, stop, die in cases:
                children = [ChildSpec(name, idle, restart=each) for name, each in zip("abc", restarts, strict=True)]
                supervisor = await Supervisor.start_link(children, strategy, 9)
                if stop is not None:
                    await Supervisor.terminate_child(supervisor, stop)
                before = [(name, await pid_of(supervisor, name)) for name in "abc"]
                (await pid_of(supervisor, die)) << ("die", "boom")
                await t.s()
                now = [(name, became(pid, await pid_of(supervisor, name))) for name, pid in before]
                t.o((strategy, list(restarts), stop or "none", die, now))

    t.run(main)

    assert t.printed == expected


@same
def test_p88_significant_in_trees(t, expected):
    """The end of a supervisor by its auto_shutdown has the reason "shutdown"."""

    async def worker(name, pid):
        trap_exit(True)
        match await receive(Exit, ("die", ...)):
            case Exit():
                pid << ("stops", name)
                raise ProcessExit("shutdown")
            case (_, reason):
                pid << ("ends", name)
                raise ProcessExit(reason)

    def spec(name, pid, significant):
        return ChildSpec(name, worker, (name, pid), restart="transient", significant=significant)

    def inner(pid):
        children = [spec("x", pid, True), spec("y", pid, True), spec("z", pid, False)]
        return Supervisor.start_link(children, auto_shutdown="all_significant")

    async def heard():
        return [("exit", each.reason) if type(each) is Exit else each for each in await t.mb()]

    async def main():
        trap_exit(True)
        for restart in ("transient", "temporary"):
            first = ChildSpec("inner", inner, (self_(),), type="supervisor", restart=restart, significant=True)
            children = [first, spec("other", self_(), False)]
            supervisor = await Supervisor.start_link(children, auto_shutdown="any_significant")
            below = await pid_of(supervisor, "inner")
            (await pid_of(below, "x")) << ("die", "normal")
            t.o((restart, await heard(), is_alive(below)))
            (await pid_of(below, "y")) << ("die", "normal")
            t.o((restart, await heard(), is_alive(below), is_alive(supervisor)))

    t.run(main)

    assert t.printed == expected


@same
def test_p89_nested_supervisors(t, expected):
    """One that gives up ends with "shutdown", which is no reason to start a transient one again."""

    def inner():
        return Supervisor.start_link([ChildSpec("w", idle, name="x89")], intensity=1)

    async def main():
        trap_exit(True)
        for restart in ("permanent", "transient", "temporary"):
            spec = ChildSpec("inner", inner, type="supervisor", restart=restart)
            supervisor = await Supervisor.start_link([spec], intensity=1)
            for number in (1, 2, 3, 4):
                if whereis("x89") is None or not is_alive(supervisor):
                    continue
                before = await pid_of(supervisor, "inner")
                whereis("x89") << ("die", "boom")
                await t.s()
                if not is_alive(supervisor):
                    t.o((restart, number, "gone"))
                    continue
                t.o((restart, number, ("inner", became(before, await pid_of(supervisor, "inner")))))
            match await t.recv(0.01):
                case Exit(pid, reason) if pid == supervisor:
                    t.o(("exit", reason))
                case other:
                    t.o(other)
            unlink(supervisor)
            exit(supervisor, "kill")
            await t.s()

    t.run(main)

    assert t.printed == expected
