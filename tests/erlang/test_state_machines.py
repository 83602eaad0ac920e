"""The cases p50 and p51, of gen_statem. Each test prints the lines of its case."""

from __future__ import annotations

import math

import pytest

from midflight import (
    CallError,
    Next,
    StateMachine,
    Stop,
    call,
    cast,
    exit,
    is_alive,
    monitor,
    receive,
    self_,
    sleep,
    spawn,
)
from midflight.otp import sys as otp_sys

same, differs = pytest.mark.same, pytest.mark.differs


@same
def test_p50_statem_events(t, expected):
    """A Next has OTP's actions by their names; `timeouts` are the generic ones, and math.inf cancels."""

    class Machine(StateMachine):
        state_enter = True

        def init(self):
            self.seen = []
            return "a"

        def handle_event(self, kind, content, state):
            if content == "seen":
                return Next(reply=self.seen)
            if type(content) is Next:
                self.seen.append((kind, state))
                return content
            self.seen.append((kind, content, state))
            return Next(state_timeout=(0.02, "from_enter")) if (kind, state) == ("enter", "enters") else None

    async def seen(*events, wait=0.0):
        pid = await Machine.start()
        await otp_sys.suspend(pid)
        for event in events:
            cast(pid, event)
        await otp_sys.resume(pid)
        await sleep(wait)
        t.o(await call(pid, "seen"))

    internal = [("internal", 1), ("internal", 2)]

    async def main():
        await seen(Next(events=internal, state_timeout=(0, "zero"), timeouts={"x": (0, "named")}), "last")
        await seen(Next(postpone=True), "two", Next("b", events=[("internal", "first")]), "last")
        await seen(Next(events=internal[:1], event_timeout=(0, "lost")), "last")
        await seen(Next(event_timeout=(0, "zero")), "last")
        await seen(Next("b"), Next("b"), Next(repeat=True), Next("a"))
        await seen(Next("b", postpone=True))
        await seen(Next(state_timeout=(0.02, "lost")), Next("b", state_timeout=(0.05, "kept")), wait=0.2)
        await seen(Next(event_timeout=(0.02, "lost")), "other", Next(event_timeout=(0.02, "alone")), wait=0.2)
        both = {"x": (0.02, "kept"), "y": (0.02, "lost")}
        await seen(Next(timeouts=both), Next("b", timeouts={"y": math.inf}), wait=0.2)
        await seen(Next(state_timeout=(0.02, "first")), Next(state_timeout=(0.06, "second")), wait=0.2)
        await seen(Next(state_timeout=(0.02, "stays")), Next(repeat=True), wait=0.2)
        await seen(Next("enters"), wait=0.2)

    t.run(main)

    assert t.printed == expected


@differs("A callback that returns what is no Next ends the machine with a TypeError.")
def test_p51_statem_calls(t, expected):
    """`handle_event` not defined: a state is a method, as OTP's state functions."""

    class Machine(StateMachine):
        def init(self):
            self.heard = []
            return "locked"

        def locked(self, kind, content):
            match kind, content:
                case "info", message:
                    self.heard.insert(0, message)
                case _, ("code", 7):
                    return Next("open", reply="welcome")
                case _, ("code", _):
                    return Next(reply="wrong")
                case _, "walk":
                    return Next(postpone=True)
                case _, "bad_return":
                    return "nonsense"
                case _, ("keep", new):
                    heard = list(self.heard)
                    self.heard.insert(0, new)
                    return Next(reply=heard)
            return None

        def open(self, kind, content):
            if content == "leave":
                raise Stop("normal", reply="bye")
            return Next(reply="walked")

    async def walk(pid, word, top):
        try:
            top << (word, await call(pid, "walk"))
        except CallError as error:
            top << (word, error.reason)

    async def main():
        pid = await Machine.start()
        spawn(walk, pid, "first", self_())
        await t.s()
        t.o(await call(pid, ("code", 1)))
        t.o(await t.recv(0.02))
        pid << "hello"
        t.o(await call(pid, ("keep", "x")))
        t.o(await call(pid, ("code", 7)))
        t.o(await t.recv(0.2))
        state = (await otp_sys.get_state(pid)).state
        t.o((state, await call(pid, "leave"), is_alive(pid)))
        other = await Machine.start()
        spawn(walk, other, "ended", self_())
        await t.s()
        exit(other, "kill")
        t.o(await t.recv(0.2))
        last = await Machine.start()
        watch = monitor(last)
        with pytest.raises(CallError):
            await call(last, "bad_return")
        t.o(type((await receive((watch, ..., ...))).reason).__name__)

    t.run(main)

    assert t.printed == expected.but(("bad_return_from_state_function", "'TypeError'"))
