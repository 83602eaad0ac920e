"""Supervisors: restarts, strategies, intensity. Statements P35 to P37."""

from __future__ import annotations

import logging
import sys

import pytest

from helpers.servers import Starter, end_of, exit_message_of, pids_of, settle, wait_for_ever
from midflight import (
    ChildSpec,
    Exit,
    InitFailed,
    ProcessExit,
    Supervisor,
    call,
    code,
    exit,
    is_alive,
    processes,
    receive,
    self_,
    spawn,
    stop,
    trap_exit,
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


@pytest.mark.parametrize(
    ("strategy", "restarted"), [("one_for_one", "b"), ("one_for_all", "abc"), ("rest_for_one", "bc")]
)
def test_who_is_restarted(runtime, strategy, restarted):
    """P35: those that the strategy says, stopped in reverse and started in order."""
    steps = []

    async def main():
        supervisor = await Supervisor.start_link(three(steps), strategy)
        before = await pids_of(supervisor)
        await settle()
        steps.clear()
        exit(before["b"], "boom")
        await settle()
        after = await pids_of(supervisor)
        return [name for name in "abc" if before[name] is not after[name]], list(after), list(steps)

    changed, order, seen = runtime.run(main)

    assert changed == list(restarted)
    assert order == ["a", "b", "c"]
    others = [name for name in restarted if name != "b"]
    stopped = [(name, "shutdown") for name in reversed(others)]
    assert seen == [("b", "boom"), *stopped, *((name, "start") for name in restarted)]


@pytest.mark.parametrize(
    ("restart", "reason", "outcome"),
    [
        (restart, reason, outcome)
        for restart, outcomes in {
            "permanent": ("restarted", "restarted"),
            "transient": ("kept", "restarted"),
            "temporary": ("removed", "removed"),
        }.items()
        for reason, outcome in [
            ("normal", outcomes[0]),
            ("shutdown", outcomes[0]),
            (("shutdown", "x"), outcomes[0]),
            ("boom", outcomes[1]),
            (ValueError("boom"), outcomes[1]),
        ]
    ],
)
def test_restart_types(runtime, restart, reason, outcome):
    """P36: permanent always; transient after an abnormal end, else kept; temporary never, and it leaves the list."""

    async def end_as_told():
        raise ProcessExit(await receive())

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("x", end_as_told, restart=restart)])
        before = (await pids_of(supervisor))["x"]
        before << reason
        await settle()
        match await pids_of(supervisor):
            case {"x": None}:
                return "kept"
            case {"x": pid} if pid is not before:
                return "restarted"
            case {}:
                return "removed"

    assert runtime.run(main) == outcome


@pytest.mark.parametrize(("options", "restarts"), [({}, 1), ({"intensity": 2}, 2), ({"intensity": 0}, 0)])
def test_too_many_restarts_end_the_supervisor(runtime, caplog, options, restarts):
    """P37: 1 in 5 s by default; the other children are stopped, the reason is shutdown, and the log says why."""

    async def main():
        trap_exit(True)
        children = [ChildSpec("x", wait_for_ever), ChildSpec("other", wait_for_ever)]
        supervisor = await Supervisor.start_link(children, **options)
        other = (await pids_of(supervisor))["other"]
        for _ in range(restarts):
            exit((await pids_of(supervisor))["x"], "kill")
            await settle()
        assert is_alive(supervisor)
        exit((await pids_of(supervisor))["x"], "kill")
        message = await exit_message_of(supervisor)
        return message.reason, is_alive(other)

    assert runtime.run(main) == ("shutdown", False)
    assert "too many restarts, the last one of child 'x'" in caplog.text


def test_restarts_that_are_long_ago_do_not_count(runtime, clock):
    """P37: any number, if there are never too many in a period."""

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("x", wait_for_ever)])
        for _ in range(5):
            exit((await pids_of(supervisor))["x"], "kill")
            await settle()
            clock.advance(5.1)
        return is_alive(supervisor)

    assert runtime.run(main)


def test_a_child_that_does_not_start_fails_the_supervisor(runtime):
    """Those before it are stopped; the error names it, and has its own error as cause."""
    steps, error = [], ValueError("no table")
    children = [*three(steps), ChildSpec("d", Starter, (error,)), ChildSpec("e", tell_steps, ("e", steps))]

    async def main():
        trap_exit(True)
        before = processes()
        with pytest.raises(InitFailed, match=r"child 'd' of Supervisor .* did not start") as caught:
            await Supervisor.start_link(children)
        return caught.value.__cause__ is error, processes() == before, await receive(timeout=0, default="nothing")

    assert runtime.run(main) == (True, True, "nothing")
    assert "e" not in dict(steps)


def test_a_failed_supervisor_ends_a_caller_that_does_not_trap_exits(runtime):
    """P33: as any start_link."""

    async def main():
        await Supervisor.start_link([ChildSpec("x", Starter, (ValueError("x"),))])

    with pytest.raises(InitFailed):
        runtime.run(main)


def test_a_restart_that_fails_is_tried_again(runtime, caplog):
    """Each try counts; other requests come in between, to which the child shows as restarting."""
    outcomes = iter([True, False, False, True])

    def start():
        if not next(outcomes):
            raise ConnectionError("not yet")
        return spawn(wait_for_ever)

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("x", start)], intensity=3)
        exit((await pids_of(supervisor))["x"], "kill")
        shown = (await pids_of(supervisor))["x"]
        await settle()
        return shown, is_alive((await pids_of(supervisor))["x"])

    assert runtime.run(main) == ("restarting", True)
    assert caplog.text.count("not yet") == 2


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_restart_that_keeps_failing_ends_the_supervisor(runtime, strategy):
    """P37: the tries are restarts; it gives up, and the others are stopped."""
    broken = []

    def start():
        if broken:
            raise ConnectionError("for good")
        return spawn(wait_for_ever)

    async def main():
        trap_exit(True)
        before = processes()
        children = [ChildSpec("x", start), ChildSpec("y", wait_for_ever)]
        supervisor = await Supervisor.start_link(children, strategy, intensity=3)
        broken.append(True)
        exit((await pids_of(supervisor))["x"], "boom")
        message = await exit_message_of(supervisor)
        return message.reason, processes() == before

    assert runtime.run(main) == ("shutdown", True)


def test_a_temporary_child_goes_with_the_others(runtime):
    """one_for_all: it is stopped, and not started again."""

    async def main():
        children = [ChildSpec("x", wait_for_ever), ChildSpec("y", wait_for_ever, restart="temporary")]
        supervisor = await Supervisor.start_link(children, "one_for_all")
        pids = await pids_of(supervisor)
        exit(pids["x"], "boom")
        await settle()
        return list(await pids_of(supervisor)), is_alive(pids["y"]), len(processes())

    assert runtime.run(main) == (["x"], False, 3)


def test_children_that_end_together_are_each_restarted_once(runtime):
    """one_for_all: the Exit of one that was stopped meanwhile means nothing."""
    steps = []

    async def main():
        supervisor = await Supervisor.start_link(three(steps), "one_for_all")
        await settle()
        pids = await pids_of(supervisor)
        steps.clear()
        for pid in pids.values():
            exit(pid, "kill")
        await settle()
        return [step for step in steps if step[1] == "start"]

    assert runtime.run(main) == [("a", "start"), ("b", "start"), ("c", "start")]


def test_the_exit_of_a_stranger_means_nothing(runtime):
    """A supervisor traps exits: of its parent it takes orders, of its children notice."""

    async def main():
        supervisor = await Supervisor.start([ChildSpec("x", wait_for_ever)])
        before = await pids_of(supervisor)
        exit(supervisor, "from a stranger")
        await settle()
        return before == await pids_of(supervisor)

    assert runtime.run(main)


def test_a_stray_message_is_logged(runtime, caplog):
    """It ends no supervisor."""

    async def main():
        supervisor = await Supervisor.start([])
        supervisor << "stray"
        return await pids_of(supervisor)

    with caplog.at_level(logging.WARNING):
        assert runtime.run(main) == {}
    assert "dropped 'stray'" in caplog.text


def test_a_restarted_child_runs_the_new_version(project, runtime):
    """H34: what starts it is looked up at every start, held as a value or not; the state is fresh."""
    project.load("tally_v1")
    tally = sys.modules["tally"]

    async def main():
        children = [ChildSpec("class", tally.Tally, (7,)), ChildSpec("bound", tally.Tally.start_link, (7,))]
        supervisor = await Supervisor.start_link(children, intensity=9)
        before = await pids_of(supervisor)
        project.load("tally_v2")
        for pid in before.values():
            exit(pid, "kill")
        await settle()
        after = await pids_of(supervisor)
        return [await call(pid, "get") for pid in after.values()]

    assert runtime.run(main) == [(2, {"sum": 7})] * 2


def test_a_child_that_a_purge_kills_is_restarted_in_the_new_version(project, runtime):
    """H34: an async function and a plain one that spawns."""
    text = """
        import looper
        from midflight import receive, spawn_link

        def start():
            return spawn_link(loop, 0)

        async def loop(total=0):
            match await receive():
                case ("get", pid):
                    pid << (VERSION, total)
                    return loop(total)
                case number:
                    return loop(total + number)
        """
    project.load_text("looper", text.replace("VERSION", "1"))
    looper = sys.modules["looper"]

    async def main():
        children = [ChildSpec("plain", looper.start), ChildSpec("async", looper.loop)]
        supervisor = await Supervisor.start_link(children, intensity=9)
        for pid in (await pids_of(supervisor)).values():
            pid << 2
        await settle()
        project.load_text("looper", text.replace("VERSION", "2"))
        killed = len(code.purge("looper"))
        await settle()
        answers = []
        for pid in (await pids_of(supervisor)).values():
            pid << ("get", self_())
            answers.append(await receive((..., ...)))
        return killed, answers

    assert runtime.run(main) == (2, [(2, 0), (2, 0)])


def test_supervisors_supervise_supervisors(runtime):
    """One that gives up is restarted by the one above, with all its children."""

    async def main():
        below = [ChildSpec("x", wait_for_ever)]
        spec = ChildSpec("below", Supervisor, (below, "one_for_one", 0), type="supervisor")
        top = await Supervisor.start_link([spec], name="top")
        first = (await pids_of(top))["below"]
        exit((await pids_of(first))["x"], "boom")
        await settle()
        second = (await pids_of("top"))["below"]
        worker = (await pids_of(second))["x"]
        await stop(top)
        return first is second, is_alive(second), is_alive(worker), await end_of(worker)

    assert runtime.run(main) == (False, False, False, "noproc")


def test_the_exit_message_of_a_supervisor_that_ends_normally(runtime):
    """stop gives it the reason it was given."""

    async def main():
        trap_exit(True)
        supervisor = await Supervisor.start_link([ChildSpec("x", wait_for_ever)])
        await stop(supervisor)
        return await receive(Exit)

    message = runtime.run(main)
    assert message.reason == "normal"
