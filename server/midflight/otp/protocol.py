"""Messages between clients and servers of behaviours, and the return values of callbacks."""

from __future__ import annotations

from typing import Any, Protocol

from midflight.kernel import Client, Pid
from midflight.text import Token

__all__ = ["IGNORE", "NOREPLY", "Call", "Cast", "Dest", "Name", "Stop"]


NOREPLY = Token("NOREPLY")  # returned by handle_call: the reply comes later, by reply(client, value)
IGNORE = Token("IGNORE")  # returned by init: there is to be no process, and start answers None


class Call:
    """A request that waits for a reply: handled by handle_call. OTP: {'$gen_call', From, Request}."""

    __match_args__ = ("request", "client")
    __slots__ = ("client", "request")

    def __init__(self, request: Any, client: Client) -> None:
        self.request = request
        self.client = client

    def __repr__(self) -> str:
        return f"Call({self.request!r}, {self.client!r})"


class Cast:
    """A message that waits for nothing: handled by handle_cast. OTP: {'$gen_cast', Message}."""

    __match_args__ = ("message",)
    __slots__ = ("message",)

    def __init__(self, message: Any) -> None:
        self.message = message

    def __repr__(self) -> str:
        return f"Cast({self.message!r})"


class Stop(BaseException):
    """Raised by a callback of a GenServer to end it: `terminate(reason)` runs, then the process exits with `reason`.

    `reply` is sent to the caller after `terminate`, if the callback is handle_call. A `reason` that is an exception
    makes a crash report. Raised by `init`, nothing was started: `terminate` does not run, `start` raises the reason.
    It is not an Exception, so that `except Exception` in a callback does not swallow it.

    OTP: {stop, Reason, Reply, State}.
    """

    def __init__(self, reason: object = "normal", *, reply: object = NOREPLY) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply
        self.client: Client | None = None  # who gets it: set by the loop


class Name(Protocol):
    """A name that somebody else than the runtime keeps, such as a Registry's `via`. OTP: {via, Module, Name}."""

    def whereis(self) -> Pid | None:
        """Return the pid that has the name."""

    def claim(self) -> None:
        """Take the name for the calling process. Raises: AlreadyStarted if another has it."""


Dest = Pid | str | tuple[str, str] | Name
