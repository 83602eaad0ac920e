"""Agents: a value in a process, and the functions that it is sent."""

from __future__ import annotations

import pytest

from helpers.servers import settle
from midflight import Agent, CallError, ChildSpec, Supervisor, call, exit, is_alive, sleep, spawn, whereis
from midflight.otp import sys as otp_sys


def test_the_functions_may_be_async(runtime):
    """They run in the agent's process, and the next waits."""

    async def slowly(value, more):
        await sleep(0)
        return value + more

    async def main():
        pid = await Agent.start(slowly, 1, 2)
        await Agent.update(pid, slowly, 4)
        return await Agent.get(pid, slowly, 0)

    assert runtime.run(main) == 7


@pytest.mark.parametrize("ask", [Agent.get, Agent.update, Agent.get_and_update])
def test_what_is_no_function_is_refused(runtime, ask):
    """In the caller; the agent lives."""

    async def main():
        pid = await Agent.start(int)
        with pytest.raises(TypeError, match="an agent needs a function"):
            await ask(pid, 5)
        with pytest.raises(TypeError, match="an agent needs a function"):
            Agent.cast(pid, 5)
        return await Agent.get(pid, int)

    assert runtime.run(main) == 0


def test_an_agent_is_supervised(runtime):
    """By the class, with the function that makes its first value."""

    async def main():
        await Supervisor.start_link([ChildSpec("count", Agent, (int,), name="count")])
        await Agent.update("count", lambda number: number + 5)
        exit(whereis("count"), "kill")
        await settle()
        return await Agent.get("count", int)

    assert runtime.run(main) == 0


def test_a_function_that_raises_is_the_end(runtime):
    """Of the agent; whoever called gets the error as the cause."""
    error = ValueError("no number")

    def fail(_):
        raise error

    async def main():
        pid = await Agent.start(int)
        with pytest.raises(CallError) as caught:
            await Agent.update(pid, fail)
        return caught.value.reason is error, is_alive(pid)

    assert runtime.run(main) == (True, False)


def test_the_value_is_shown_and_replaced_as_a_state(runtime):
    """It is the attribute `state`."""

    async def main():
        pid = await Agent.start(int)

        def to_seven(agent):
            agent.state = 7
            return agent

        await otp_sys.replace_state(pid, to_seven)
        return (await otp_sys.get_state(pid)).state

    assert runtime.run(main) == 7


def test_a_request_of_a_stranger_ends_it(runtime):
    """As any server that cannot handle a request; nobody but its functions may call it."""

    async def main():
        pid = await Agent.start(int)
        with pytest.raises(CallError):
            await call(pid, "get")
        return is_alive(pid)

    assert runtime.run(main) is False


def test_casts_keep_their_order(runtime):
    """And come before a call that was made later by the same process."""

    async def main():
        pid = await Agent.start(list)
        for number in range(3):
            Agent.cast(pid, lambda numbers, number: [*numbers, number], number)
        spawn(Agent.cast, pid, lambda numbers: [*numbers, "other"])
        return await Agent.get(pid, list)

    assert runtime.run(main) == [0, 1, 2]
