"""The starting of a process that says when it is ready: a GenServer, or a plain one that calls `started`.

The life of a start: the process is spawned -> it gets a client of its starter -> its starter waits -> the process
answers the client, or ends -> the starter has a pid or an error.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any, Protocol

from midflight.errors import AlreadyStarted, InitFailed, ProcessExit
from midflight.kernel import (
    TIMED_OUT,
    Client,
    Pid,
    Process,
    arguments,
    current_process,
    exit,
    function_name,
    link,
    spawn,
    unlink,
)
from midflight.otp.protocol import IGNORE, Name
from midflight.otp.serving import Serving
from midflight.text import short

__all__ = ["Starting", "checked_name", "start", "start_plain", "started"]


class Answering(Protocol):
    """A process function that answers `client`, its starter, with its pid or IGNORE once it is ready."""

    client: Client

    def __call__(self) -> Any:
        """Run as the process."""


class Starting(Coroutine[Any, Any, Any]):
    """The coroutine that `start` and `start_link` return. Its type tells a supervisor that a pid will come of it."""

    def __init__(self, coro: Coroutine[Any, Any, Pid | Any]) -> None:
        self.coro = coro  # Python warns if nobody awaits it

    def __await__(self) -> Generator[Any, Any, Pid | Any]:
        return self.coro.__await__()

    def send(self, value: Any) -> Any:
        """Go on with `value`, as a coroutine's send."""
        return self.coro.send(value)

    def throw(self, *error: Any) -> Any:
        """Raise `error` where it waits, as a coroutine's throw."""
        return self.coro.throw(*error)

    def close(self) -> None:
        """End it, as a coroutine's close."""
        self.coro.close()


def start(
    cls: type[Any], args: tuple[Any, ...], name: str | Name | None, timeout: float | None, is_linked: bool
) -> Starting:
    """Return the awaitable that starts a process for an object of `cls`, and waits until its init is done.

    It gives the pid, or None if init returned IGNORE. Raises: see GenServer.start; for a wrong name or timeout at once.
    """
    return Starting(
        _start(
            cls,
            args,
            checked_name(name),
            arguments.timeout("start: timeout", timeout, "nothing was started"),
            is_linked,
        )
    )


def checked_name(name: object) -> Any:
    """Return `name`, a plain str if it is one. Raises: TypeError if it is not a str, a Name or None."""
    if name is None or (hasattr(type(name), "whereis") and hasattr(type(name), "claim")):
        return name
    if issubclass(type(name), str):
        return arguments.given_name("start: name", name)
    raise TypeError(f"start: name must be a str, a registry's via(key) or None, not {short(name)}; nothing was started")


async def _start(
    cls: type[Any], args: tuple[Any, ...], name: str | Name | None, timeout: float | None, is_linked: bool
) -> Pid | Any:
    me = current_process("start()")
    if name is not None and not isinstance(name, str):
        holder = name.whereis()
    else:
        process = me.core.names.get(name)
        holder = None if process is None else process.pid
    if holder is not None:
        raise AlreadyStarted(holder)
    serving = Serving(cls, args, me.pid if is_linked else None, None if isinstance(name, str) else name)
    return await _started_by(me, serving, name if isinstance(name, str) else None, cls.__qualname__, timeout, is_linked)


async def _started_by(
    me: Process, function: Answering, name: str | None, shown: str, timeout: float | None, is_linked: bool
) -> Pid | Any:
    """Spawn `function` from the process `me` and wait until it answers its client; return the pid that it answers.

    It gets its client before it runs. None if it answers IGNORE. A process that takes longer than `timeout` seconds, or
    whose starter does not wait to the end, is killed.
    Raises: the Exception that it ended with before it answered; InitFailed, with `shown` in its text, for another
    reason and for a timeout.
    """
    pid = spawn(function, name=name)
    if is_linked:
        link(pid)
    assert pid.process is not None
    function.client = client = Client(me, pid.process)
    try:
        message = await client.wait(timeout)
        if message is TIMED_OUT:
            raise InitFailed(shown, "timeout")
    except GeneratorExit:  # the starter is killed, and no process any more: its links are gone
        exit(pid, "kill")
        raise
    except BaseException:  # else it would run on, or come to run, and nobody would have its pid
        client.abandon()  # first: nobody waits for the Down, or for the Exit
        unlink(pid)
        client.forget_exit()
        exit(pid, "kill")
        raise
    if type(message) is tuple and message[1] is not IGNORE:
        return message[1]
    if is_linked:
        client.forget_exit()  # the starter has heard of it
    if type(message) is tuple:
        return None
    if isinstance(message.reason, Exception):
        raise message.reason
    raise InitFailed(shown, message.reason)


class Announcing:
    """The process function of a plain process that its starter waits for."""

    client: Client

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], name: Name | None) -> None:
        self.start: Any = function, args, name
        self.__module__ = getattr(function, "__module__", None) or "?"  # shown as the initial call
        self.__qualname__ = function_name(function)

    def __call__(self) -> Any:
        """Take the name and go on as the function."""
        (function, args, name), self.start = self.start, None
        if name is not None:
            try:
                name.claim()
            except AlreadyStarted as error:
                raise ProcessExit(error) from None  # no crash: the starter is told
        _starter.set(self.client)
        return function(*args)


_starter: ContextVar[Client | None] = ContextVar("starter", default=None)


async def start_plain(function: Callable[..., Any], args: tuple[Any, ...], name: str | Name | None) -> Pid | None:
    """Spawn `function(*args)` linked to the caller and wait until it calls `started`; return its pid.

    None if it said started(IGNORE). Raises: what it raised before that; InitFailed for another end.
    OTP: proc_lib:start_link/3.
    """
    me = current_process("start()")
    announcing = Announcing(function, args, None if isinstance(name, str) else name)
    plain_name = name if isinstance(name, str) else None
    pid: Pid | None = await _started_by(me, announcing, plain_name, function_name(function), None, is_linked=True)
    return pid


def started(value: object = None) -> None:
    """Say that the calling process is ready: the supervisor that waits for it, by ChildSpec(waits=True), goes on.

    started(IGNORE) says that there is to be no process, which then returns by itself. Nothing happens if nobody waits,
    so that the same function can be spawned too.
    Raises: TypeError for a `value` that is neither None nor IGNORE; NotInProcess.
    OTP: proc_lib:init_ack/1.

    Example:

        async def cache():
            prices = {"tea": 3}  # there for the first request
            started()
            match await receive():
                case ("price", pid):
                    pid << prices["tea"]

        await Supervisor.start_link([ChildSpec("cache", cache, name="cache", waits=True)])
        send("cache", ("price", self_()))
        await receive()  # -> 3
    """
    me = current_process("started()")
    if value is not None and value is not IGNORE:
        raise TypeError(f"started() takes None or IGNORE, not {short(value)}; the starter still waits")
    client = _starter.get()
    if client is not None and client.target is me.pid:  # a process that it spawned has its context, but is not it
        _starter.set(None)
        client.answer(IGNORE if value is IGNORE else me.pid)
