"""What a supervisor is asked while it runs: children added, stopped, restarted and deleted."""

from __future__ import annotations

import pytest

from helpers.servers import Starter, deaf, refused, settle, wait_for_ever
from midflight import (
    AlreadyStarted,
    CallError,
    ChildSpec,
    Supervisor,
    exit,
    is_alive,
    spawn,
)
from midflight.otp import IGNORE, ChildInfo
from midflight.otp.supervisor import ask


async def start_one(strategy="one_for_one", **options):
    """Start a supervisor with the child "x"; return both pids."""
    supervisor = await Supervisor.start_link([ChildSpec("x", wait_for_ever, **options)], strategy)
    ((_, pid, _),) = await Supervisor.which_children(supervisor)
    return supervisor, pid


def test_which_and_count(runtime):
    """In start order; those that run are active."""

    async def main():
        children = [
            ChildSpec("a", wait_for_ever),
            ChildSpec("b", lambda: IGNORE),
            ChildSpec("c", Supervisor, type="supervisor"),
        ]
        supervisor = await Supervisor.start_link(children)
        found = await Supervisor.which_children(supervisor)
        shape = [(child.id, child.pid is not None, child.type) for child in found]
        return shape, await Supervisor.count_children(supervisor), type(found[0])

    assert runtime.run(main) == (
        [("a", True, "worker"), ("b", False, "worker"), ("c", True, "supervisor")],
        {"specs": 3, "active": 2, "supervisors": 1, "workers": 2},
        ChildInfo,
    )


def test_a_child_is_added(runtime):
    """It runs, comes last, and is supervised from then on."""

    async def main():
        supervisor, _ = await start_one()
        pid = await Supervisor.start_child(supervisor, ChildSpec("y", wait_for_ever))
        before = [child.id for child in await Supervisor.which_children(supervisor)]
        exit(pid, "boom")
        await settle()
        (_, (_, now, _)) = await Supervisor.which_children(supervisor)
        return before, now is not pid, is_alive(now)

    assert runtime.run(main) == (["x", "y"], True, True)


def test_an_id_that_is_there_is_not_added(runtime):
    """AlreadyStarted with the pid if it runs, else already_present."""

    async def main():
        supervisor, pid = await start_one()
        with pytest.raises(AlreadyStarted) as caught:
            await Supervisor.start_child(supervisor, ChildSpec("x", deaf))
        await Supervisor.terminate_child(supervisor, "x")
        reason = await refused(Supervisor.start_child(supervisor, ChildSpec("x", deaf)))
        return caught.value.pid is pid, reason

    assert runtime.run(main) == (True, "already_present")


def test_a_child_that_does_not_start_is_not_added(runtime):
    """The caller gets the child's own error; the supervisor lives."""
    error = ValueError("no table")

    async def main():
        supervisor, _ = await start_one()
        with pytest.raises(ValueError, match="no table") as caught:
            await Supervisor.start_child(supervisor, ChildSpec("y", Starter, (error,)))
        return caught.value is error, await Supervisor.count_children(supervisor)

    is_same, counts = runtime.run(main)
    assert is_same
    assert counts["specs"] == 1


@pytest.mark.parametrize(("restart", "ids"), [("permanent", ["x", "y"]), ("temporary", ["x"])])
def test_an_added_child_that_wants_no_process(runtime, restart, ids):
    """It is kept, unless it is temporary."""

    async def main():
        supervisor, _ = await start_one()
        pid = await Supervisor.start_child(supervisor, ChildSpec("y", Starter, ("ignore",), restart))
        return pid, [child.id for child in await Supervisor.which_children(supervisor)]

    assert runtime.run(main) == (None, ids)


@pytest.mark.parametrize(("restart", "children"), [("permanent", [("x", None, "worker")]), ("temporary", [])])
def test_a_child_is_terminated(runtime, restart, children):
    """It is not restarted; it stays in the list unless it is temporary."""

    async def main():
        supervisor, pid = await start_one(restart=restart)
        await Supervisor.terminate_child(supervisor, "x")
        dead = not is_alive(pid)
        await settle()
        return dead, [tuple(child) for child in await Supervisor.which_children(supervisor)]

    assert runtime.run(main) == (True, children)


def test_a_terminated_child_is_restarted_on_request(runtime):
    """With a new pid; and terminating it twice is no error."""

    async def main():
        supervisor, pid = await start_one()
        await Supervisor.terminate_child(supervisor, "x")
        await Supervisor.terminate_child(supervisor, "x")
        again = await Supervisor.restart_child(supervisor, "x")
        exit(again, "boom")
        await settle()
        ((_, third, _),) = await Supervisor.which_children(supervisor)
        return len({pid, again, third}), is_alive(third)

    assert runtime.run(main) == (3, True)


def test_a_terminated_child_is_deleted(runtime):
    """Then its id is free."""

    async def main():
        supervisor, _ = await start_one()
        await Supervisor.terminate_child(supervisor, "x")
        await Supervisor.delete_child(supervisor, "x")
        empty = await Supervisor.which_children(supervisor)
        await Supervisor.start_child(supervisor, ChildSpec("x", wait_for_ever))
        return empty

    assert runtime.run(main) == []


def test_a_terminated_child_starts_with_the_others(runtime):
    """OTP: a restart of one_for_all starts all children of the list."""

    async def main():
        supervisor, _ = await start_one("one_for_all")
        pid = await Supervisor.start_child(supervisor, ChildSpec("y", wait_for_ever))
        await Supervisor.terminate_child(supervisor, "x")
        exit(pid, "boom")
        await settle()
        return await Supervisor.count_children(supervisor)

    assert runtime.run(main)["active"] == 2


def test_requests_that_are_refused(runtime):
    """The reasons are OTP's; the children are as they were."""

    async def main():
        supervisor, pid = await start_one()
        reasons = [
            await refused(Supervisor.terminate_child(supervisor, "nobody")),
            await refused(Supervisor.restart_child(supervisor, "nobody")),
            await refused(Supervisor.delete_child(supervisor, "nobody")),
            await refused(Supervisor.restart_child(supervisor, "x")),
            await refused(Supervisor.delete_child(supervisor, "x")),
        ]
        with pytest.raises(TypeError, match="takes a ChildSpec, not"):
            await Supervisor.start_child(supervisor, ("x",))
        ((_, now, _),) = await Supervisor.which_children(supervisor)
        return reasons, now is pid

    assert runtime.run(main) == (["not_found", "not_found", "not_found", "running", "running"], True)


def test_a_child_that_is_being_restarted(runtime):
    """It cannot be restarted or deleted, but terminated: then the tries end."""
    broken = []

    def start():
        if broken:
            broken.append("tried")
            raise ConnectionError("not yet")
        return spawn(wait_for_ever)

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("x", start)], intensity=1000)
        ((_, pid, _),) = await Supervisor.which_children(supervisor)
        broken.append("from now on")
        exit(pid, "kill")
        reasons = [
            await refused(Supervisor.restart_child(supervisor, "x")),
            await refused(Supervisor.delete_child(supervisor, "x")),
        ]
        await Supervisor.terminate_child(supervisor, "x")
        tries = len(broken)
        await settle()
        return reasons, len(broken) - tries, await Supervisor.which_children(supervisor)

    assert runtime.run(main) == (["restarting", "restarting"], 0, [("x", None, "worker")])


def test_a_request_to_no_supervisor_fails(runtime):
    """As a call; a server that is none answers what it likes."""

    async def main():
        with pytest.raises(CallError) as caught:
            await Supervisor.which_children("nobody")
        return caught.value.reason

    assert runtime.run(main) == "noproc"


def test_the_supervisor_survives_an_unknown_request(runtime):
    """The caller is told."""

    async def main():
        supervisor, _ = await start_one()
        with pytest.raises(TypeError, match="no request 'dance'"):
            await ask(supervisor, "dance")
        return is_alive(supervisor)

    assert runtime.run(main)
