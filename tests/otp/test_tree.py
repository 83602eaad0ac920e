"""A whole tree: a thousand children start, crash and stop; and how a program starts one."""

from __future__ import annotations

import pytest

from helpers.servers import Recorder, settle, wait_for_ever
from midflight import (
    ChildSpec,
    Supervisor,
    call,
    cast,
    exit,
    is_alive,
    process_info,
    receive,
    run,
    stop,
    whereis,
)

CHILDREN = 1000


async def pids_of(supervisor):
    """Return the children's pids, in start order."""
    return [child.pid for child in await Supervisor.which_children(supervisor)]


@pytest.mark.parametrize("strategy", ["one_for_one", "one_for_all", "rest_for_one"])
def test_a_thousand_children(runtime, strategy):
    """They start in order; after a crash in their middle the right ones are new; all are stopped, the last first."""
    ended = []

    class Child(Recorder):
        def init(self, number):
            super().init()
            self.number = number

        def terminate(self, reason):
            ended.append(self.number)

    async def main():
        children = [ChildSpec(number, Child, (number,)) for number in range(CHILDREN)]
        supervisor = await Supervisor.start_link(children, strategy)
        before = await pids_of(supervisor)
        assert before == sorted(before)
        exit(before[500], "kill")
        after = await pids_of(supervisor)
        changed = [number for number in range(CHILDREN) if before[number] is not after[number]]
        del ended[:]
        await stop(supervisor)
        return changed, not any(map(is_alive, after))

    changed, all_dead = runtime.run(main)
    expected = {"one_for_one": [500], "one_for_all": list(range(CHILDREN)), "rest_for_one": list(range(500, CHILDREN))}

    assert changed == expected[strategy]
    assert all_dead
    assert ended == list(reversed(range(CHILDREN)))


def test_a_thousand_children_crash(runtime):
    """Each is restarted once, and has its place in the order."""

    async def main():
        children = [ChildSpec(number, Recorder) for number in range(CHILDREN)]
        supervisor = await Supervisor.start_link(children, intensity=CHILDREN)
        before = await pids_of(supervisor)
        for pid in before:
            cast(pid, ("raise", ValueError("all at once")))
        await settle()
        after = await pids_of(supervisor)
        counts = await Supervisor.count_children(supervisor)
        await stop(supervisor)
        return len(set(before) & set(after)), counts["active"], after == sorted(after)

    assert runtime.run(main) == (0, CHILDREN, True)
    assert len(runtime.crashes) == CHILDREN


def test_a_thousand_dynamic_children(runtime):
    """They come and go by request, and are stopped all at once."""

    async def main():
        spec = ChildSpec("x", Recorder, restart="transient")
        supervisor = await Supervisor.start_link([spec], "simple_one_for_one")
        pids = [await Supervisor.start_child(supervisor, ()) for _ in range(CHILDREN)]
        for pid in pids[::2]:
            await stop(pid)
        await settle()
        left = await pids_of(supervisor)
        await stop(supervisor)
        return left == pids[1::2], any(map(is_alive, pids))

    assert runtime.run(main) == (True, False)


async def start(steps):
    """The start function of an application: it starts a tree that outlives it."""
    pools = [ChildSpec(name, Recorder, (steps[name],), name=name) for name in ("left", "right")]
    return await Supervisor.start(
        [
            ChildSpec("pools", Supervisor, (pools, "rest_for_one"), type="supervisor"),
            ChildSpec("loop", wait_for_ever),
        ],
        name="top",
    )


def test_a_tree_started_by_an_async_function(runtime):
    """It lives on after that function has returned, and ends with the runtime, every server through terminate."""
    steps = {"left": [], "right": []}

    async def main():
        return await call("left", "alive"), process_info(whereis("top"))["links"] != []

    top = runtime.spawn(start, steps)
    runtime.run_until_idle()
    assert not is_alive(top)

    assert runtime.run(main) == ("alive", True)
    assert steps == {"left": [("terminate", "shutdown")], "right": [("terminate", "shutdown")]}


def test_a_tree_in_a_plain_program():
    """midflight.run, with the real clock: the program's end stops the tree in order."""
    steps = {"left": [], "right": []}

    async def main():
        top = await start(steps)
        first = await call("left", "alive")
        exit(whereis("left"), "kill")
        await settle()
        return first, await call("right", "alive"), is_alive(top)

    assert run(main) == ("alive", "alive", True)
    assert [step[-1] for step in steps.values()] == [("terminate", "shutdown")] * 2


def test_the_first_process_may_be_the_parent(runtime):
    """start_link: the tree ends with the process that started it."""

    async def parent(top):
        supervisor = await Supervisor.start_link([ChildSpec("x", wait_for_ever)])
        top.append(supervisor)
        await receive()

    found = []
    pid = runtime.spawn(parent, found)
    runtime.run_until_idle()
    pid << "end"
    runtime.run_until_idle()

    assert not is_alive(found[0])
