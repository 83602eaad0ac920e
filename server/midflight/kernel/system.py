"""System messages, which every behaviour's process obeys besides its own messages: `sys` and the code server send them.

One real exchange: `System("get_state", ref, client)` comes, `(ref, ("ok", state))` is sent to `client`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from midflight.kernel.core import Process
    from midflight.kernel.refs import Ref

__all__ = ["System", "server_of"]


class ReplyTo(Protocol):
    """A receiver of an answer: a pid, an alias, or any object with `<<`."""

    def __lshift__(self, message: Any, /) -> Any:
        """Take `message`."""


class System(NamedTuple):
    """A system message. OTP: {system, From, Request}.

    `request` is "suspend", "resume", "get_state", ("replace_state", function), ("change_code", module, old_vsn,
    extra) or ("terminate", reason). The answer is (ref, ("ok", value)) or (ref, ("error", reason)), sent to
    `reply_to`; "terminate" has none. While a process is suspended it handles nothing else.
    """

    request: Any
    ref: Ref
    reply_to: ReplyTo


def server_of(process: Process) -> Any:
    """Return the object whose methods are the callbacks of `process` and whose attributes are its state.

    None for a process that does not run a behaviour, or whose init has not ended.
    """
    return None if process.behaviour is None else process.behaviour.server
