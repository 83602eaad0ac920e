"""The cases p69 to p73: what sys shows of a server."""

from __future__ import annotations

import pytest

from midflight import NOREPLY, GenServer, call, cast, receive, reply, self_
from midflight.otp import Call, Cast
from midflight.otp import sys as otp_sys

same, differs = pytest.mark.same, pytest.mark.differs


class Server(GenServer):
    """Answers what it is asked, or later."""

    def handle_call(self, request, client):
        if request == "later":
            reply(client, "soon")
            return NOREPLY
        return ("did", request)

    def handle_cast(self, message):
        pass

    def handle_info(self, message):
        pass


@differs("log returns None when it turns on or off; the message of a call is a Call.")
def test_p69_sys_log(t, expected):
    """("in", message), ("out", reply, pid), ("noreply",)."""

    def shown(event):
        match event:
            case ("in", Call(request, _)):
                return ("in", "call", request)
            case ("in", Cast(message)):
                return ("in", "cast", message)
            case ("in", message):
                return ("in", "info", message)
            case ("out", answer, _):
                return ("out", answer)
        return "noreply"

    async def events(pid):
        return [shown(event) for event in await otp_sys.log(pid, "get")]

    async def turn(pid, flag):
        await otp_sys.log(pid, flag)
        t.o("ok")

    async def main():
        p = await Server.start()
        t.o(await events(p))
        await turn(p, True)
        t.o(await events(p))
        await call(p, "one")
        cast(p, "two")
        p << "three"
        await call(p, "later")
        t.o(await events(p))
        await otp_sys.get_state(p)
        t.o(len(await events(p)))
        await turn(p, False)
        await turn(p, 2)
        await call(p, "a")
        await call(p, "b")
        t.o(await events(p))
        for number in range(30):
            cast(p, number)
        t.o(len(await events(p)))
        await turn(p, False)
        t.o(await events(p))
        q = await Server.start()
        await otp_sys.log(q, True)
        for number in range(30):
            cast(q, number)
        t.o(len(await events(q)))

    t.run(main)

    assert t.printed == expected


@differs("A dict, or None if nothing is counted; times are seconds of the runtime's clock.")
def test_p70_sys_statistics(t, expected):
    """A reply that a callback sends itself is not counted."""

    async def main():
        p = await Server.start()
        t.o(("ok", "no_statistics" if await otp_sys.statistics(p, "get") is None else "?"))
        await otp_sys.statistics(p, True)
        t.o("ok")
        for _ in range(3):
            await call(p, "x")
        cast(p, "x")
        p << "x"
        await call(p, "later")
        found = await otp_sys.statistics(p, "get")
        t.o([(key, found[key]) for key in ("messages_in", "messages_out")])
        t.o([key in found for key in ("start_time", "current_time")])
        await otp_sys.get_state(p)
        t.o((await otp_sys.statistics(p, "get"))["messages_in"])
        await otp_sys.statistics(p, False)
        t.o("ok")
        t.o(("ok", "no_statistics" if await otp_sys.statistics(p, "get") is None else "?"))

    t.run(main)

    assert t.printed == expected


@same
def test_p72_sys_install(t, expected):
    """A function of (state, event, server)."""

    async def asks(pid, *flags):
        for flag in flags:
            await call(pid, flag)

    async def main():
        me = self_()

        def count(number, event, _):
            me << (number, event[0])
            return number + 1

        def until(number, *_):
            if number:
                return number - 1
            me << "done"
            return "done"

        async def heard():
            t.o(await t.mb())

        p = await Server.start()
        await otp_sys.install(p, count, 0)
        t.o("ok")
        await asks(p, "x")
        cast(p, "x")
        await heard()
        await otp_sys.install(p, count, 100)
        t.o("ok")
        await asks(p, "x")
        await heard()
        await otp_sys.remove(p, count)
        t.o("ok")
        await asks(p, "x")
        await heard()
        await otp_sys.install(p, until, 2)
        await asks(p, "x", "x", "x")
        await heard()
        await otp_sys.install(p, lambda *_: 1 / 0)
        for request in ("alive", "still"):
            t.o((await call(p, request))[1])
        await otp_sys.install(p, count, 0, id="first")
        await otp_sys.install(p, count, 50, id="second")
        await asks(p, "x")
        t.o(sorted(await t.mb()))
        await otp_sys.remove(p, "first")
        t.o("ok")
        await asks(p, "x")
        await heard()
        await otp_sys.no_debug(p)
        t.o("ok")
        await asks(p, "x")
        await heard()
        assert await receive(timeout=0, default=None) is None

    t.run(main)

    assert t.printed == expected


@differs("A dict; the parent of a server that nobody is linked to is None, in OTP itself.")
def test_p73_sys_get_status(t, expected):
    """The state is a dict of the attributes."""

    class Plain(Server):
        def init(self):
            self.secret = 7

    class Hidden(Plain):
        def format_status(self, status):
            return status | {"state": "hidden"}

    async def main():
        p = await Plain.start()
        status = await otp_sys.get_status(p)
        t.o((status["class"] is Plain and "gen_server", status["status"], status["parent"] is None))
        t.o([("plain", status["state"]["secret"])])
        await otp_sys.suspend(p)
        t.o((await otp_sys.get_status(p))["status"])
        await otp_sys.resume(p)
        q = await Hidden.start()
        t.o([(await otp_sys.get_status(q))["state"]])
        t.o(("secret", (await otp_sys.get_state(q)).secret))

    t.run(main)

    assert t.printed == expected
