"""Tracing: what is told of chosen processes, what it costs where nothing is traced, and its bounds."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from midflight import Exit, Runtime, call, exit, link, receive, register, self_, sleep, spawn, spawn_link, trap_exit
from midflight.kernel import Scheduler, Trace, current_scheduler, follow, leave, tracing
from midflight.otp import GenServer


async def settle() -> None:
    for _ in range(20):
        await sleep(0)


def run(body: Any, **options: Any) -> list[tuple[Any, ...]]:
    """Run `body(trace)` as a process, with a trace of everybody it asks for; return the events as tuples."""

    async def main() -> list[tuple[Any, ...]]:
        async with Runtime() as runtime:
            trace = Trace(**options)
            follow(runtime.scheduler, trace)
            await runtime.run(body, trace)
            leave(runtime.scheduler, trace)
            return [(each.kind, each.pid, each.other, each.text) for each in trace.take(10_000)[0]]

    return asyncio.run(main())


async def counter(total: int) -> Any:
    match await receive():
        case ("add", n):
            return counter(total + n)


def test_messages_are_told_at_both_ends() -> None:
    """Out of the sender and into the receiver, in the order they passed."""
    pids: list[Any] = []

    async def body(trace: Trace) -> None:
        pids.extend((self_(), spawn(counter, 0)))
        trace.processes.update((self_().process, pids[1].process))
        pids[1] << ("add", 1)
        await settle()

    events = run(body, kinds=("in", "out"))
    me, pid = pids

    assert events == [("out", me, pid, "('add', 1)"), ("in", pid, me, "('add', 1)")]


def test_tail_calls_spawns_links_and_exits_are_told() -> None:
    """With arguments and reasons as printed."""

    async def body(trace: Trace) -> None:
        trace.new = True
        trap_exit(True)
        pid = spawn_link(counter, 5)
        pid << ("add", 1)
        await settle()
        exit(pid, "enough")
        await receive(Exit)

    events = run(body, kinds=("call", "spawn", "link", "exit"))

    assert [event[0] for event in events if event[0] != "link"] == ["spawn", "call", "exit"]
    assert [event[3].rpartition("test_tracing.")[2] for event in events if event[0] == "spawn"] == ["counter(5)"]
    assert [event[3] for event in events if event[0] == "call"] == ["counter(total=6)"]
    assert [event[3] for event in events if event[0] == "exit"] == ["'enough'"]
    assert sum(event[0] == "link" for event in events) == 1


def test_children_and_names_are_followed() -> None:
    """A name stands for whoever has it at the time."""
    seen: list[Any] = []

    async def parent() -> None:
        seen.append(spawn(counter, 0))
        await receive("never")

    async def body(trace: Trace) -> None:
        trace.names.add("one")
        first, second = spawn(parent, name="one"), spawn(counter, 0)
        await settle()
        seen[0] << "to the child"
        second << "to nobody who is followed"
        register("two", second)
        exit(first, "kill")
        await settle()
        spawn(counter, 0, name="one") << "to the next"
        await settle()

    events = run(body, kinds=("in",), children=True)

    assert [event[3] for event in events] == ["'to the child'", "'to the next'"]


def test_messages_of_other_threads_and_of_calls_are_told() -> None:
    """The slow door is for all, and answers of servers take it too."""

    class Echo(GenServer):
        def handle_call(self, request: Any, client: Any) -> Any:
            return request

    async def body(trace: Trace) -> None:
        trace.processes.add(self_().process)
        me = self_()
        thread = threading.Thread(target=lambda: me << "from a thread")
        thread.start()
        assert await receive() == "from a thread"
        thread.join()
        pid = await Echo.start()
        assert await call(pid, "hello") == "hello"

    events = run(body, kinds=("in", "out"))

    assert ("in", events[0][1], None, "'from a thread'") in events
    assert any(event[0] == "out" and "hello" in event[3] for event in events)
    assert any(event[0] == "in" and "hello" in event[3] for event in events)


def test_scheduler_is_as_before_when_the_last_trace_leaves() -> None:
    """No method is swapped, the fast door is open."""

    async def main() -> None:
        async with Runtime() as runtime:
            scheduler = runtime.scheduler
            before, door = set(vars(scheduler)), scheduler.fast_thread
            one, two = Trace(everyone=True), Trace(everyone=True)
            follow(scheduler, one)
            follow(scheduler, two)
            leave(scheduler, one)
            assert scheduler.fast_thread != door
            leave(scheduler, two)
            leave(scheduler, two)

            assert set(vars(scheduler)) == before
            assert (scheduler.fast_thread, scheduler.tracer, scheduler.tail_called) == (door, None, None)
            assert scheduler.spawn.__func__ is Scheduler.spawn  # type: ignore[attr-defined]

    asyncio.run(main())


def test_too_many_events_are_counted_not_kept() -> None:
    """At most 200 in a tenth of a second; the count goes with the next that are taken, once."""

    async def main() -> None:
        async with Runtime() as runtime:
            trace = Trace(("in",), everyone=True)
            follow(runtime.scheduler, trace)

            async def flood() -> None:
                pid = spawn(counter, 0)
                for n in range(1000):
                    pid << ("add", n)
                await settle()

            runtime.scheduler.clock.now = lambda: 5.0  # type: ignore[method-assign]  # all in one window
            await asyncio.wait_for(_ended(runtime, flood), 10)
            leave(runtime.scheduler, trace)

            events, dropped = trace.take(10_000)
            assert (len(events), dropped >= 800) == (200, True)
            assert trace.take(1) == ([], 0)

    asyncio.run(main())


async def _ended(runtime: Runtime, function: Any) -> None:
    over = asyncio.Event()

    async def main() -> None:
        await function()
        over.set()

    runtime.spawn(main)
    await over.wait()


def test_paused_trace_is_told_nothing() -> None:
    """And does not count what it misses."""

    async def body(trace: Trace) -> None:
        trace.take(10)
        trace.is_paused = True
        spawn(counter, 0) << ("add", 1)
        await settle()
        assert trace.take(10) == ([], 0)

    run(body, everyone=True)


def test_value_that_cannot_be_printed_does_no_harm() -> None:
    """The message arrives all the same."""

    class Bad:
        def __repr__(self) -> str:
            raise KeyError("no")

    async def body(trace: Trace) -> None:
        bad = Bad()
        self_() << bad
        assert await receive() is bad

    events = run(body, kinds=("in",), everyone=True)

    assert len(events) == 1
    assert "Bad" in events[0][3]


def test_order_of_messages_is_the_same_while_traced() -> None:
    """And so is what a process that copies messages gets: a copy."""

    async def main() -> None:
        async with Runtime(copy_messages=True) as runtime:
            trace = Trace(everyone=True)
            follow(runtime.scheduler, trace)

            async def body() -> None:
                sent = [1]
                for n in range(100):
                    self_() << (n, sent)
                got = [await receive() for _ in range(100)]
                assert [n for n, _ in got] == list(range(100))
                assert all(each is not sent for _, each in got)
                link(spawn(counter, 0))

            await runtime.run(body)
            leave(runtime.scheduler, trace)
            assert runtime.scheduler.fast_thread == -1, "it copies"

    asyncio.run(main())


def test_follow_works_from_a_process() -> None:
    """Tail calls are told from the next turn on."""

    async def body(trace: Trace) -> None:
        other = Trace(("in",), everyone=True)
        follow(current_scheduler(), other)
        self_() << "hello"
        assert [event.text for event in other.take(10)[0]] == ["'hello'"]
        leave(current_scheduler(), other)

    run(body)


@pytest.mark.parametrize("kind", tracing.KINDS)
def test_only_the_wanted_kinds_are_told(kind: str) -> None:
    """One at a time."""

    async def body(trace: Trace) -> None:
        pid = spawn(counter, 0)
        link(pid)
        pid << ("add", 1)
        await settle()
        pid << "end"
        await settle()

    assert {event[0] for event in run(body, kinds=(kind,), everyone=True)} == {kind}


def test_what_is_dropped_is_told_though_no_event_comes_behind_it() -> None:
    """Once after each taking; what takes the events hears of the last loss, too."""
    told: list[int] = []
    trace = Trace(on_event=lambda: told.append(trace.dropped))
    for _ in range(tracing.EVENTS_A_WINDOW):
        assert trace.has_room(0.0)

    assert not trace.has_room(0.0)
    assert not trace.has_room(0.0)
    assert (told, trace.take(1)) == ([1], ([], 2))

    assert not trace.has_room(0.0)
    assert (told, trace.take(1)) == ([1, 1], ([], 1))
