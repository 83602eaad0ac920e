"""The process of a task: it runs one function and hands the value to its owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from midflight.errors import ProcessExit
from midflight.kernel import (
    Client,
    Down,
    Pid,
    Ref,
    arguments,
    current_process,
    demonitor,
    link,
    monitor,
    receive,
    spawn,
    spawn_link,
)
from midflight.otp.newest import newest
from midflight.otp.protocol import value_of

__all__ = ["Outcome", "Supervised", "alone", "begin", "outcome_of", "supervised"]

Outcome = tuple[Literal["ok", "exit"], Any]  # ("ok", value) or ("exit", reason)


class Running:
    """The process function of a task."""

    client: Client

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.function = function
        self.args = args
        self.__module__ = getattr(function, "__module__", None) or "?"  # shown as the initial call
        self.__qualname__ = getattr(function, "__qualname__", None) or repr(function)

    async def __call__(self) -> None:
        """Run the function, with its tail calls, and hand its value to the owner."""
        self.client.answer(await value_of(self.function(*self.args)))


class Supervised(Running):
    """The process function of a task under a supervisor: it begins once its owner has sent (mark, client)."""

    def __init__(self, owner: Pid, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        super().__init__(function, args)
        self.owner = owner
        self.mark = Ref()

    async def __call__(self) -> None:
        """Wait for the owner, then run the function; end with the owner if that ends before."""
        watch = monitor(self.owner)
        message = await receive((self.mark, ...), (watch, ..., ...))
        if type(message) is Down:
            raise ProcessExit(message.reason)
        demonitor(watch, flush=True)
        _, self.client = message
        await super().__call__()


def supervised(running: Supervised) -> Pid:
    """Start the process of a task under the calling supervisor."""
    return spawn_link(running)


def alone(function: Callable[..., Any], args: tuple[Any, ...]) -> Pid:
    """Start a process for `function(*args)` under the calling supervisor."""
    return spawn_link(newest(function), *args)


def begin(function: Callable[..., Any], args: tuple[Any, ...], is_linked: bool) -> Client:
    """Start a task of the calling process; return the client that its value, or its Down, comes to.

    Raises: NotInProcess; TypeError if `function` is not callable.
    """
    me = current_process("a task")
    running = Running(arguments.callable_("a task", function), args)
    pid = spawn(running)
    if is_linked:
        link(pid)
    assert pid.process is not None
    running.client = Client(me, pid.process)
    return running.client


def outcome_of(message: Any) -> Outcome:
    """Return the outcome that a message to a task's client is."""
    return ("ok", message[1]) if type(message) is tuple else ("exit", message.reason)
