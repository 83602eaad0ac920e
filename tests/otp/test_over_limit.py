"""Policies for a process over a limit that neither kill nor only warn: requests are refused, or a function decides."""

from __future__ import annotations

import asyncio
import logging
import sys

import pytest

from helpers.servers import settle
from midflight import (
    CallError,
    GenServer,
    ProcessExit,
    call,
    cast,
    code,
    is_alive,
    limit_process,
    link,
    receive,
    register,
    self_,
    send_after,
    spawn,
    trap_exit,
)
from midflight.otp import LimitReport
from midflight.otp import sys as otp_sys


async def samples(clock, times=1):
    """Let so many samples be taken."""
    for _ in range(times):
        clock.advance(0.5)
        for _ in range(3):
            await asyncio.sleep(0)
        await settle()


def reports(caplog):
    """Return the reports that were logged, without pid and name."""
    return [record.report[2:] for record in caplog.records if isinstance(getattr(record, "report", None), LimitReport)]


class Shedding(GenServer):
    """A server that keeps what it hears; "wait" keeps it busy until somebody says "go on"."""

    max_mailbox = 3
    over_limit = "shed"

    def init(self):
        trap_exit(True)
        self.heard = []

    async def handle_call(self, request, client):
        if request == "wait":
            await receive("go on")
        self.heard.append(request)
        return list(self.heard)

    def handle_cast(self, message):
        self.heard.append(message)

    def handle_info(self, message):
        self.heard.append(message)


async def ask(pid, request, top):
    """Call, and tell what came of it."""
    try:
        await call(pid, request, timeout=None)
        top << (request, "answered")
    except CallError as error:
        top << (request, error.reason)


async def busy_server(cls=Shedding):
    """Start a server that waits in a call."""
    pid = await cls.start()
    spawn(ask, pid, "wait", self_())
    await settle()
    return pid


def test_the_oldest_requests_are_refused(runtime, clock, caplog):
    """Calls fail at once, casts are lost; what is no request stays, in its order."""

    async def main():
        pid = await busy_server()
        for number in range(2):
            spawn(ask, pid, ("call", number), self_())
        await settle()
        cast(pid, "cast 0")
        pid << "info"
        send_after(0, pid, "timer")
        await settle()
        for number in (2, 3):
            spawn(ask, pid, ("call", number), self_())
        await settle()
        cast(pid, "cast 1")
        await samples(clock)
        refused = [await receive() for _ in range(4)]
        pid << "go on"
        heard = await call(pid, "last")
        return refused, heard, await receive(timeout=0, default="nothing")

    refused, heard, rest = runtime.run(main)
    assert refused == [(("call", number), "overloaded") for number in range(4)]
    assert heard == ["wait", "info", "cast 1", "timer", "last"]
    assert rest == ("wait", "answered")
    assert reports(caplog) == [("max_mailbox", 8, 3, False, 5)]
    assert "its 5 oldest requests were refused" in caplog.text


def test_exit_signals_stay(runtime, clock):
    """They are no requests, however many wait."""

    async def main():
        pid = await busy_server()

        async def ends(number):
            link(pid)
            raise ProcessExit(number)

        for number in range(5):
            spawn(ends, number)
        cast(pid, "cast")
        await settle()
        await samples(clock)
        pid << "go on"
        return await call(pid, "last")

    _, *ends, last = runtime.run(main)
    assert ([each.reason for each in ends], last) == ([0, 1, 2, 3, 4], "last")


def test_no_more_is_refused_than_has_to_be(runtime, clock, caplog):
    """Until no more wait than may."""

    async def main():
        pid = await busy_server()
        for number in range(5):
            cast(pid, number)
        await samples(clock, 3)
        pid << "go on"
        return await call(pid, "last")

    assert runtime.run(main) == ["wait", 2, 3, 4, "last"]
    assert reports(caplog) == [("max_mailbox", 5, 3, False, 2)]


def test_where_nothing_can_be_refused_it_is_told_of(runtime, clock, caplog):
    """Once: messages that are no requests, as of a plain process."""

    async def main():
        async def plain():
            limit_process(max_mailbox=3, over_limit="shed")
            await receive("never")

        pid = spawn(plain)
        for number in range(5):
            pid << number
        await samples(clock, 3)
        return is_alive(pid)

    assert runtime.run(main)
    assert reports(caplog) == [("max_mailbox", 5, 3, False, 0)]


def test_a_long_mailbox_stays_what_it_is(runtime, clock):
    """A server that itself waits for an answer, behind a long backlog, gets it; the rest comes in order."""

    class Asks(Shedding):
        max_mailbox = 2000

        async def handle_call(self, request, client):
            if type(request) is not tuple:
                return await super().handle_call(request, client)
            await receive("ask now")
            return await call(request[1], "wait", timeout=None)

    async def main():
        helper = await Shedding.start()
        pid = await Asks.start()
        spawn(ask, pid, ("ask", helper), self_())
        await settle()
        for number in range(2500):
            pid << ("before", number)
        pid << "ask now"
        await settle()
        for number in range(3000):
            cast(pid, number)
            pid << ("behind", number)
        await settle()
        await samples(clock)
        helper << "go on"
        answered = await receive()
        heard = await call(pid, "last", timeout=None)
        return (
            answered[1],
            [each for each in heard if type(each) is tuple],
            [each for each in heard if type(each) is int],
        )

    answered, infos, casts = runtime.run(main)
    assert answered == "answered"
    assert infos == [("before", number) for number in range(2500)] + [("behind", number) for number in range(3000)]
    assert casts == []


@pytest.mark.parametrize(
    ("answer", "alive", "told"),
    [
        ("kill", False, [("max_mailbox", 5, 3, True, 0)]),
        ("warn", True, [("max_mailbox", 5, 3, False, 0)]),
        ("shed", True, [("max_mailbox", 5, 3, False, 2)]),
        (None, True, []),
    ],
)
def test_a_function_decides(runtime, clock, caplog, answer, alive, told):
    """At each look; as a method of the class it is in the newest version."""
    seen = []

    class Decides(Shedding):
        def over_limit(self, report):
            seen.append(report)
            return answer

    async def main():
        pid = await busy_server(Decides)
        for number in range(5):
            cast(pid, number)
        await samples(clock, 2)
        return pid, is_alive(pid)

    pid, is_there = runtime.run(main)
    assert (is_there, reports(caplog)) == (alive, told)
    assert seen == [LimitReport(pid, None, "max_mailbox", 5, 3, False)] * (2 if answer in ("warn", None) else 1)


@pytest.mark.parametrize("wrong", [5, "drop", ValueError("no")])
def test_a_function_that_fails_counts_as_a_warning(runtime, clock, caplog, wrong):
    """It is logged too, and nobody ends of it."""

    def decide(report):
        if isinstance(wrong, Exception):
            raise wrong
        return wrong

    async def main():
        async def plain():
            limit_process(max_mailbox=3, over_limit=decide)
            await receive("never")

        pid = spawn(plain)
        await settle()
        for number in range(5):
            pid << number
        await samples(clock)
        return is_alive(pid)

    assert runtime.run(main)
    assert reports(caplog) == [("max_mailbox", 5, 3, False, 0)]
    assert "The over_limit" in caplog.text


def test_a_server_is_limited_from_its_start_on(runtime, clock):
    """Also one that never took a message: it was suspended before."""

    class Kept(Shedding):
        over_limit = "kill"

    async def main():
        pid = await Kept.start()
        await otp_sys.suspend(pid)
        for number in range(5):
            pid << number
        await samples(clock)
        return is_alive(pid)

    assert runtime.run(main) is False


HELD = """
from midflight import GenServer, receive, send

class Kept(GenServer):
    max_mailbox = 3

    def init(self):
        self.heard = []

    def handle_cast(self, message):
        self.heard.append(message)

    def handle_call(self, request, client):
        return self.heard
"""
CHANGE = """
    async def code_change(self, old_vsn, extra):
        send("test", "begun")
        await receive("go on")
"""


def test_a_server_that_an_upgrade_holds_is_not_killed(project, runtime, clock, caplog):
    """It cannot take its messages; it is told of, and looked at again when it goes on."""
    project.load_text("shelf", HELD)

    async def main():
        register("test", self_())
        pid = await sys.modules["shelf"].Kept.start()
        upgrading = asyncio.create_task(code.upgrade("shelf", HELD + CHANGE))
        await receive("begun")
        for number in range(5):
            cast(pid, number)
        await samples(clock, 2)
        pid << "go on"
        await upgrading
        return await call(pid, "heard")

    assert runtime.run(main) == [0, 1, 2, 3, 4]
    assert reports(caplog) == [("max_mailbox", 5, 3, False, 0)]
    assert {record.levelno for record in caplog.records if hasattr(record, "report")} == {logging.WARNING}
