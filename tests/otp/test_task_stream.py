"""Streams of tasks: concurrency, order, timeouts, and what is left when nobody reads on."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.servers import advance_later, settle
from midflight import ProcessExit, Task, TaskTimeout, process_info, processes, receive, self_, sleep, trap_exit
from midflight.kernel import ManualClock
from midflight.testing import TestRuntime


async def double(number):
    await sleep(0)
    return number * 2


async def double_after(pair):
    number, steps = pair
    for _ in range(steps):
        await sleep(0)
    return number * 2


async def wait_for_go(number):
    await receive("go")
    return number


async def fail_on_odd(number):
    if number % 2:
        raise ProcessExit(f"odd {number}")
    return number


async def outcomes_of(stream):
    """Return all that a stream gives."""
    return [outcome async for outcome in stream]


def test_a_stream_gives_the_values_in_order(runtime):
    """One task an item, of any iterable."""

    async def main():
        return await outcomes_of(Task.stream(iter(range(20)), double))

    assert runtime.run(main) == [("ok", number * 2) for number in range(20)]


def test_an_empty_stream_ends(runtime):
    """At once."""

    async def main():
        return await outcomes_of(Task.stream([], double))

    assert runtime.run(main) == []


def test_no_more_than_max_concurrency_run_at_once(runtime):
    """And as many do: the next starts when one ends, whether or not its value can be taken yet."""
    started = []

    async def note_and_wait(number):
        started.append(self_())
        await receive("go")

    async def release():
        counts = []
        for number in (2, 1, 3, 0, 4, 5):
            await settle()
            counts.append(len(started))
            started[number] << "go"
        return counts

    async def main():
        releasing = Task.start(release)
        await outcomes_of(Task.stream(range(6), note_and_wait, max_concurrency=3))
        return await releasing.result()

    assert runtime.run(main) == [3, 4, 5, 6, 6, 6]


def test_items_are_read_as_tasks_start(runtime):
    """An endless source is no trouble."""
    read = []

    def source():
        number = 0
        while True:
            read.append(number)
            yield number
            number += 1

    async def main():
        found = []
        async for _, value in Task.stream(source(), double, max_concurrency=2):
            found.append(value)
            if len(found) == 5:
                break
        return found

    assert runtime.run(main) == [0, 2, 4, 6, 8]
    assert len(read) <= 8


@pytest.mark.parametrize(("ordered", "values"), [(True, [0, 2, 4]), (False, [4, 2, 0])])
def test_order_is_kept_or_not(runtime, ordered, values):
    """Not ordered, a value comes when its task is done."""

    async def main():
        pairs = [(0, 30), (1, 20), (2, 10)]
        return [value async for _, value in Task.stream(pairs, double_after, ordered=ordered)]

    assert runtime.run(main) == values


@given(
    steps=st.lists(st.integers(0, 12), max_size=12),
    max_concurrency=st.integers(1, 5),
    ordered=st.booleans(),
)
def test_every_item_gives_one_outcome(steps, max_concurrency, ordered):
    """Whatever they take, and however many run; in order if asked."""
    runtime = TestRuntime(ManualClock())

    async def main():
        stream = Task.stream(enumerate(steps), double_after, max_concurrency=max_concurrency, ordered=ordered)
        return [value async for _, value in stream], process_info(self_())["messages"]

    try:
        values, messages = runtime.run(main)
    finally:
        runtime.close()

    expected = [number * 2 for number in range(len(steps))]
    assert (values if ordered else sorted(values)) == expected
    assert messages == []


@pytest.mark.parametrize("trap", [True, False])
def test_failures_of_unlinked_tasks_are_outcomes(runtime, trap):
    """In their place; nobody else ends. An owner that traps exits may have them linked."""

    async def main():
        trap_exit(trap)
        stream = Task.stream(range(4), fail_on_odd, linked=trap)
        return await outcomes_of(stream), process_info(self_())["messages"]

    assert runtime.run(main) == ([("ok", 0), ("exit", "odd 1"), ("ok", 2), ("exit", "odd 3")], [])


def test_a_linked_task_that_fails_ends_the_owner(runtime):
    """As Task.start's do."""

    async def main():
        await outcomes_of(Task.stream([2, 1], fail_on_odd))

    with pytest.raises(ProcessExit) as caught:
        runtime.run(main)
    assert caught.value.reason == "odd 1"


def test_a_task_that_takes_too_long_ends_the_stream(runtime, clock):
    """TaskTimeout; the others are killed too."""

    async def main():
        before = processes()
        advance_later(clock, 5)
        with pytest.raises(TaskTimeout):
            await outcomes_of(Task.stream(range(3), wait_for_go))
        await settle()
        return processes() == before

    assert runtime.run(main)


def test_a_task_that_takes_too_long_is_killed(runtime, clock):
    """With kill_task: an outcome of its own; the others have their own time."""

    async def slow_on_1(number):
        if number == 1:
            await receive("go")
        return number

    async def main():
        advance_later(clock, 2)
        stream = Task.stream(range(3), slow_on_1, timeout=2, on_timeout="kill_task", max_concurrency=1)
        return await outcomes_of(stream), process_info(self_())["messages"]

    assert runtime.run(main) == ([("ok", 0), ("exit", "timeout"), ("ok", 2)], [])


def test_leaving_the_loop_kills_what_runs(runtime):
    """When the generator is closed; the owner lives."""

    async def main():
        before = processes()
        stream = Task.stream(range(5), double_after_first)
        async for _ in stream:
            break
        await stream.aclose()
        await settle()
        return processes() == before, process_info(self_())["messages"]

    async def double_after_first(number):
        return number if number == 0 else await receive("go")

    assert runtime.run(main) == (True, [])


def test_a_stream_that_is_forgotten_kills_what_runs(runtime):
    """Python closes the generator in a task of asyncio's, which is no process."""

    async def read_one():
        async for _ in Task.stream(range(5), first_only):
            return

    async def first_only(number):
        return number if number == 0 else await receive("go")

    async def main():
        before = processes()
        await read_one()
        for _ in range(3):
            await asyncio.sleep(0)  # the event loop's turn
        return processes() == before, process_info(self_())["messages"]

    assert runtime.run(main) == (True, [])


def test_a_stream_leaves_other_messages_alone(runtime):
    """They wait in the owner's mailbox, in order."""

    async def main():
        for number in range(3):
            self_() << number
        values = await outcomes_of(Task.stream(range(3), double))
        return len(values), [await receive() for _ in range(3)]

    assert runtime.run(main) == (3, [0, 1, 2])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"max_concurrency": 0}, "max_concurrency must be"),
        ({"max_concurrency": 1.5}, "max_concurrency must be"),
        ({"on_timeout": "panic"}, "on_timeout must be"),
        ({"timeout": -1}, "timeout must be"),
    ],
)
def test_bad_options_are_refused(options, text):
    """At once, before anything is read or started."""
    with pytest.raises(ValueError, match=text):
        Task.stream(range(3), double, **options)


@pytest.mark.parametrize(("wanted", "started"), [(1, 2), (2, 3), (5, 6)])
@pytest.mark.parametrize("ordered", [True, False])
def test_no_task_is_started_before_an_outcome_that_is_due_is_given(runtime, wanted, started, ordered):
    """Who leaves the loop after so many has started those, and what ran beside the last."""
    items = []

    async def work(item):
        return item

    def source():
        for item in range(100):
            items.append(item)
            yield item

    async def main():
        async with aclosing(Task.stream(source(), work, max_concurrency=2, ordered=ordered)) as outcomes:
            for _ in range(wanted):
                await anext(outcomes)
        return len(items)

    assert runtime.run(main) == started
