"""Limits of waiting messages and of memory: who is killed, who is told of, and when."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

import pytest

from helpers.servers import settle
from midflight import GenServer, NotInProcess, call, code, is_alive, limit_process, monitor, receive, spawn
from midflight.otp import LimitReport, limits
from midflight.otp import sys as otp_sys


async def samples(clock, times=1, seconds=0.5):
    """Let so many samples be taken."""
    for _ in range(times):
        clock.advance(seconds)
        for _ in range(3):
            await asyncio.sleep(0)
        await settle()


async def waits(**options):
    """Set limits and take no message, until one says so."""
    limit_process(**options)
    kept = []
    while True:
        match await receive(("keep", ...), "take", "unlimit"):
            case ("keep", value):
                kept.append(value)
            case "take":
                while await receive(int, timeout=0, default=None) is not None:
                    pass
            case "unlimit":
                limit_process()


def limited(**options):
    """Spawn a process with limits."""
    return spawn(partial(waits, **options))


def reports(caplog):
    return [record.report[2:6] for record in caplog.records if isinstance(getattr(record, "report", None), LimitReport)]


def test_a_process_with_too_many_messages_is_killed(runtime, clock, caplog):
    """OTP: max_heap_size counts messages too, and kills."""

    async def main():
        pid = limited(max_mailbox=3)
        await settle()
        watch = monitor(pid)
        for number in range(3):
            pid << number
        await samples(clock, 2)
        before = is_alive(pid)
        pid << 3
        await samples(clock)
        return before, (await receive(lambda down: down.ref == watch)).reason

    assert runtime.run(main) == (True, "killed")
    assert reports(caplog) == [("max_mailbox", 4, 3, True)]
    assert "has 4 messages waiting, over its max_mailbox of 3; it is killed" in caplog.text


def test_one_that_is_to_be_told_of_is_told_of_once(runtime, clock, caplog):
    """And again after it was below the limit."""

    async def main():
        pid = limited(max_mailbox=3, over_limit="warn")
        for _ in range(2):
            for number in range(5):
                pid << number
            await samples(clock, 3)
            pid << "take"
            await samples(clock)
        return is_alive(pid)

    assert runtime.run(main) is True
    assert reports(caplog) == [("max_mailbox", 5, 3, False)] * 2
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_a_process_that_holds_too_much_is_killed(runtime, clock, caplog):
    """Its variables count, its messages, and all that is in them; a list is counted with what is in it."""

    async def main():
        kept, sent, small = (limited(max_heap=100_000) for _ in range(3))
        kept << ("keep", [bytes(60_000), {"more": bytes(60_000)}])
        sent << bytes(120_000)
        small << ("keep", bytes(60_000))
        await samples(clock, 2)
        return [is_alive(pid) for pid in (kept, sent, small)]

    assert runtime.run(main) == [False, False, True]
    assert [found[0] for found in reports(caplog)] == ["max_heap"] * 2


def test_what_leads_to_other_processes_is_not_its_own(runtime, clock):
    """Neither the state of a process whose pid it holds, nor its module, its classes and functions."""

    async def main():
        other = spawn(waits)
        other << ("keep", bytes(200_000))
        pid = limited(max_heap=50_000)
        for value in (other, GenServer, samples, pytest):
            pid << ("keep", value)
        await samples(clock, 2)
        return is_alive(pid)

    assert runtime.run(main) is True


def test_a_large_state_is_counted_in_slices(runtime, clock, caplog, monkeypatch):
    """A turn of the event loop gives it a moment only; the count goes on in the next ones."""
    monkeypatch.setattr(limits, "BUDGET_SECONDS", 0.0)

    async def main():
        pid = limited(max_heap=30_000)
        pid << ("keep", [[number] for number in range(500)])
        await settle()
        await samples(clock)
        before = is_alive(pid)
        await samples(clock, 20, 0.02)
        return before, is_alive(pid)

    assert runtime.run(main) == (True, False)


class Kept(GenServer):
    """A server with limits of its class."""

    max_mailbox = 3
    max_heap = 100_000

    def init(self):
        self.kept = []

    def handle_call(self, request, client):
        self.kept.append(request)
        return len(self.kept)


@pytest.mark.parametrize("what", ["mailbox", "heap"])
def test_a_server_has_the_limits_of_its_class(runtime, clock, caplog, what):
    """From its first message on."""

    async def main():
        pid = await Kept.start()
        await call(pid, 1)
        await samples(clock)
        before = is_alive(pid)
        if what == "heap":
            await call(pid, bytes(120_000))
        else:
            await otp_sys.suspend(pid)
            for number in range(4):
                pid << number
        await samples(clock)
        return before, is_alive(pid)

    assert runtime.run(main) == (True, False)
    assert [found[0] for found in reports(caplog)] == [f"max_{what}"]


TEXT = """
from midflight import GenServer

class Kept(GenServer):
    def init(self): self.kept = [bytes(10_000)]
    def handle_call(self, request, client): return 1
"""


def test_a_load_changes_the_limits(runtime, clock, project):
    """Those of the newest version of the class count, from the next message on."""
    project.load_text("shelf", TEXT)
    import shelf

    async def main():
        pid = await shelf.Kept.start()
        await call(pid, 1)
        code.load(project.path("shelf.py"), TEXT.replace("def init", "max_heap = 5_000\n    def init"))
        await samples(clock)
        before = is_alive(pid)
        await call(pid, 1)
        await samples(clock)
        return before, is_alive(pid)

    assert runtime.run(main) == (True, False)


def test_limits_can_be_taken_away(runtime, clock):
    """Called without arguments; then nothing is looked at any more."""

    async def main():
        pid = limited(max_mailbox=3)
        pid << "unlimit"
        await settle()
        for number in range(9):
            pid << number
        await samples(clock, 2)
        return is_alive(pid), len(runtime.loop._scheduled)

    assert runtime.run(main) == (True, 0)


def test_nothing_is_asked_for_without_limits(runtime, clock):
    """No timer runs: a program without limits pays for none."""

    async def main():
        pid = await GenServer.start()
        pid << "anything"
        await settle()
        return len(runtime.loop._scheduled)

    assert runtime.run(main) == 0


def test_wrong_limits_of_a_class_are_told_of(runtime, clock, caplog):
    """Once; the server goes on without."""

    class Wrong(Kept):
        max_mailbox = "many"

    async def main():
        pid = await Wrong.start()
        await call(pid, 1)
        await samples(clock, 3)
        return is_alive(pid)

    assert runtime.run(main) is True
    assert caplog.text.count("max_mailbox must be a whole number >= 1 or None, not 'many'") == 1


@pytest.mark.parametrize(
    "options",
    [
        {"max_mailbox": 0},
        {"max_heap": 1.5},
        {"max_mailbox": 1, "over_limit": "drop"},
        {"max_mailbox": 1, "max_heap": 1, "over_limit": "shed"},
    ],
)
def test_wrong_limits_are_refused(runtime, options):
    """With what is allowed; the limits are as they were."""

    async def main():
        limit_process(**options)

    with pytest.raises(ValueError, match="nothing was changed"):
        runtime.run(main)


def test_they_are_of_a_process():
    """Nobody else has any."""
    with pytest.raises(NotInProcess):
        limit_process(max_mailbox=1)
