"""System messages to a process of a behaviour: stop it between two messages, look at its state, change its code.

All functions take a Dest and `timeout` in seconds, None for no limit, and raise as `call` does. A plain process does
not answer, so CallTimeout. Import it under another name than the standard library's: `from midflight.otp import sys as
otp_sys`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from midflight.errors import CodeChangeError
from midflight.kernel import arguments
from midflight.otp.calls import system_call
from midflight.otp.protocol import Dest
from midflight.text import short

__all__ = ["change_code", "get_state", "replace_state", "resume", "suspend"]


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
