"""The eyes on a server that sys turns on and off."""

from __future__ import annotations

import pytest

from midflight import Continue, GenServer, Next, StateMachine, Timeout, call, cast, receive, self_
from midflight.otp import sys as otp_sys


class Echo(GenServer):
    """Returns what it is called with."""

    def handle_call(self, request, client):
        return request

    def handle_cast(self, message):
        return message

    def handle_continue(self, value):
        pass

    def handle_info(self, message):
        pass


@pytest.mark.parametrize(
    ("function", "flag"),
    [
        (otp_sys.log, 0),
        (otp_sys.log, "all"),
        (otp_sys.log, 1.5),
        (otp_sys.statistics, "on"),
        (otp_sys.statistics, 1),
        (otp_sys.trace, "get"),
    ],
)
def test_a_wrong_flag_changes_nothing(runtime, function, flag):
    """In the caller, and it says what is allowed."""

    async def main():
        pid = await Echo.start()
        with pytest.raises(ValueError, match="nothing was changed"):
            await function(pid, flag)
        return await call(pid, "x")

    assert runtime.run(main) == "x"


def test_what_is_no_function_is_not_installed(runtime):
    """In the caller."""

    async def main():
        pid = await Echo.start()
        with pytest.raises(TypeError, match="install needs a function"):
            await otp_sys.install(pid, 5)

    runtime.run(main)


def test_a_trace_is_printed(runtime, capsys):
    """Until it is turned off."""

    async def main():
        pid = await Echo.start()
        await otp_sys.trace(pid, True)
        await call(pid, "x")
        cast(pid, "y")
        await otp_sys.trace(pid, False)
        await call(pid, "z")
        return pid, self_()

    pid, me = runtime.run(main)
    lines = capsys.readouterr().out.splitlines()
    assert [line.removeprefix(f"*DBG* {pid!r} ") for line in lines] == [
        lines[0].removeprefix(f"*DBG* {pid!r} "),
        f"sent 'x' to {me!r}",
        "got Cast('y')",
        "answered nothing",
    ]
    assert "got Call('x'" in lines[0]


def test_a_timeout_is_a_message_and_a_continue_is_not(runtime, clock):
    """As in OTP, a timeout is what comes to handle_info."""

    async def main():
        pid = await Echo.start()
        await otp_sys.log(pid, True)
        cast(pid, Continue("more"))
        await call(pid, Timeout(0, reply="soon"))
        await call(pid, "last")
        events = await otp_sys.log(pid, "get")
        return [event[1] if event[0] == "in" and type(event[1]) is str else event[0] for event in events]

    assert runtime.run(main) == ["in", "noreply", "noreply", "in", "out", "timeout", "noreply", "in", "out"]


def test_the_events_of_a_state_machine(runtime):
    """What comes in and goes out of its process."""

    class Door(StateMachine):
        def init(self):
            return "closed"

        def closed(self, kind, content):
            return Next("open", reply="welcome")

        def open(self, kind, content):
            return Next()

    async def main():
        pid = await Door.start()
        await otp_sys.log(pid, True)
        await call(pid, "walk")
        return [event[0] for event in await otp_sys.log(pid, "get")], (await otp_sys.get_status(pid))["state"]["state"]

    assert runtime.run(main) == (["in", "noreply"], "open")


def test_a_format_status_that_raises_harms_nobody(runtime):
    """Who asked gets the error."""

    class Odd(Echo):
        def format_status(self, status):
            raise LookupError("no status")

    class None_(Echo):
        def format_status(self, status):
            return None

    async def main():
        odd, none = await Odd.start(), await None_.start()
        with pytest.raises(LookupError, match="no status"):
            await otp_sys.get_status(odd)
        with pytest.raises(TypeError, match="format_status must return a dict"):
            await otp_sys.get_status(none)
        return await call(odd, "x"), await call(none, "y")

    assert runtime.run(main) == ("x", "y")


def test_the_log_is_in_the_status(runtime):
    """With the parent of a linked server."""

    async def main():
        pid = await Echo.start_link()
        await otp_sys.log(pid, 1)
        await call(pid, "x")
        status = await otp_sys.get_status(pid)
        return status["pid"] == pid, status["parent"] == self_(), [event[:2] for event in status["log"]]

    assert runtime.run(main) == (True, True, [("out", "x")])


def test_a_function_may_change_nothing_of_the_others(runtime):
    """One that takes itself out leaves the others in."""

    async def main():
        me = self_()
        pid = await Echo.start()
        await otp_sys.install(pid, lambda *_: "done", id="short")
        await otp_sys.install(pid, lambda state, event, server: me << event[0], id="long")
        await call(pid, "x")
        return [await receive() for _ in range(2)]

    assert runtime.run(main) == ["in", "out"]
