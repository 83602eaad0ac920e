"""The scheduler: tail calls, fairness, time, threads, what it shows to asyncio."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import io
import logging
from contextlib import contextmanager

import pytest

from midflight import (
    Pid,
    exit,
    group_leader,
    monitor,
    process_dictionary,
    process_info,
    processes,
    receive,
    registered,
    self_,
    sleep,
    spawn,
    spawn_monitor,
)
from midflight.kernel import ManualClock, Scheduler
from midflight.kernel.running import enter, leave


def test_a_returned_coroutine_is_the_tail_call(runtime):
    """Law 1: no stack growth, the old frame is gone."""

    async def loop(left, depth):
        frames = process_info(self_())
        assert frames is not None
        if not left:
            return "the end"
        return loop(left - 1, depth)

    assert runtime.run(loop, 10_000, 0) == "the end"


def test_an_awaited_tail_call_is_a_coroutine_object(runtime):
    """Only the runtime goes on with a returned coroutine."""

    async def tail_caller():
        return sleep_and_say()

    async def sleep_and_say():
        await sleep(0)
        return "said"

    async def main():
        coro = await tail_caller()
        assert asyncio.iscoroutine(coro)
        return await coro

    assert runtime.run(main) == "said"


def test_spawn_refuses_what_is_not_callable(runtime):
    """P29: the error is the spawner's; a function that cannot take the arguments is the child's."""

    async def main():
        with pytest.raises(TypeError, match="nothing was spawned"):
            spawn("start")
        spawn_monitor(lambda: None, "one argument too many")
        return (await receive()).reason

    assert isinstance(runtime.run(main), TypeError)


def test_a_step_returns_the_next_deadline():
    """The scheduler waits for nothing: it says when it wants to be called again."""
    clock = ManualClock(100.0)
    scheduler = Scheduler(clock)
    done = []

    async def sleeper():
        await receive("never", timeout=2.5, default=None)
        done.append(clock.now())

    scheduler.spawn(sleeper, ())
    assert scheduler.step(clock.now()) == 102.5
    clock.advance(2.5)
    assert scheduler.step(clock.now()) is None

    assert done == [102.5]


def test_one_process_cannot_hold_the_others_up():
    """Law 7: a process with a full mailbox yields after a bounded number of receives; timed-out ones count."""
    scheduler = Scheduler(ManualClock())
    order = []

    async def greedy():
        while True:
            await receive(timeout=0, default=None)
            order.append("greedy")

    async def modest():
        order.append("modest")

    scheduler.spawn(greedy, ())
    scheduler.spawn(modest, ())
    scheduler.turn(iter(range(1000)).__next__, 2.0)

    assert 0 < order.index("modest") <= 1000


@pytest.mark.parametrize(("milliseconds", "steps"), [(2, 1), (0.6, 2), (0.3, 4), (0.11, 10), (0.01, 100)])
def test_a_turn_with_slow_steps_lasts_no_longer(milliseconds, steps):
    """Law 7: what is looked at after some quick steps is looked at after each slow one."""
    clock, taken = ManualClock(), []
    scheduler = Scheduler(clock)

    async def slow():
        while True:
            taken.append(clock.now())
            clock.advance(milliseconds / 1000)
            await sleep(0)

    with as_this_threads(scheduler):
        scheduler.spawn(slow, ())
        scheduler.spawn(slow, ())
        scheduler.step(clock.now())

    assert steps <= len(taken) <= 1.3 * steps + 1


def test_a_turn_lasts_a_millisecond():
    """Law 7: with processes that are always ready, a step still ends, and asks to be called again at once."""

    class TickingClock:
        """Moves on by a tenth of a millisecond whenever somebody looks."""

        def __init__(self):
            self.looks = 0

        def now(self):
            self.looks += 1
            return self.looks / 10_000

    async def spin():
        while True:
            await sleep(0)

    clock = TickingClock()
    scheduler = Scheduler(clock)
    with as_this_threads(scheduler):
        for _ in range(10):
            scheduler.spawn(spin, ())
        deadline = scheduler.step(clock.now())

    assert deadline == 0.0001
    assert clock.now() < 0.002


@contextmanager
def as_this_threads(scheduler):
    enter(scheduler)
    try:
        yield
    finally:
        leave(scheduler)


def test_each_process_has_its_own_context(runtime):
    """Law 5: a child starts with its parent's values; what it sets is its own."""
    variable = contextvars.ContextVar("variable", default="unset")

    async def child():
        before = variable.get()
        variable.set("child's")
        return before

    async def main():
        variable.set("parent's")
        spawn_monitor(child)
        await receive()
        return variable.get()

    assert runtime.run(main) == "parent's"


def test_print_goes_to_the_group_leader(capsys, runtime):
    """Law 5: also from threads, child tasks and spawned processes; without one to the real output."""
    sink = io.StringIO()

    async def grandchild():
        print("process")

    async def child():
        print("here")
        await asyncio.to_thread(print, "thread")
        await asyncio.create_task(asyncio.to_thread(print, "task"))
        assert group_leader() is sink
        spawn_monitor(grandchild)
        await receive()

    async def main():
        monitor(spawn(child, group_leader=sink))
        await receive()
        print("real")

    runtime.run(main)

    assert sink.getvalue() == "here\nthread\ntask\nprocess\n"
    assert capsys.readouterr().out == "real\n"


def test_logging_goes_to_the_group_leader(runtime):
    """Law 5: a handler that writes to sys.stderr writes to the group leader of the process that logs."""
    sink = io.StringIO()

    async def child():
        logging.getLogger("midflight.test").warning("said in %r", self_())

    async def main():
        handler = logging.StreamHandler()
        logging.getLogger("midflight.test").addHandler(handler)
        try:
            pid = spawn(child, group_leader=sink)
            monitor(pid)
            await receive()
            return pid
        finally:
            logging.getLogger("midflight.test").removeHandler(handler)

    pid = runtime.run(main)

    assert sink.getvalue() == f"said in {pid!r}\n"


def test_process_info(runtime):
    """P26 and ours; None for a dead one."""

    async def child():
        process_dictionary()["key"] = "value"
        await receive("only this")

    async def main():
        me = self_()
        pid = spawn(child, name="looked-at")
        pid << "unmatched"
        await sleep(0)
        info = process_info(pid)
        assert registered() == ["looked-at"]
        assert processes() == [me, pid]
        exit(pid, "kill")
        assert process_info(pid) is None
        return me, info

    me, info = runtime.run(main)

    expected = {
        "status": "waiting",
        "messages": ["unmatched"],
        "message_queue_len": 1,
        "registered_name": "looked-at",
        "dictionary": {"key": "value"},
        "waiting_for": "message",
        "parent": me,
        "version": None,
        "module": __name__,
        "function": "test_process_info.<locals>.child",
    }
    assert {key: info[key] for key in expected} == expected
    source = inspect.getsource(test_process_info).splitlines()
    first = inspect.getsourcelines(test_process_info)[1]
    assert source[info["line"] - first].strip() == 'await receive("only this")'


def test_reductions_count_what_a_process_was_given(runtime):
    """A step is one, and each message taken in it; a process that waits gets none."""

    async def take_all():
        while True:
            await receive()

    async def main():
        pid = spawn(take_all)
        await sleep(0)
        begun = process_info(pid)["reductions"]
        for number in range(10):
            pid << number
        await sleep(0)
        busy = process_info(pid)["reductions"]
        await sleep(0)
        return begun, busy, process_info(pid)["reductions"]

    begun, busy, later = runtime.run(main)

    assert begun == 1
    assert busy >= begun + 10
    assert later == busy


def test_pids_are_values():
    """Ordered by age, shown as Erlang's, copied as themselves."""
    import copy

    first, second = Pid(1), Pid(2)

    assert repr(first) == "<0.1.0>"
    assert first < second
    assert copy.deepcopy([first])[0] is first
