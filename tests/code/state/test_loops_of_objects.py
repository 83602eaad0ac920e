"""Objects of asyncio in a module's state, by the event loop that they are bound to."""

from __future__ import annotations

import asyncio
import threading

from .conftest import kept, told

TEXT = "import asyncio\nEVENT = asyncio.Event()\ndef f(): return 1\n"


def test_one_of_a_loop_that_stands_still_is_made_again_and_it_is_said(thing):
    """The loop is not closed, and nobody runs it: who waits in it waits for ever."""
    thing.load(TEXT)
    old = thing.module.EVENT
    loop = asyncio.new_event_loop()
    waiter = loop.create_task(old.wait())
    loop.run_until_complete(asyncio.sleep(0))

    report = thing.again()

    assert thing.module.EVENT is not old
    assert "it belongs to an event loop that does not run" in told(report, "EVENT")[0][1]
    waiter.cancel()
    loop.run_until_complete(asyncio.gather(waiter, return_exceptions=True))
    loop.close()


def test_one_of_another_loop_that_runs_is_kept(thing):
    """Tasks of that loop wait in it, and what was a lock would keep nobody out beside a second one."""
    thing.load(TEXT)
    old = thing.module.EVENT
    is_waiting = threading.Event()
    loops, outcome = [], []

    async def wait():
        loops.append(asyncio.get_running_loop())
        loops[0].call_soon(is_waiting.set)  # when this waits
        outcome.append(await old.wait())

    thread = threading.Thread(target=lambda: asyncio.run(wait()))
    thread.start()
    assert is_waiting.wait(30)

    report = thing.edit("return 1", "return 2")

    assert thing.module.EVENT is old
    assert kept(report) == ["EVENT"]
    loops[0].call_soon_threadsafe(thing.module.EVENT.set)
    thread.join(30)
    assert outcome == [True]


def test_one_of_no_loop_yet_is_kept(thing):
    """It takes the loop of whoever waits in it first."""
    thing.load(TEXT)
    old = thing.module.EVENT

    thing.edit("return 1", "return 2")

    assert thing.module.EVENT is old
