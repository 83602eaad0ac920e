"""Behaviours go on whatever the objects, start functions and log handlers of a program do."""

from __future__ import annotations

import logging

import pytest

from helpers.hostile import HOSTILE, RAISED
from midflight import (
    CallError,
    CallTimeout,
    ChildSpec,
    Down,
    GenServer,
    ProcessExit,
    Supervisor,
    call,
    cast,
    exit,
    is_alive,
    monitor,
    receive,
    spawn_link,
    stop,
)
from midflight.kernel import describe


class Keeper(GenServer):
    """A server whose state is what it was started with, or was sent."""

    def init(self, state):
        self.state = state

    def handle_call(self, request, client):
        return self.state

    def handle_cast(self, message):
        raise ValueError(1)


class Raising(logging.Handler):
    """A log handler that raises."""

    def handle(self, record):
        raise SystemExit("of a log handler")


@pytest.fixture
def broken_logs():
    """Give the loggers of the behaviours a handler that raises."""
    handler = Raising()
    loggers = [logging.getLogger(f"midflight.{name}") for name in ("supervisor", "gen_server", "crash")]
    for logger in loggers:
        logger.addHandler(handler)
    yield
    for logger in loggers:
        logger.removeHandler(handler)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_server_with_a_hostile_state_answers_crashes_and_is_heard_of(runtime, name):
    """It is listed among the processes, its crash is reported, its monitor hears."""
    state = HOSTILE[name]()

    async def main():
        pid = await Keeper.start(state)
        answer = await call(pid, HOSTILE[name]())
        described = describe(runtime.scheduler, pid.process)["module"]
        monitor(pid)
        cast(pid, HOSTILE[name]())
        return answer is state, described, (await receive(Down)).reason

    is_same, module, reason = runtime.run(main)

    assert is_same
    assert module == "midflight.otp.serving"
    assert type(reason) is ValueError


@pytest.mark.parametrize("name", HOSTILE)
def test_a_call_with_a_hostile_request_fails_as_any_other(runtime, name):
    """The error that the caller gets is CallError, whatever the words for the request do."""

    async def deaf():
        await receive("end")

    async def main():
        errors = []
        for dest, timeout in ((spawn_link(deaf), 0), ("nobody", 5)):
            try:
                await call(dest, HOSTILE[name](), timeout=timeout)
            except (CallError, LookupError) as error:
                errors.append(type(error))
        return errors

    assert runtime.run(main)[0] is CallTimeout


@pytest.mark.parametrize("name", RAISED)
def test_a_start_function_that_raises_is_a_child_that_does_not_start(runtime, name):
    """The supervisor tries again and then gives up; whoever started it hears why it did not."""

    def start():
        raise RAISED[name]()

    async def main():
        healthy = ChildSpec("healthy", Keeper, (1,))
        supervisor = await Supervisor.start_link([healthy])
        try:
            await Supervisor.start_child(supervisor, ChildSpec("hostile", start))
        except Exception as error:
            refused = error
        return type(refused), is_alive(supervisor), len(await Supervisor.which_children(supervisor))

    refused, is_living, children = runtime.run(main)

    assert issubclass(refused, Exception)
    assert is_living
    assert children == 1


@pytest.mark.usefixtures("broken_logs")
def test_a_log_handler_that_raises_leaves_a_supervisor_its_work(runtime, clock):
    """A child that crashes too often ends the tree by the rules, and not by the log."""

    async def main():
        supervisor = await Supervisor.start([ChildSpec("keeper", Keeper, (1,), restart="permanent")], intensity=1)
        watch = monitor(supervisor)
        for _ in range(2):
            (child,) = await Supervisor.which_children(supervisor)
            ref = monitor(child.pid)
            exit(child.pid, "crash")
            await receive((ref, ..., ...))
        return (await receive((watch, ..., ...))).reason

    assert runtime.run(main) == "shutdown"


@pytest.mark.usefixtures("broken_logs")
def test_a_log_handler_that_raises_leaves_a_server_its_state(runtime):
    """A message that no callback takes is logged, and that fails: the server goes on."""

    async def main():
        pid = await Keeper.start("kept")
        pid << "not for a server"
        answer = await call(pid, "state")
        await stop(pid)
        return answer

    assert runtime.run(main) == "kept"


def test_a_start_function_that_exits_for_the_supervisor_is_obeyed(runtime):
    """A ProcessExit of the function is a child that does not start; a signal to the supervisor is a signal."""

    def leave():
        raise ProcessExit("mine")

    async def main():
        supervisor = await Supervisor.start([])
        with pytest.raises(Exception, match="mine"):
            await Supervisor.start_child(supervisor, ChildSpec("leaving", leave))
        alive = is_alive(supervisor)
        await stop(supervisor)
        return alive

    assert runtime.run(main)
