"""The hooks for who keeps the state of a server beyond its process: between two messages, and before each reply."""

from __future__ import annotations

import asyncio

import pytest

from midflight import NOREPLY, CallError, CallTimeout, GenServer, Stop, call, cast, receive, reply, send, spawn
from midflight.kernel import current_process
from midflight.otp.sys import replace_state
from midflight.testing import TestRuntime


class Keeping:
    """Writes down each state and holds replies back; `release` lets them go."""

    def __init__(self):
        self.states = []
        self.held = []
        self.go = None

    def between(self, server):
        self.states.append(dict(vars(server)))

    def take(self):
        pass

    def end(self, reason):
        pass

    def hold(self, client, value):
        self.held.append((client, value))

    async def let_go(self):
        if self.held:
            self.go = asyncio.get_running_loop().create_future()
            await self.go

    def release(self):
        held, self.held = self.held, []
        for client, value in held:
            client.hold = None
            client.answer(value)
        if self.go is not None:
            self.go.set_result(None)


class Sum(GenServer):
    """Adds up what it is called and cast."""

    def init(self, keeper):
        current_process("init").behaviour.keeper = keeper
        self.sum = 0

    def handle_call(self, request, client):
        match request:
            case "stop":
                raise Stop(reply="stopped")
            case "fail":
                self.sum = "half"
                raise ArithmeticError("no sum")
            case "later":
                spawn(reply, client, "in time")
                return NOREPLY
            case "by reply":
                reply(client, "at once")
                return NOREPLY
        self.sum += request
        return self.sum

    def handle_cast(self, number):
        self.sum += number

    def handle_info(self, message):
        self.sum += message

    def terminate(self, reason):
        self.sum = "the end"


@pytest.fixture
def keeper():
    """What a test's server is kept by."""
    return Keeping()


@pytest.fixture
def runtime_that_copies(clock):
    """A runtime with the option copy_messages."""
    runtime = TestRuntime(clock, copy_messages=True)
    yield runtime
    runtime.shutdown()
    runtime.close()


@pytest.fixture
def asks(runtime, keeper):
    """A function that calls a kept server and returns the list that the answer comes into."""

    async def main():
        await Sum.start(keeper, name="sum")

    runtime.spawn(main)
    runtime.run_until_idle()
    yield lambda request, timeout=5: asked(runtime, request, timeout)
    runtime.shutdown()


def asked(runtime, request, timeout=5):
    """Call the server in a process, as far as that comes."""
    got = []

    async def caller():
        try:
            got.append(await call("sum", request, timeout))
        except CallTimeout:
            got.append(await receive(timeout=1, default="nothing came"))
        except CallError as error:
            got.append(error.reason)

    runtime.spawn(caller)
    runtime.run_until_idle()
    return got


def test_a_keeper_sees_the_state_between_two_messages(runtime, keeper, asks):
    """After init, and after each call, cast, other message and system message."""

    async def main():
        cast("sum", 1)
        send("sum", 2)

        def add(server):
            server.sum += 10
            return server

        await replace_state("sum", add)

    runtime.spawn(main)
    asks(3)

    assert [state["sum"] for state in keeper.states] == [0, 1, 3, 13, 16]


@pytest.mark.parametrize(
    ("request_", "answer"), [(5, 5), ("by reply", "at once"), ("later", "in time"), ("stop", "stopped")]
)
def test_a_reply_is_held_back_until_it_is_let_go(runtime, keeper, asks, request_, answer):
    """Of handle_call, of `reply` in the server and in another process, and of a Stop."""
    got = asks(request_)
    assert (got, [value for _, value in keeper.held]) == ([], [answer])

    keeper.release()
    runtime.run_until_idle()

    assert got == [answer]


def test_the_state_is_seen_before_the_last_reply_of_a_server_that_stops(runtime, keeper, asks):
    """So the caller that is told of the end finds the state kept; terminate cleans up, and does not count."""
    asks(7)
    asks("stop")

    assert [state["sum"] for state in keeper.states] == [0, 7, 7]


def test_a_state_in_which_a_callback_raised_is_not_seen(keeper, asks):
    """It is half a change. The caller is told of the end."""
    got = asks("fail")

    assert [state["sum"] for state in keeper.states] == [0]
    assert [str(reason) for reason in got] == ["no sum"]


def test_a_reply_that_is_let_go_too_late_never_arrives(runtime, clock, keeper, asks):
    """The call has timed out; its caller's mailbox stays empty."""
    got = asks(1, timeout=1)
    clock.advance(1)
    runtime.run_until_idle()

    keeper.release()
    clock.advance(1)
    runtime.run_until_idle()

    assert got == ["nothing came"]


def test_a_reply_is_held_back_where_messages_are_copied(runtime_that_copies, keeper):
    """There answers go through the slow door."""
    runtime = runtime_that_copies

    async def main():
        await Sum.start(keeper, name="sum")

    runtime.spawn(main)
    runtime.run_until_idle()
    got = asked(runtime, 5)
    assert got == []

    keeper.release()
    runtime.run_until_idle()

    assert got == [5]
