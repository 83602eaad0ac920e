"""How supervisors stop their children, and end. Statements P34 and P38."""

from __future__ import annotations

import pytest

from helpers.servers import Recorder, deaf, pids_of, settle, wait_for_ever
from midflight import (
    ChildSpec,
    ProcessExit,
    Supervisor,
    exit,
    monitor,
    receive,
    self_,
    sleep,
    spawn,
    stop,
)

STRATEGIES = ("one_for_one", "one_for_all", "rest_for_one")


async def tell_steps(name, steps):
    """Note when it starts and why it ends."""
    steps.append((name, "start"))
    try:
        await wait_for_ever()
    except ProcessExit as signal:
        steps.append((name, signal.reason))
        raise


def three(steps, **options):
    """Return specs of three children that note what happens to them."""
    return [ChildSpec(name, tell_steps, (name, steps), **options) for name in "abc"]


def test_children_start_in_order_and_stop_in_reverse(runtime):
    """P38: each one's end is awaited before the next is told; the reason is shutdown."""
    steps = []

    async def main():
        supervisor = await Supervisor.start_link(three(steps))
        await settle()
        await stop(supervisor)

    runtime.run(main)

    assert [name for name, step in steps if step == "start"] == ["a", "b", "c"]
    assert steps[3:] == [("c", "shutdown"), ("b", "shutdown"), ("a", "shutdown")]


@pytest.mark.parametrize(("shutdown", "seconds"), [(0.05, 0.05), (3, 3)])
def test_a_deaf_child_is_killed_after_its_time(runtime, clock, caplog, shutdown, seconds):
    """P38: not before."""

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("x", deaf, shutdown=shutdown)])
        ref = monitor((await pids_of(supervisor))["x"])
        await settle()
        spawn(stop, supervisor)
        await settle()
        clock.advance(seconds * 0.99)
        await settle()
        early = await receive((ref, ..., ...), timeout=0, default="alive")
        clock.advance(seconds * 0.02)
        return early, (await receive((ref, ..., ...))).reason

    assert runtime.run(main) == ("alive", "killed")
    assert "and was killed" in caplog.text


def test_brutal_kill_kills_at_once(runtime):
    """P38: the child is not asked."""
    steps = []

    async def main():
        supervisor = await Supervisor.start_link(three(steps, shutdown="brutal_kill"))
        ref = monitor((await pids_of(supervisor))["a"])
        await settle()
        steps.clear()
        await stop(supervisor)
        return (await receive((ref, ..., ...))).reason

    assert runtime.run(main) == "killed"
    assert steps == []


def test_infinity_waits(runtime, clock):
    """P38: a child that takes a day to clean up has it."""

    async def thorough():
        try:
            await wait_for_ever()
        finally:
            await sleep(86_400)

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("x", thorough, shutdown="infinity")])
        ref = monitor((await pids_of(supervisor))["x"])
        await settle()
        spawn(stop, supervisor)
        await settle()
        clock.advance(86_399)
        await settle()
        early = await receive((ref, ..., ...), timeout=0, default="alive")
        clock.advance(2)
        return early, (await receive((ref, ..., ...))).reason

    assert runtime.run(main) == ("alive", "shutdown")


def test_terminate_of_a_child_server_has_its_time(runtime):
    """A GenServer child cleans up in terminate, whether it traps exits or not."""
    heard = []

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("x", Recorder, (heard,))])
        await stop(supervisor)

    runtime.run(main)

    assert heard == [("terminate", "shutdown")]


def test_the_exit_of_the_parent_stops_the_tree(runtime):
    """P34: with the parent's reason."""

    async def parent(top):
        supervisor = await Supervisor.start_link([ChildSpec("x", wait_for_ever)])
        top << (supervisor, (await pids_of(supervisor))["x"])
        await receive()
        raise ProcessExit("parent gone")

    async def main():
        other = spawn(parent, self_())
        supervisor, child = await receive()
        refs = monitor(child), monitor(supervisor)
        other << "end"
        return [(await receive((ref, ..., ...))).reason for ref in refs]

    assert runtime.run(main) == ["shutdown", "parent gone"]


def test_a_killed_supervisor_takes_its_children_along(runtime):
    """By their links."""

    async def main():
        supervisor = await Supervisor.start([ChildSpec("x", wait_for_ever)])
        ref = monitor((await pids_of(supervisor))["x"])
        exit(supervisor, "kill")
        return (await receive((ref, ..., ...))).reason

    assert runtime.run(main) == "killed"


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((["x"],), TypeError, "described by a ChildSpec, not 'x'"),
        (([ChildSpec("x", deaf), ChildSpec("x", deaf)],), ValueError, "distinct ids; more than once: 'x'"),
        (([], "one_for_none"), ValueError, "strategy must be one of"),
        (([], "simple_one_for_one"), ValueError, "one ChildSpec for all its children, not 0"),
        (([], "one_for_one", -1), ValueError, "intensity must be"),
        (([], "one_for_one", 1.5), ValueError, "intensity must be"),
        (([], "one_for_one", 1, 0), ValueError, "period must be"),
    ],
)
@pytest.mark.parametrize("start", [Supervisor.start, Supervisor.start_link])
def test_what_cannot_be_a_supervisor_is_refused(start, arguments, error, text):
    """At once, before a process is started."""
    with pytest.raises(error, match=text):
        start(*arguments)
