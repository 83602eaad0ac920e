"""What a server does next: handle_continue before any message, and a timeout if none comes."""

from __future__ import annotations

import sys

import pytest

from helpers.servers import advance_later, end_of, settle
from midflight import (
    NOREPLY,
    Continue,
    GenServer,
    Stop,
    Timeout,
    call,
    cast,
    monitor,
    receive,
    reply,
    self_,
    spawn,
)
from midflight.otp import sys as otp_sys


class Steps(GenServer):
    """A server that keeps what it hears in `heard` and does next what it is asked to do."""

    def init(self, first=None):
        self.heard = []
        return first

    def handle_call(self, request, client):
        if request == "heard":
            return list(self.heard)
        self.heard.append("call")
        self.client = client
        return request

    def handle_cast(self, message):
        self.heard.append("cast")
        return message

    async def handle_continue(self, value):
        self.heard.append(("continue", value))
        match value:
            case ("down", number) if number > 0:
                return Continue(("down", number - 1))
            case ("reply", answer):
                reply(self.client, answer)
            case ("raise", error):
                raise error
            case "then wait":
                return Timeout(2)
        return None

    def handle_info(self, message):
        self.heard.append(("info", message))


def test_what_init_continues_with_comes_before_any_message(runtime):
    """OTP: {ok, State, {continue, Value}}: start answers at once, and a cast that waits already comes after."""

    async def main():
        pid = await Steps.start(Continue("late work"))
        cast(pid, None)
        return await call(pid, "heard")

    assert runtime.run(main) == [("continue", "late work"), "cast"]


def test_continues_follow_each_other_before_the_next_message(runtime):
    """handle_continue may return a Continue; casts that wait in the mailbox come after the last."""

    async def main():
        pid = await Steps.start()
        for _ in range(2):
            cast(pid, Continue(("down", 1)))
        return await call(pid, "heard")

    one = ["cast", ("continue", ("down", 1)), ("continue", ("down", 0))]
    assert runtime.run(main) == one + one


def test_a_call_is_answered_before_its_continue_runs(runtime):
    """OTP: {reply, Reply, State, {continue, Value}}: even one whose handle_continue raises."""

    async def main():
        pid = await Steps.start()
        watch = monitor(pid)
        answer = await call(pid, Continue(("raise", KeyError("late")), reply="early"))
        return answer, repr((await receive((watch, ..., ...))).reason)

    assert runtime.run(main) == ("early", "KeyError('late')")


def test_a_continue_without_a_reply_may_answer_the_call(runtime):
    """OTP: {noreply, State, {continue, Value}}."""

    async def main():
        return await call(await Steps.start(), Continue(("reply", 42)))

    assert runtime.run(main) == 42


def test_a_server_that_always_continues_lets_others_run(runtime):
    """Fairness: it handles no message, as in OTP, but it takes nobody else with it; an exit signal ends it."""

    class Endless(GenServer):
        def init(self):
            return Continue()

        def handle_continue(self, value):
            return Continue()

    async def main():
        return await end_of(await Endless.start(), "shutdown")

    assert runtime.run(main) == "shutdown"


def test_a_server_without_handle_continue_says_what_it_returned(runtime):
    """It ends with an error that names the class, the value and what to do."""

    class Bare(GenServer):
        def handle_cast(self, message):
            return Continue("work")

    async def main():
        pid = await Bare.start()
        cast(pid, "go")
        return str(await end_of(pid)).rpartition("<locals>.")[2]

    assert runtime.run(main) == "Bare has no handle_continue, and returned Continue('work'); define it"


def test_a_continue_in_the_mailbox_is_a_message(runtime):
    """Only what a callback returns is done next: whoever sends one sends an info. So it is with None."""

    async def main():
        pid = await Steps.start()
        pid << None
        pid << Continue("from outside")
        return [repr(each) for each in await call(pid, "heard")]

    assert runtime.run(main) == ["('info', None)", "('info', Continue('from outside'))"]


def test_a_stop_in_a_continue_ends_the_server_in_good_order(runtime):
    """Its reason is the exit reason, and there is no crash report."""

    async def main():
        pid = await Steps.start()
        cast(pid, Continue(("raise", Stop("shutdown"))))
        return await end_of(pid)

    assert runtime.run(main) == "shutdown"


def test_the_newest_version_continues(project, runtime):
    """A load between init and handle_continue: the new callback runs, as with a message."""
    text = """
        from midflight import Continue, GenServer, receive

        class Late(GenServer):
            async def handle_call(self, request, client):
                await receive("go on")
                return Continue(client)

            def handle_continue(self, client):
                client.answer(VERSION)
        """
    project.load_text("late", text.replace("VERSION", "1"))

    async def ask(pid, top):
        top << ("answer", await call(pid, "go"))

    async def main():
        pid = await sys.modules["late"].Late.start()
        spawn(ask, pid, self_())
        await settle()
        project.load_text("late", text.replace("VERSION", "2"))
        pid << "go on"
        return await receive()

    assert runtime.run(main) == ("answer", 2)


def test_a_server_that_nobody_asks_times_out_once(runtime, clock):
    """OTP: {ok, State, Timeout}: handle_info gets "timeout", and the next wait has no end."""

    async def main():
        pid = await Steps.start(Timeout(5))
        await settle()
        clock.advance(4.9)
        await settle()
        before = (await otp_sys.get_state(pid)).heard.copy()
        clock.advance(5)
        await settle()
        clock.advance(100)
        return before, await call(pid, "heard")

    assert runtime.run(main) == ([], [("info", "timeout")])


@pytest.mark.parametrize("after", [None, NOREPLY, 7, "timeout"])
def test_a_message_ends_the_wait_for_a_timeout(runtime, clock, after):
    """A callback that returns no new Timeout, whatever else it returns, waits for ever."""

    async def main():
        pid = await Steps.start(Timeout(5))
        cast(pid, after)
        await settle()
        clock.advance(100)
        await settle()
        return await call(pid, "heard")

    assert runtime.run(main) == ["cast"]


def test_a_timeout_carries_the_reply_of_a_call(runtime, clock):
    """OTP: {reply, Reply, State, Timeout}."""

    async def main():
        pid = await Steps.start()
        answer = await call(pid, Timeout(1, reply="now"))
        advance_later(clock, 1)
        await settle()
        await settle()
        return answer, await call(pid, "heard")

    assert runtime.run(main) == ("now", ["call", ("info", "timeout")])


def test_a_timeout_of_zero_lets_a_waiting_message_go_first(runtime):
    """OTP: receive ... after 0 takes what is in the mailbox."""

    async def main():
        pid = await Steps.start()
        cast(pid, Timeout(0))
        cast(pid, Timeout(0))
        await settle()
        return await call(pid, "heard")

    assert runtime.run(main) == ["cast", "cast", ("info", "timeout")]


def test_a_continue_may_wait_with_a_timeout(runtime, clock):
    """handle_continue returns a Timeout as any callback does."""

    async def main():
        pid = await Steps.start(Continue("then wait"))
        await settle()
        clock.advance(2)
        await settle()
        return await call(pid, "heard")

    assert runtime.run(main) == [("continue", "then wait"), ("info", "timeout")]


def test_a_system_message_starts_the_timeout_anew(runtime, clock):
    """As in OTP: who looks at the state is not a message to the server, but the seconds count from there again."""

    async def main():
        pid = await Steps.start(Timeout(5))
        await settle()
        clock.advance(4)
        await otp_sys.get_state(pid)
        clock.advance(4)
        await settle()
        before = (await otp_sys.get_state(pid)).heard.copy()
        clock.advance(5)
        await settle()
        return before, await call(pid, "heard")

    assert runtime.run(main) == ([], [("info", "timeout")])


@pytest.mark.parametrize("seconds", ["1", None, -1, float("nan"), float("inf")])
def test_a_timeout_is_finite_seconds(seconds):
    """TypeError or ValueError where it is made."""
    with pytest.raises((TypeError, ValueError), match="Timeout must be"):
        Timeout(seconds)


@pytest.mark.parametrize("answer", [1, "locked", NOREPLY, ()])
def test_another_value_of_init_is_refused(runtime, answer):
    """The error says what init may return."""

    async def main():
        with pytest.raises(TypeError, match="must return None, IGNORE, Continue or Timeout"):
            await Steps.start(answer)
        return True

    assert runtime.run(main)
