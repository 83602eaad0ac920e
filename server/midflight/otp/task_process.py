"""The process of a task: it runs one function and hands the value to its owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from midflight.kernel import Client, arguments, current_process, link, spawn
from midflight.otp.serving import value_of

__all__ = ["Outcome", "begin", "outcome_of"]

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
