"""The cases p96 and p100, of gen_server: one that is suspended, and the ways in which one ends."""

from __future__ import annotations

import pytest

from midflight import (
    CallError,
    CallTimeout,
    GenServer,
    ProcessExit,
    Stop,
    call,
    cast,
    exit,
    monitor,
    receive,
    self_,
    stop,
)
from midflight.otp import sys as otp_sys

same, differs = pytest.mark.same, pytest.mark.differs


async def down(watch):
    """Return what is heard of the end of a process."""
    found = await receive(lambda message: message[0] == watch, timeout=0.3, default=None)
    return "lives" if found is None else ("down", found.reason)


@differs(
    "An exit signal runs terminate: it unwinds every process, where OTP ends one that does not trap exits at once."
)
def test_p96_sys_suspend(t, expected):
    """The call that gave up is handled all the same, as in OTP."""

    class Server(GenServer):
        def init(self, to):
            self.to, self.heard = to, []

        def handle_call(self, request, client):
            if request == "get":
                return self.heard
            self.heard.append(request)
            return request

        def handle_cast(self, message):
            self.heard.append(message)

        def handle_info(self, message):
            self.heard.append(message)

        def terminate(self, reason):
            self.to << ("terminate", reason, self.heard)

    async def answer(waiting):
        t.o("ok" if await waiting is None else "error")

    async def main():
        pid = await Server.start(self_())
        await answer(otp_sys.suspend(pid))
        await answer(otp_sys.suspend(pid))
        cast(pid, "one")
        pid << "two"
        try:
            await call(pid, "lost", 0.02)
        except CallTimeout:
            t.o("timeout")
        t.o((await otp_sys.get_state(pid)).heard)
        await answer(otp_sys.resume(pid))
        await answer(otp_sys.resume(pid))
        t.o(await call(pid, "get"))
        await otp_sys.suspend(pid)
        cast(pid, "three")
        await answer(stop(pid))
        t.o(await t.recv())
        pid = await Server.start(self_())
        await otp_sys.suspend(pid)
        watch = monitor(pid)
        cast(pid, "one")
        exit(pid, "boom")
        t.o(await t.recv())
        t.o(await down(watch))
        pid = await Server.start(self_())
        await otp_sys.suspend(pid)
        watch = monitor(pid)
        exit(pid, "normal")
        t.o(await down(watch))
        exit(pid, "kill")
        t.o(await down(watch))
        try:
            await otp_sys.suspend(pid)
        except CallError as error:
            t.o(error.reason)

    t.run(main)

    assert t.printed == expected.but(("{down,boom}", "{terminate,boom,[]}", "{down,boom}"))


@same
def test_p100_server_ends(t, expected):
    """raise Stop(reason, reply=...) is {stop, ...}; raise ProcessExit(reason) is exit(Reason)."""

    class Server(GenServer):
        def init(self, to):
            self.to = to

        def handle_call(self, request, client):
            match request:
                case ("stop", reason):
                    raise Stop(reason)
                case ("stop", reason, reply):
                    raise Stop(reason, reply=reply)
                case ("exit", reason):
                    raise ProcessExit(reason)
                case "error":
                    raise RuntimeError("boom")

        def handle_cast(self, message):
            raise Stop(message[1])

        def terminate(self, reason):
            self.to << ("terminate", shown(reason))

    def shown(reason):
        return ("boom", "stack") if isinstance(reason, RuntimeError) else reason

    async def calls(pid, request):
        try:
            return await call(pid, request)
        except CallError as error:
            return "exit", shown(error.reason)

    async def main():
        for request in (
            ("stop", "normal"),
            ("stop", "shutdown"),
            ("stop", ("shutdown", "x")),
            ("stop", "boom"),
            ("stop", "boom", "bye"),
            ("exit", "normal"),
            ("exit", "quit"),
            "error",
        ):
            pid = await Server.start(self_())
            watch = monitor(pid)
            t.o((request, await calls(pid, request)))
            t.o(await receive(("terminate", ...)))
            found = await down(watch)
            t.o((found[0], shown(found[1])))
        for reason in ("normal", "shutdown", ("shutdown", "y"), "odd"):
            pid = await Server.start(self_())
            await stop(pid, reason, 1)
            t.o("ok")
            t.o(await t.recv())
        pid = await Server.start(self_())
        cast(pid, ("stop", "normal"))
        t.o(await t.recv())
        await t.s()
        try:
            await stop(pid)
        except CallError as error:
            t.o(error.reason)

    t.run(main)

    assert t.printed == expected
