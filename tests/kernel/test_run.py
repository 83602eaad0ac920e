"""`midflight.run`: what it returns and raises, and how a program ends."""

from __future__ import annotations

import asyncio
import threading

import pytest

import midflight
from midflight import (
    Down,
    ProcessExit,
    exit,
    monitor,
    receive,
    sleep,
    spawn,
    trap_exit,
)
from midflight.kernel import schedulers


def test_run_returns_or_raises_what_its_first_process_did():
    """midflight.run: the result, the exception, or ProcessExit(reason)."""

    async def answer():
        return 42

    async def fail():
        raise ValueError("raised")

    async def leave():
        raise ProcessExit("left")

    assert midflight.run(answer) == 42
    assert midflight.run(lambda: 43) == 43
    with pytest.raises(ValueError, match="raised"):
        midflight.run(fail)
    with pytest.raises(ProcessExit) as left:
        midflight.run(leave)
    assert left.value.reason == "left"


def test_run_ends_the_other_processes():
    """They get "shutdown" and may clean up."""
    cleaned = []

    async def other():
        try:
            await receive()
        finally:
            await asyncio.sleep(0)
            cleaned.append("up")

    async def main():
        spawn(other)
        await sleep(0)

    midflight.run(main)

    assert cleaned == ["up"]


def test_without_a_runtime_the_error_says_so():
    """spawn outside a runtime tells what to do."""
    with pytest.raises(RuntimeError, match=r"midflight\.run"):
        spawn(lambda: None)


def test_at_the_end_of_a_program_parents_are_told_first():
    """So a supervisor ends its children itself; those without a living parent are told by the runtime."""
    told = []

    async def child(name):
        try:
            await receive()
        except ProcessExit as exit_:
            told.append((name, exit_.reason))
            raise

    async def parent():
        trap_exit(True)
        pids = [spawn(child, number) for number in (1, 2)]
        await receive()
        for pid in reversed(pids):
            monitor(pid)
            exit(pid, "told by its parent")
            await receive(Down)

    async def main():
        spawn(child, "orphan")
        spawn(parent)
        await sleep(0)
        await sleep(0)

    midflight.run(main)

    assert told == [("orphan", "shutdown"), (2, "told by its parent"), (1, "told by its parent")]


def test_many_processes_end_quickly_with_the_program():
    """Ending takes one pass, however many there are: 20,000 waiting ones, each told once."""
    told = []

    async def wait():
        try:
            await receive()
        finally:
            told.append(1)

    async def main():
        for _ in range(20_000):
            spawn(wait)
        await sleep(0)

    midflight.run(main)

    assert len(told) == 20_000


def test_many_calls_of_other_threads_share_a_turn():
    """A thread that asks for much has not one turn made for each wish: beside a busy process each lasts 1 ms."""

    async def main():
        scheduler = schedulers()[0]
        futures = []

        def ask():
            futures.extend(scheduler.call_threadsafe(lambda: "done") for _ in range(1000))

        before = scheduler.turns
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        for _ in range(3):
            await asyncio.sleep(0)
        return [future.result(timeout=0) for future in futures], scheduler.turns - before

    results, turns = midflight.run(main)

    assert results == ["done"] * 1000
    assert turns < 10
