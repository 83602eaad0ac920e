"""The cases p* about messages, links and exits. Each test prints the lines of its case.

`t` is the twin of cases/t.erl, so that a test reads line by line beside its .erl.
"""

from __future__ import annotations

import pytest

from midflight import (
    Down,
    Exit,
    NoSuchProcess,
    ProcessExit,
    exit,
    is_alive,
    link,
    process_info,
    receive,
    register,
    self_,
    send,
    spawn,
    spawn_link,
    spawn_monitor,
    trap_exit,
    whereis,
)

same, differs = pytest.mark.same, pytest.mark.differs


async def leave(reason):
    """End with `reason`: Erlang's exit/1."""
    raise ProcessExit(reason)


# --- Send and receive -------------------------------------------------------------------------------


@same
def test_p01_send_to_dead(t, expected):
    """A send to a dead pid is dropped, and its value is the message."""

    async def main():
        pid = spawn(lambda: None)
        await t.s()
        t.o(("alive", is_alive(pid)))
        t.o(pid << "hello")

    t.run(main)

    assert t.printed == expected


@same
def test_p03_order_per_pair(t, expected):
    """By name and by pid is the same pair."""

    async def sender():
        for number in range(1, 11):
            if number % 2 == 0:
                send("me", number)
            else:
                whereis("me") << number

    async def main():
        register("me", self_())
        spawn(sender)
        t.o(await t.mb())

    t.run(main)

    assert t.printed == expected


@same
def test_p04_selective_receive(t, expected):
    """The oldest message that any pattern matches; the others keep their place."""

    async def main():
        for message in ("a", ("n", 1), "b", ("n", 2), "c"):
            self_() << message
        _, number = await receive(("n", ...))
        t.o(("first_n", number))
        t.o(await receive("c"))
        t.o(await t.mb())

    t.run(main)

    assert t.printed == expected


@same
def test_p06_guards(t, expected):
    """A predicate that raises does not match: "abc" + 1 is a TypeError, and nobody sees it."""

    async def main():
        self_() << ("v", "abc")
        self_() << ("v", 5)
        _, value = await receive(lambda message: message[1] + 1 > 3)
        t.o(value)
        t.o(await t.mb())

    t.run(main)

    assert t.printed == expected


@same
def test_p07_after_zero(t, expected):
    """A timeout of 0 looks through the whole mailbox first."""

    async def main():
        self_() << "x"
        self_() << "y"
        t.o(await receive("z", timeout=0, default="timeout"))
        t.o(await receive("y", timeout=0, default="timeout"))
        t.o(await t.mb())

    t.run(main)

    assert t.printed == expected


@same
def test_p09_unmatched_stay(t, expected):
    """A receive that times out takes nothing away."""

    async def main():
        self_() << "junk"
        for _ in range(3):
            await receive("want", timeout=0.001, default="ok")
        t.o(("messages", process_info(self_())["messages"]))

    t.run(main)

    assert t.printed == expected


# --- Links and exits --------------------------------------------------------------------------------


@same
def test_p10_link_crash_spreads(t, expected):
    """The same reason, link by link."""

    async def last(me):
        me << "ready"
        await receive("go")
        raise ProcessExit("boom")

    async def middle(me):
        spawn_link(last, me)
        await receive("x")

    async def first(me):
        spawn_link(middle, me)
        await receive("x")

    async def main():
        a, ref = spawn_monitor(first, self_())
        assert await t.recv() == "ready"
        (b,) = process_info(a)["links"]
        (c,) = (pid for pid in process_info(b)["links"] if pid is not a)
        c << "go"
        down = await receive((ref, a, ...))
        t.o(("a_down", down.reason))

    t.run(main)

    assert t.printed == expected


@same
def test_p12_trap_exit(t, expected):
    """Exit signals come as messages, for normal ends too."""

    async def main():
        t.o(("was", trap_exit(True)))
        for function in (lambda: None, lambda: leave("boom"), lambda: leave("kill"), lambda: leave("normal")):
            spawn_link(function)
            t.o(await t.recv())

    t.run(main)

    assert t.printed == expected


@same
def test_p13_exit2_rules(t, expected):
    """Who is ended by exit(pid, reason), and with what reason."""

    async def target(trap):
        trap_exit(trap)
        match await receive(Exit, timeout=0.5, default=None):
            case Exit(_, reason):
                raise ProcessExit(("got_message", reason))
        raise ProcessExit("lived")

    async def main():
        for trap in (False, True):
            for reason in ("normal", "shutdown", "boom", "kill", "killed"):
                pid, _ = spawn_monitor(target, trap)
                await t.s()
                exit(pid, reason)
                down = await receive(Down)
                t.o(("trap", trap, "sent", reason, "died_of", down.reason))

    t.run(main)

    assert t.printed == expected


@same
def test_p15_kill_reason_over_links(t, expected):
    """A raised "kill" is a reason like others; a sent one shows as "killed"."""

    async def parent():
        spawn_link(leave, "kill")
        await receive("x")

    async def main():
        trap_exit(True)
        spawn_link(leave, "kill")
        t.o(await t.recv())
        pid = spawn_link(receive, "x")
        exit(pid, "kill")
        t.o(await t.recv())
        spawn_monitor(parent)
        t.o(await t.recv())

    t.run(main)

    assert t.printed == expected


@same
def test_p16_link_dead(t, expected):
    """NoSuchProcess is OTP's error noproc."""

    async def main():
        dead = spawn(lambda: None)
        await t.s()
        try:
            link(dead)
        except NoSuchProcess:
            t.o(("not_trapping", "error", "noproc"))
        trap_exit(True)
        link(dead)
        t.o(True)
        t.o(await t.recv())

    t.run(main)

    assert t.printed == expected


@differs(
    "An exit signal unwinds its target with ProcessExit, so `finally` and `async with` run; also on `kill`, up to "
    "their first await, after the others have been told."
)
def test_p34_after_and_kill(t, expected):
    """Python's resources are freed by unwinding; a process that skipped it would keep files and locks."""

    async def tries(way):
        try:
            await receive("raise")
            raise ProcessExit("boom")
        finally:
            t.o(("after_ran", way))

    async def main():
        for way in ("raise", ("signal", "boom"), ("signal", "kill")):
            pid, _ = spawn_monitor(tries, way)
            if way == "raise":
                pid << "raise"
            else:
                await t.s()
                exit(pid, way[1])
            t.o((await receive(Down)).reason)

    t.run(main)

    assert t.printed == expected.but(
        ("boom", "boom", "{after_ran,{signal,boom}}"),
        ("boom", "boom", "{after_ran,{signal,kill}}"),
    )
