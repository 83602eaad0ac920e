"""System messages to a process of a behaviour: stop it between two messages, look at it, change its code.

All functions take a Dest and `timeout` in seconds, None for no limit, and raise as `call` does. A plain process does
not answer, so CallTimeout. Import it under another name than the standard library's: `from midflight.otp import sys as
otp_sys`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from types import ModuleType
from typing import Any

from midflight.errors import CodeChangeError
from midflight.kernel import arguments
from midflight.otp.calls import system_call
from midflight.otp.protocol import Dest
from midflight.text import short

__all__ = [
    "change_code",
    "get_state",
    "get_status",
    "install",
    "log",
    "no_debug",
    "remove",
    "replace_state",
    "resume",
    "statistics",
    "suspend",
    "trace",
]


async def suspend(dest: Dest, timeout: float | None = 5) -> None:
    """Let the process handle system messages only, until `resume`; all others wait in its mailbox.

    The exit signal of its parent ends it all the same. OTP: sys:suspend/1.
    """
    await _done(dest, "suspend", timeout)


async def resume(dest: Dest, timeout: float | None = 5) -> None:
    """Let a suspended process go on; nothing happens to one that is not. OTP: sys:resume/1."""
    await _done(dest, "resume", timeout)


async def get_state(dest: Dest, timeout: float | None = 5) -> Any:
    """Return the server object, itself and no copy: who changes it changes the state. OTP: sys:get_state/1."""
    return await _done(dest, "get_state", timeout)


async def get_status(dest: Dest, timeout: float | None = 5) -> dict[str, Any]:
    """Return the status of the server: "pid", "class", "status" ("running" or "suspended"), "parent", "state", "log".

    What of its state is shown, its `format_status` says. OTP: sys:get_status/1.
    """
    status: dict[str, Any] = await _done(dest, "get_status", timeout)
    return status


async def log(dest: Dest, flag: bool | int | str, timeout: float | None = 5) -> list[Any] | None:
    """Keep the last events of the server: True, the last 10; a number, as many; False, none any more.

    "get" returns those that are kept, oldest first: ("in", message), ("out", reply, pid), ("noreply",).
    Raises: ValueError for another flag. OTP: sys:log/2.
    """
    if type(flag) not in (bool, int) and flag != "get":
        raise ValueError(f'log: flag must be True, False, a number or "get", not {short(flag)}; nothing was changed')
    if type(flag) is int and flag < 1:
        raise ValueError(f"log: the number of events must be at least 1, not {flag}; nothing was changed")
    found: list[Any] | None = await _done(dest, ("debug", ("log", flag)), timeout)
    return found


async def statistics(dest: Dest, flag: bool | str, timeout: float | None = 5) -> dict[str, Any] | None:
    """Count the messages of the server from now on (True), or no more (False).

    "get" returns "messages_in", "messages_out" (replies), "start_time" and "current_time", in seconds of the runtime's
    clock; None if nothing is counted. Raises: ValueError for another flag. OTP: sys:statistics/2.
    """
    if type(flag) is not bool and flag != "get":
        raise ValueError(f'statistics: flag must be True, False or "get", not {short(flag)}; nothing was changed')
    found: dict[str, Any] | None = await _done(dest, ("debug", ("statistics", flag)), timeout)
    return found


async def trace(dest: Dest, flag: bool, timeout: float | None = 5) -> None:
    """Print each event of the server, to the output that it prints to; False: no more. OTP: sys:trace/2."""
    if type(flag) is not bool:
        raise ValueError(f"trace: flag must be True or False, not {short(flag)}; nothing was changed")
    await _done(dest, ("debug", ("trace", flag)), timeout)


async def install(
    dest: Dest,
    function: Callable[[Any, Any, Any], Any],
    state: Any = None,
    id: Hashable = None,
    timeout: float | None = 5,
) -> None:
    """Have `function(state, event, server)` called in the server for each event; it returns its next state.

    It is taken out if it returns "done" or raises, and nobody is told. `id` tells several uses of a function apart; one
    that is installed already stays as it is. OTP: sys:install/2.
    """
    arguments.callable_("install", function, "nothing was changed")
    await _done(dest, ("debug", ("install", function if id is None else id, function, state)), timeout)


async def remove(dest: Dest, function_or_id: Hashable, timeout: float | None = 5) -> None:
    """Take out a function that was installed, by its id if it has one; nothing happens if it is not there.

    OTP: sys:remove/2.
    """
    await _done(dest, ("debug", ("remove", function_or_id)), timeout)


async def no_debug(dest: Dest, timeout: float | None = 5) -> None:
    """Turn all off that `log`, `statistics`, `trace` and `install` have turned on. OTP: sys:no_debug/1."""
    await _done(dest, ("debug", ("no_debug",)), timeout)


async def replace_state(dest: Dest, function: Callable[[Any], Any], timeout: float | None = 5) -> Any:
    """Let `function(server)`, plain or async, run in the process between two messages; return its value, the server
    object from then on.

    Raises: what `function` raises, or TypeError if it returns no server object; the state is then what it made of it.
    OTP: sys:replace_state/2.
    """
    return await _done(dest, ("replace_state", arguments.callable_("replace_state", function)), timeout)


async def change_code(
    dest: Dest, module: ModuleType | str, old_vsn: Any, extra: Any = None, timeout: float | None = 5
) -> None:
    """Run `code_change(old_vsn, extra)` in a suspended process whose class is one of `module`'s; it stays suspended.

    It runs on a copy of the server of the newest class; if it returns, that copy is the server.
    Raises: CodeChangeError if it raised, from that, or if the process is not suspended; the state is as it was.
    OTP: sys:change_code/4; as there, nobody checks `old_vsn`.
    """
    if not issubclass(type(module), ModuleType | str):
        raise TypeError(f"change_code takes a module or its name, not {short(module)}; nothing was changed")
    status, value = await system_call(dest, ("change_code", module, old_vsn, extra), timeout)
    if status == "error":
        raise CodeChangeError(dest, value) from (value if isinstance(value, BaseException) else None)


async def _done(dest: Dest, request: Any, timeout: float | None) -> Any:
    """Return the value of a system request, or raise its error."""
    status, value = await system_call(dest, request, timeout)
    if status == "error":
        raise value if isinstance(value, Exception) else ValueError(value)
    return value
