"""The cases p48 and p49: what a server does next, and plain processes that say when they are ready."""

from __future__ import annotations

import pytest

from midflight import (
    IGNORE,
    NOREPLY,
    ChildSpec,
    Continue,
    GenServer,
    InitFailed,
    Pid,
    ProcessExit,
    Supervisor,
    Timeout,
    call,
    cast,
    receive,
    reply,
    sleep,
    started,
    trap_exit,
)
from midflight.otp import sys as otp_sys

same, differs = pytest.mark.same, pytest.mark.differs


@same
def test_p48_continue_and_timeout(t, expected):
    """Continue and Timeout are OTP's {continue, X} and timeout in a return value."""

    class Server(GenServer):
        def init(self, first=None):
            self.heard = []
            return first

        def handle_call(self, request, client):
            if request == "heard":
                return list(self.heard)
            self.client = client
            self.heard.append("call")
            return request

        def handle_cast(self, message):
            if type(message) is str:
                self.heard.append(message)
                return None
            self.heard.append("cast")
            return message

        def handle_continue(self, value):
            self.heard.append(value)
            match value:
                case ("down", number) if number > 0:
                    return Continue(("down", number - 1))
                case ("answer", answer):
                    reply(self.client, answer)
            return NOREPLY

        def handle_info(self, message):
            self.heard.append(("info", message))

    async def main():
        a = await Server.start(Continue("first"))
        cast(a, "second")
        t.o(await call(a, "heard"))
        b = await Server.start()
        cast(b, Continue(("down", 2)))
        cast(b, "after_it")
        t.o(await call(b, Continue("last", reply="now")))
        t.o(await call(b, Continue(("answer", "later"))))
        t.o(await call(b, "heard"))
        c = await Server.start(Timeout(0.02))
        await t.s()
        t.o(await call(c, Timeout(0.02, reply="soon")))
        await t.s()
        await t.s()
        t.o(await call(c, "heard"))
        d = await Server.start(Timeout(0.2))
        cast(d, "other")
        await sleep(0.4)
        t.o(await call(d, "heard"))
        e = await Server.start()
        await otp_sys.suspend(e)
        cast(e, Timeout(0))
        cast(e, "waiting")
        await otp_sys.resume(e)
        await t.s()
        t.o(await call(e, "heard"))

    t.run(main)

    assert t.printed == expected


@same
def test_p49_init_ack(t, expected):
    """`started()` is init_ack, and ChildSpec(waits=True) what proc_lib:start_link does."""

    async def child(way):
        match way:
            case "ready":
                t.o("ready_begins")
                await t.s()
                t.o("ready_says_so")
            case "next":
                t.o("next_begins")
            case "none":
                started(IGNORE)
                return
            case "exits":
                raise ProcessExit("boom")
            case "returns":
                return
        started()
        await receive("never")

    async def start(*ways):
        return await Supervisor.start_link([ChildSpec(way, child, (way,), waits=True) for way in ways])

    async def main():
        trap_exit(True)
        supervisor = await start("ready", "next", "none")
        t.o([(each.id, type(each.pid) is Pid) for each in await Supervisor.which_children(supervisor)])
        for way in ("exits", "returns"):
            with pytest.raises(InitFailed) as caught:
                await start(way)
            t.o((way, caught.value.reason.reason))

    t.run(main)

    assert t.printed == expected
