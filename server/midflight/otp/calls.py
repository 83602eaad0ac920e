"""The client side of servers: call, cast, reply, stop. Dest: a pid, a name, (name, node), a Registry's `via`."""

from __future__ import annotations

from typing import Any

from midflight.errors import CallError, CallTimeout
from midflight.kernel import (
    LONG,
    NODE,
    NUMBERS,
    TIMED_OUT,
    Client,
    Pid,
    Process,
    System,
    arguments,
    current_process,
    current_scheduler,
    fast_call,
    process_named,
)
from midflight.otp.protocol import Call, Cast, Dest
from midflight.text import short

__all__ = ["call", "cast", "reply", "stop", "system_call", "whereis_dest"]


def _failure(dest: Dest, request: Any, message: Any, client: Any, timeout: float | None) -> CallError:
    """Return the error of a call that got `message`, a Down or TIMED_OUT, for an answer; close its client."""
    if message is TIMED_OUT:
        client.abandon()
        assert timeout is not None
        return CallTimeout(dest, request, timeout)
    reason = message.reason
    if message.pid.node and reason == "noconnection":
        reason = _why_nobody(message.pid)
    error = CallError(dest, request, reason)
    if isinstance(message.reason, BaseException):
        error.__cause__ = message.reason
    return error


def _fail(dest: Dest, request: Any, message: Any, client: Any, timeout: float | None) -> None:
    """Raise the error of a call that got no reply: for the compiled `call`."""
    raise _failure(dest, request, message, client, timeout)


@fast_call(call_failed=_fail, Call=Call, Client=Client)
async def call(dest: Dest, request: Any, timeout: float | None = 5) -> Any:
    """Send `request` to a server and wait for its reply. `timeout` is in seconds, None for no limit.

    Uncaught, its errors end the caller. Whatever ends it early, a late reply never arrives.
    Raises: CallTimeout (a TimeoutError); CallError if the server ends before it replied, with its reason (the
    `__cause__` if that is an exception), or with "noproc", "calling_self" or ("nodedown", node); TypeError for what is
    not a server or not a timeout; ValueError for a negative timeout or a server of another runtime; NotInProcess.
    OTP: gen_server:call/3, which exits.

    Example:

        class Double(GenServer):
            def handle_call(self, request, client):
                return request * 2

        await call(await Double.start(), 21)  # -> 42
    """
    me = current_process("call()")
    if timeout is not None and not (type(timeout) in NUMBERS and 0 <= timeout <= LONG):
        timeout = arguments.timeout("call: timeout", timeout, "nothing was sent")
    process = dest.process if type(dest) is Pid else _process_of(dest)
    if process is None:
        raise CallError(dest, request, _why_nobody(dest))
    if process is me:
        raise CallError(dest, request, "calling_self")
    client = Client(me, process)
    process.pid << Call(request, client)  # after the monitor: if the server ends now, its Down comes
    message = await client.wait(timeout)
    if type(message) is tuple:
        return message[1]
    raise _failure(dest, request, message, client, timeout)


def cast(dest: Dest, message: Any) -> None:
    """Send `message` to a server's handle_cast and wait for nothing. Nobody there: it is dropped. From any thread.

    Raises: TypeError for what is not a server. OTP: gen_server:cast/2.

    Example:

        class Log(GenServer):
            def handle_cast(self, message):
                message["to"] << "logged"

        cast(await Log.start(), {"to": self_()})
        await receive()  # -> 'logged'
    """
    pid = whereis_dest(dest)
    if pid is not None:
        pid << Cast(message)


def reply(client: Client, value: Any) -> None:
    """Answer the call that `client` waits in, once handle_call has returned NOREPLY. Safe from any thread.

    Nothing happens if it was answered, or waits no longer. Raises: TypeError if `client` is not what handle_call was
    given. OTP: gen_server:reply/2.

    Example:

        class Later(GenServer):
            def handle_call(self, request, client):
                spawn(reply, client, request * 2)
                return NOREPLY

        await call(await Later.start(), 21)  # -> 42
    """
    if not issubclass(type(client), Client):
        raise TypeError(
            f"reply() takes the client that handle_call was given, not {short(client)}; nobody was answered"
        )
    client.answer(value)


async def stop(dest: Dest, reason: object = "normal", timeout: float | None = None) -> None:
    """Have a server terminate with `reason` and wait until it has. `timeout` is in seconds, None for no limit.

    Raises: CallError if nobody is there or it ended with another reason; CallTimeout, it may end later; TypeError and
    ValueError as `call`; NotInProcess. OTP: gen_server:stop/3.

    Example:

        pid = await GenServer.start()
        await stop(pid)
        is_alive(pid)  # -> False
    """
    down = await _ask(dest, ("stop", reason), ("terminate", reason), timeout)
    if not (down.reason is reason or down.reason == reason):
        raise _failure(dest, ("stop", reason), down, down.ref, timeout)


async def system_call(dest: Dest, request: Any, timeout: float | None = 5) -> Any:
    """Send a system message; return ("ok", value) or ("error", reason).

    Raises: as `call`; a plain process does not answer, so CallTimeout.
    """
    message = await _ask(dest, request, request, timeout)
    if type(message) is tuple:
        return message[1]
    raise _failure(dest, request, message, message.ref, timeout)


async def _ask(dest: Dest, shown: Any, request: Any, timeout: float | None) -> Any:
    """Send a system message; return (client, answer) or the server's Down.

    Raises: as `call`, with `shown` as the request.
    """
    me = current_process("call()")
    timeout = arguments.timeout("call: timeout", timeout, "nothing was sent")
    process = _process_of(dest)
    if process is None or process is me:
        raise CallError(dest, shown, "calling_self" if process else _why_nobody(dest))
    client = Client(me, process)
    process.pid << System(request, client, client)
    answer = await client.wait(timeout)
    if answer is TIMED_OUT:
        raise _failure(dest, shown, answer, client, timeout)
    return answer


def whereis_dest(dest: Dest) -> Pid | None:
    """Return the pid that `dest` means; None if nobody has the name.

    Raises: TypeError for what is not a server, and for a `whereis` that does not return a pid; ValueError for an empty
    name.
    """
    if type(dest) is Pid:
        return dest
    if hasattr(type(dest), "whereis"):
        found: Any = dest.whereis()  # type: ignore[union-attr]  # a Name
        return None if found is None else arguments.pid("whereis() of a name", found)
    process = process_named(current_scheduler(), *_name_and_node(dest))
    return None if process is None else process.pid


def _name_and_node(dest: object) -> tuple[str, str]:
    if not issubclass(type(dest), str | tuple):
        raise TypeError(
            f"a server is a Pid, a name, (name, node) or a registry's via(key), not {short(dest)}; nothing was sent"
        )
    return arguments.name_and_node("a call", dest)


def _process_of(dest: Dest) -> Process | None:
    """Return the process of a server, None if there is none alive. Raises: as whereis_dest."""
    if issubclass(type(dest), tuple) or issubclass(type(dest), str):
        return process_named(current_scheduler(), *_name_and_node(dest))
    pid = whereis_dest(dest)
    return None if pid is None else pid.process


def _why_nobody(dest: Dest) -> object:
    """Return why no process is called: "noproc", or ("nodedown", node) if the node of `dest` is not reached."""
    nodes = current_scheduler().nodes
    if issubclass(type(dest), tuple):
        _, node = _name_and_node(dest)
        is_reached = node == NODE if nodes is None else nodes.is_reached(node)
    elif type(dest) is Pid and dest.node and nodes is not None:
        node = nodes.name_of(dest)
        is_reached = nodes.is_reached(node)
    else:
        return "noproc"
    return "noproc" if is_reached else ("nodedown", node)
