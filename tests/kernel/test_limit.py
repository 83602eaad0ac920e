"""What a program has defined and the runtime calls outside a process's step is broken off when it does not return."""

from __future__ import annotations

import time
from contextlib import contextmanager

import midflight
from midflight import Down, exit, receive, self_, sleep, spawn_monitor
from midflight.kernel import Trace, follow, leave, schedulers
from midflight.watchdog import Watchdog


class Endless:
    """An object whose `__repr__` never returns."""

    def __repr__(self):
        while True:
            pass


class AlsoEndless(Endless):
    """Of another type, so its `__repr__` is called, too."""


@contextmanager
def quick_watchdog():
    """Have the runtime's limit watched as the server does, with a tenth of the patience."""
    watchdog = Watchdog(schedulers()[0], look_seconds=0.02, stuck_seconds=0.1)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.stop()


async def fail(*_):
    raise ValueError("the cause")


def test_a_report_with_a_repr_that_never_returns_is_made_without_it(caplog):
    """Monitors have heard before; the others go on; a hundred such objects of a type cost the time of one."""

    async def main():
        with quick_watchdog():
            began = time.monotonic()
            pid, _ = spawn_monitor(fail, [Endless() for _ in range(100)], AlsoEndless(), "shown")
            down = await receive(Down)
            return down.pid == pid, time.monotonic() - began

    heard, seconds = midflight.run(main)

    assert heard
    assert seconds < 5
    assert "Endless object whose __repr__ did not return in time" in caplog.text
    assert "AlsoEndless object whose __repr__ did not return in time" in caplog.text
    assert "'shown'" in caplog.text
    assert "ValueError: the cause" in caplog.text


def test_a_listener_that_never_returns_is_left_out(caplog):
    """The next listener hears, and the next crash is not given to it."""
    heard, asked = [], []

    def endless(report):
        asked.append(report.number)
        while True:
            pass

    async def main():
        schedulers()[0].on_crash[:] = [endless, lambda report: heard.append(report.number)]
        with quick_watchdog():
            for _ in range(2):
                spawn_monitor(fail)
                await receive(Down)

    midflight.run(main)

    assert len(asked) == 1
    assert len(heard) == 2
    assert "is left out from now on" in caplog.text


def test_a_clean_up_of_a_killed_process_that_never_returns_is_broken_off(caplog):
    """It is dead, all have been told, and it holds nobody up."""

    async def stay():
        try:
            await receive()
        finally:
            while True:
                pass

    async def main():
        with quick_watchdog():
            pid, _ = spawn_monitor(stay)
            await sleep(0)
            exit(pid, "kill")
            return (await receive(Down)).reason

    assert midflight.run(main) == "killed"
    assert "its clean-up raised" in caplog.text


def test_a_traced_message_whose_repr_never_returns_arrives():
    """The trace says so in its place."""

    class Traced(Endless):
        pass

    trace = Trace(everyone=True)

    async def main():
        follow(schedulers()[0], trace)
        try:
            with quick_watchdog():
                self_() << Traced()
                return type(await receive())
        finally:
            leave(schedulers()[0], trace)

    assert midflight.run(main) is Traced
    texts = [event.text for event in trace.take(100)[0]]
    assert "<Traced object whose __repr__ did not return in time>" in texts


def test_what_a_process_does_itself_has_no_limit():
    """A process that works for long is reported, and not broken off."""

    def work():
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            pass
        return "done"

    async def main():
        with quick_watchdog():
            spawn_monitor(work)
            return (await receive(Down)).reason

    assert midflight.run(main) == "normal"


def test_the_look_of_an_editor_is_broken_off():
    """Somebody's list of processes must not make every process stand still."""

    async def main():
        scheduler = schedulers()[0]
        with quick_watchdog():
            looked = scheduler.call_threadsafe(scheduler.limit.run, repr, Endless())
            while not looked.done():
                await sleep(0)
            return type(looked.exception(timeout=0)).__name__

    assert midflight.run(main) == "TookTooLong"
