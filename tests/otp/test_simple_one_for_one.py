"""Supervisors whose children share one spec. Statements P36 and P38."""

from __future__ import annotations

import pytest

from helpers.servers import Recorder, Starter, deaf, end_of, refused, settle, wait_for_ever
from midflight import (
    ChildSpec,
    ProcessExit,
    Supervisor,
    exit,
    is_alive,
    monitor,
    receive,
    spawn,
    stop,
)


async def start_simple(**options):
    """Start a supervisor of recorders that are told who they are."""
    spec = ChildSpec("recorders", Recorder, **options)
    return await Supervisor.start_link([spec], "simple_one_for_one", intensity=9)


def test_simple_children_are_added_with_arguments(runtime):
    """None is there at first; they have no ids."""

    async def main():
        supervisor = await start_simple()
        empty = await Supervisor.which_children(supervisor)
        pids = [await Supervisor.start_child(supervisor, ([number],)) for number in range(3)]
        children = await Supervisor.which_children(supervisor)
        return empty, [child.id for child in children], [child.pid for child in children] == pids

    assert runtime.run(main) == ([], [None] * 3, True)


def test_simple_children_are_counted(runtime):
    """One spec, any number of workers."""

    async def main():
        supervisor = await start_simple()
        for _ in range(3):
            await Supervisor.start_child(supervisor, ())
        return await Supervisor.count_children(supervisor)

    assert runtime.run(main) == {"specs": 1, "active": 3, "supervisors": 0, "workers": 3}


@pytest.mark.parametrize(
    ("restart", "reason", "count"),
    [
        ("permanent", "normal", 1),
        ("permanent", "boom", 1),
        ("transient", "normal", 0),
        ("transient", "boom", 1),
        ("temporary", "boom", 0),
    ],
)
def test_simple_children_are_restarted_with_their_arguments(runtime, restart, reason, count):
    """P36: one that is not restarted leaves the list, whatever its type."""
    started = []

    async def note(number):
        started.append(number)
        raise ProcessExit(await receive())

    async def main():
        spec = ChildSpec("x", note, restart=restart)
        supervisor = await Supervisor.start_link([spec], "simple_one_for_one")
        pid = await Supervisor.start_child(supervisor, (7,))
        pid << reason
        await settle()
        return len(await Supervisor.which_children(supervisor))

    assert runtime.run(main) == count
    assert started == [7] * (1 + count)


def test_simple_children_are_terminated_by_pid(runtime):
    """And leave the list. A dead pid is no error; a strange one is not found."""

    async def main():
        supervisor = await start_simple()
        pid = await Supervisor.start_child(supervisor, ())
        stranger = spawn(wait_for_ever)
        await Supervisor.terminate_child(supervisor, pid)
        await Supervisor.terminate_child(supervisor, pid)
        reasons = [
            await refused(Supervisor.terminate_child(supervisor, stranger)),
            await refused(Supervisor.terminate_child(supervisor, "recorders")),
            await refused(Supervisor.restart_child(supervisor, pid)),
            await refused(Supervisor.delete_child(supervisor, pid)),
        ]
        return reasons, is_alive(pid), await Supervisor.which_children(supervisor)

    simple = "simple_one_for_one"
    assert runtime.run(main) == (["not_found", simple, simple, simple], False, [])


def test_a_simple_child_that_is_being_restarted_is_terminated_by_its_last_pid(runtime):
    """Then the tries end."""
    broken = []

    def start():
        if broken:
            raise ConnectionError("not yet")
        return spawn(wait_for_ever)

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("x", start)], "simple_one_for_one", 1000)
        pid = await Supervisor.start_child(supervisor, ())
        broken.append(True)
        exit(pid, "kill")
        ((_, shown, _),) = await Supervisor.which_children(supervisor)
        await Supervisor.terminate_child(supervisor, pid)
        await settle()
        return shown, await Supervisor.which_children(supervisor)

    assert runtime.run(main) == ("restarting", [])


def test_a_simple_child_that_does_not_start_is_not_added(runtime):
    """Nor one that wants no process; and arguments are a tuple."""

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("x", Starter)], "simple_one_for_one")
        with pytest.raises(ValueError, match="no table"):
            await Supervisor.start_child(supervisor, (ValueError("no table"),))
        ignored = await Supervisor.start_child(supervisor, ("ignore",))
        with pytest.raises(TypeError, match="takes a tuple of arguments, not"):
            await Supervisor.start_child(supervisor, ChildSpec("x", Starter))
        return ignored, await Supervisor.which_children(supervisor)

    assert runtime.run(main) == (None, [])


def test_simple_children_are_stopped_all_at_once(runtime, clock, caplog):
    """P38: those that are deaf are killed together when the time of one is up."""

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("x", deaf)], "simple_one_for_one")
        pids = [await Supervisor.start_child(supervisor, ()) for _ in range(10)]
        refs = [monitor(pid) for pid in pids]
        await settle()
        spawn(stop, supervisor)
        await settle()
        clock.advance(4.9)
        await settle()
        alive = sum(is_alive(pid) for pid in pids)
        clock.advance(0.2)
        return alive, {(await receive((ref, ..., ...))).reason for ref in refs}

    assert runtime.run(main) == (10, {"killed"})
    assert caplog.text.count("10 children did not end within 5.0 s") == 1


@pytest.mark.parametrize(("shutdown", "reason"), [("brutal_kill", "killed"), ("infinity", "shutdown"), (1, "shutdown")])
def test_how_simple_children_are_stopped(runtime, shutdown, reason):
    """P38: as their one spec says."""

    async def main():
        spec = ChildSpec("x", wait_for_ever, shutdown=shutdown)
        supervisor = await Supervisor.start_link([spec], "simple_one_for_one")
        ref = monitor(await Supervisor.start_child(supervisor, ()))
        await stop(supervisor)
        return (await receive((ref, ..., ...))).reason

    assert runtime.run(main) == reason


def test_a_dynamic_child_is_gone_when_it_ends(runtime):
    """Hundreds that come and go leave nothing behind."""

    async def main():
        spec = ChildSpec("x", Recorder, restart="temporary")
        supervisor = await Supervisor.start_link([spec], "simple_one_for_one")
        for _ in range(300):
            await end_of(await Supervisor.start_child(supervisor, ()), "done")
        await settle()
        return await Supervisor.count_children(supervisor)

    assert runtime.run(main)["workers"] == 0
