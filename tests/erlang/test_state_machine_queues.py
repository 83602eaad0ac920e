"""The cases p90 to p92, of gen_statem: postponed events, sys, and the ways in which one ends."""

from __future__ import annotations

import pytest

from midflight import (
    IGNORE,
    CallError,
    CodeChangeError,
    InitFailed,
    Next,
    StateMachine,
    Stop,
    call,
    cast,
    exit,
    self_,
    stop,
)
from midflight.otp import sys as otp_sys

same, differs = pytest.mark.same, pytest.mark.differs


@same
def test_p90_statem_postpone(t, expected):
    """Next(postpone=True), and repeat=True with a state that stays."""

    class Machine(StateMachine):
        def init(self):
            self.seen = []
            return "a"

        def handle_event(self, kind, content, state):
            match content:
                case "seen":
                    return Next(reply=self.seen)
                case ("go", wanted):
                    self.seen.append(("went", wanted))
                    return Next(wanted)
                case "repeat":
                    self.seen.append("repeats")
                    return Next(repeat=True)
                case ("until", wanted, number) if wanted != state:
                    self.seen.append(("put_off", number, state))
                    return Next(postpone=True)
                case ("until", _, _):
                    self.seen.append(("done", content))
                case _:
                    self.seen.append((content, state))

    def until(state, number):
        return "until", state, number

    async def main():
        for events in (
            [until("b", 1), until("b", 2), "other", ("go", "b"), "last"],
            [until("c", 1), until("b", 2), until("c", 3), ("go", "b"), ("go", "c"), "last"],
            [until("b", 1), ("go", "a"), "repeat", ("go", "b")],
            [until("b", 1), ("go", "b"), ("go", "a"), until("b", 2), ("go", "b")],
        ):
            pid = await Machine.start()
            await otp_sys.suspend(pid)
            for event in events:
                cast(pid, event)
            await otp_sys.resume(pid)
            t.o(await call(pid, "seen"))

    t.run(main)

    assert t.printed == expected


@same
def test_p91_statem_sys(t, expected):
    """The state is an attribute as the data are; replace_state changes the object."""

    class Machine(StateMachine):
        def init(self):
            self.data = 1
            return "a"

        def handle_event(self, kind, content, state):
            match content:
                case "get":
                    return Next(reply=shown(self))
                case ("next", wanted):
                    self.data += 1
                    return Next(wanted)
                case ("wait", seconds):
                    return Next(state_timeout=(seconds, "over"))
                case "over":
                    self.data += 100

        def code_change(self, old_vsn, extra):
            if extra == "fail":
                raise LookupError("failed")
            self.state += "_new"
            self.data += extra

    def shown(machine):
        return machine.state, machine.data

    def ten_more(machine):
        machine.data += 10
        return machine

    async def main():
        pid = await Machine.start()
        t.o(shown(await otp_sys.get_state(pid)))
        await otp_sys.suspend(pid)
        cast(pid, ("next", "b"))
        await t.s(0.01)
        t.o(shown(await otp_sys.get_state(pid)))
        t.o(shown(await otp_sys.replace_state(pid, ten_more)))
        await otp_sys.resume(pid)
        t.o(await call(pid, "get"))
        cast(pid, ("wait", 0.03))
        await t.s(0.005)
        await otp_sys.suspend(pid)
        await t.s(0.06)
        t.o(shown(await otp_sys.get_state(pid)))
        await otp_sys.resume(pid)
        t.o(await call(pid, "get"))
        await otp_sys.suspend(pid)
        try:
            await otp_sys.change_code(pid, __name__, "old", "fail")
        except CodeChangeError:
            t.o("error")
        t.o(shown(await otp_sys.get_state(pid)))
        t.o("ok" if await otp_sys.change_code(pid, __name__, "old", 1000) is None else "error")
        await otp_sys.resume(pid)
        t.o(await call(pid, "get"))

    t.run(main)

    assert t.printed == expected


@same
def test_p92_statem_ends(t, expected):
    """raise Stop(reason, reply=...); a call to one that is gone is a CallError, `noproc`."""

    class Machine(StateMachine):
        def init(self, to):
            self.to = to
            if to is IGNORE:
                return IGNORE
            if type(to) is tuple:
                raise Stop(to[1])
            return "a"

        def handle_event(self, kind, content, state):
            match content:
                case ("stop", reason):
                    raise Stop(reason)
                case ("stop", reason, reply):
                    raise Stop(reason, reply=reply)
                case ("next", wanted):
                    return Next(wanted)

        def terminate(self, reason):
            self.to << ("terminate", reason, self.state)

    async def calls(pid, request):
        try:
            return await call(pid, request)
        except CallError as error:
            return "exit", error.reason

    async def casts(pid, request):
        cast(pid, request)
        return "ok"

    async def stops(pid, reason):
        await stop(pid, reason)
        return "ok"

    async def kills(pid, reason):
        exit(pid, reason)
        await t.s(0.01)
        return "ok"

    async def main():
        for end, argument in (
            (casts, ("stop", "normal")),
            (casts, ("stop", "boom")),
            (calls, ("stop", "normal")),
            (calls, ("stop", "boom", "bye")),
            (stops, "normal"),
            (stops, "shutdown"),
            (kills, "kill"),
        ):
            pid = await Machine.start(self_())
            cast(pid, ("next", "b"))
            t.o(await end(pid, argument))
            t.o(await t.recv(0.1))
            t.o(await calls(pid, "x"))
        t.o("ignore" if await Machine.start(IGNORE) is None else "started")
        try:
            await Machine.start(("stop", "no_disk"))
        except InitFailed as error:
            t.o(("error", error.reason))

    t.run(main)

    assert t.printed == expected
