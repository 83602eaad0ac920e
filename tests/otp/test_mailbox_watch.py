"""A watch over mailboxes that become long."""

from __future__ import annotations

import asyncio
import logging

import pytest

from helpers.servers import settle
from midflight import ChildSpec, MailboxWatch, Supervisor, call, exit, receive, self_, sleep, spawn


async def let_pass(clock, seconds):
    """Move the clock on, and let all others run until they wait."""
    clock.advance(seconds)
    for _ in range(3):
        await asyncio.sleep(0)
    await settle()


async def takes(count):
    """Take so many messages on "take"."""
    while True:
        await receive("take")
        for _ in range(count):
            await receive(int)


async def watched(clock, **options):
    """Start a watch and a process with 5 messages; return the process, and the list of what the hook is told."""
    told = []
    pid = spawn(takes, 3, name="slow")
    await MailboxWatch.start(4, hook=lambda found: told.append(found[1:]), **options)
    for number in range(5):
        pid << number
    await let_pass(clock, 1.0)
    return pid, told


def test_a_long_mailbox_is_told_of_once(runtime, clock, caplog):
    """In the log, and to the hook."""

    async def main():
        _, told = await watched(clock)
        await let_pass(clock, 1.0)
        await let_pass(clock, 1.0)
        return told

    assert runtime.run(main) == [("slow", 5, True)]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "(slow) has 5 messages waiting, more than 4" in caplog.text


def test_it_is_told_when_the_mailbox_is_short_again(runtime, clock):
    """At `low`, half of the limit; then it may become long again."""

    async def main():
        pid, told = await watched(clock)
        pid << "take"
        await let_pass(clock, 1.0)
        for number in range(4):
            pid << number
        await let_pass(clock, 1.0)
        return told

    assert runtime.run(main) == [("slow", 5, True), ("slow", 2, False), ("slow", 6, True)]


def test_between_the_two_nothing_is_told(runtime, clock):
    """So one that is about as long as the limit makes no flood."""

    async def main():
        pid, told = await watched(clock, low=0)
        pid << "take"
        await let_pass(clock, 1.0)
        return told

    assert runtime.run(main) == [("slow", 5, True)]


def test_one_that_ends_is_short(runtime, clock):
    """And it is forgotten."""

    async def main():
        pid, told = await watched(clock)
        exit(pid, "kill")
        await let_pass(clock, 1.0)
        return told

    assert runtime.run(main) == [("slow", 5, True), (None, 0, False)]


def test_a_hook_that_raises_is_logged(runtime, clock, caplog):
    """The watch goes on."""

    async def hook(found):
        await sleep(0)
        raise LookupError("no pager")

    async def main():
        watch = await MailboxWatch.start(0, hook=hook)
        pid = spawn(takes, 1)
        pid << 1
        await let_pass(clock, 1.0)
        return watch.process is not None

    assert runtime.run(main)
    assert "no pager" in caplog.text


@pytest.mark.parametrize(
    "options",
    [{"limit": -1}, {"limit": "many"}, {"low": 11, "limit": 10}, {"seconds": 0}, {"seconds": "x"}, {"hook": 5}],
)
def test_what_cannot_be_a_watch_starts_nothing(runtime, options):
    """At once, in the caller."""

    async def main():
        with pytest.raises((TypeError, ValueError), match="nothing was started"):
            MailboxWatch.start(**options)

    runtime.run(main)


def test_a_watch_in_a_tree(runtime, clock):
    """With its limit as the argument."""

    async def main():
        await Supervisor.start_link([ChildSpec("mailboxes", MailboxWatch, (3,), name="mailboxes")])
        with pytest.raises(Exception, match="was called with"):
            await call("mailboxes", self_())

    runtime.run(main)
