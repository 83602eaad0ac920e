"""Servers and processes that the tests of behaviours start."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from midflight import (
    IGNORE,
    NOREPLY,
    ChildError,
    Exit,
    GenServer,
    Pid,
    ProcessExit,
    Stop,
    Supervisor,
    exit,
    monitor,
    receive,
    reply,
    sleep,
    spawn,
    trap_exit,
)
from midflight.kernel import ManualClock


class Recorder(GenServer):
    """A server that keeps all that it hears in `heard` and answers a call with the request, or as that says."""

    def init(self, heard: list[Any] | None = None, *, trap: bool = False) -> None:
        self.heard = [] if heard is None else heard
        self.waiting: list[Any] = []

    async def handle_call(self, request, client):
        match request:
            case "trap":
                trap_exit(True)
            case "heard":
                return list(self.heard)
            case "later":
                self.waiting.append(client)
                return NOREPLY
            case ("raise", error):
                raise error
            case "wait":
                await receive("go on")
        return request

    def handle_cast(self, message):
        self.heard.append(("cast", message))
        match message:
            case ("answer", value):
                reply(self.waiting.pop(0), value)
            case ("raise", error):
                raise error

    def handle_info(self, message):
        self.heard.append(("info", message))

    def terminate(self, reason):
        self.heard.append(("terminate", reason))


class Starter(GenServer):
    """A server whose init ends as its argument says."""

    async def init(self, way):
        match way:
            case Exception() | Stop() | ProcessExit():
                raise way
            case "ignore":
                return IGNORE
            case "value":
                return "not None"
            case "hang":
                await receive("go on")
        return None


async def wait_for_ever() -> None:
    """Take and forget every message."""
    while True:
        await receive()


async def deaf() -> None:
    """Take no notice of exit signals."""
    trap_exit(True)
    while True:
        await receive()


async def end_of(pid: Pid, reason: object = None) -> object:
    """Send `pid` an exit signal, if a reason is given, and return the reason that it ended with."""
    ref = monitor(pid)
    if reason is not None:
        exit(pid, reason)
    return (await receive((ref, ..., ...))).reason


async def settle() -> None:
    """Let all others run until they wait; a deeper chain of messages than these tests have would need more."""
    for _ in range(20):
        await sleep(0)


def advance_later(clock: ManualClock, seconds: float) -> None:
    """Have the clock move on when all others wait."""

    async def move() -> None:
        await settle()
        clock.advance(seconds)

    spawn(move)


async def pids_of(supervisor: Pid | str) -> dict[Any, Any]:
    """Return the children's pids by id, in start order."""
    return {child.id: child.pid for child in await Supervisor.which_children(supervisor)}


async def refused(request: Awaitable[object]) -> str:
    """Return why a supervisor refused a request."""
    with pytest.raises(ChildError, match="nothing was changed") as caught:
        await request
    return caught.value.reason


async def exit_message_of(pid: Pid) -> Exit:
    """Return the Exit of a linked process, to a process that traps exits."""
    return await receive(Exit(pid, ...))
