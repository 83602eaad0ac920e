"""Messages between clients and servers of behaviours, and the return values of callbacks."""

from __future__ import annotations

from typing import Any, Protocol

from midflight.kernel import CallMessage, Client, Pid, arguments, coroutine_in
from midflight.text import Token

__all__ = ["IGNORE", "NOREPLY", "Call", "Cast", "Continue", "Dest", "Name", "Stop", "Timeout", "value_of"]


NOREPLY = Token("NOREPLY")  # returned by handle_call: the reply comes later, by reply(client, value)
IGNORE = Token("IGNORE")  # returned by init: there is to be no process, and start answers None


class Call(CallMessage):
    """A request that waits for a reply: handled by handle_call. OTP: {'$gen_call', From, Request}."""

    __match_args__ = ("request", "client")
    __slots__ = ()

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


class Continue:
    """A return value of `init` or a callback of a GenServer: `handle_continue(value)` runs next, before any message.

    So a server starts at once and does its long work before it takes the first message. From handle_call, `reply` is
    the reply to the call, sent before handle_continue runs; without it the reply comes later, as after NOREPLY.
    OTP: {ok, State, {continue, Value}}, {reply, Reply, State, {continue, Value}} and so on.

    Example:

        class Prices(GenServer):
            def init(self):
                return Continue("read")

            def handle_continue(self, value):
                self.prices = {"tea": 3}

            def handle_call(self, request, client):
                return self.prices[request]

        await call(await Prices.start(), "tea")  # -> 3
    """

    __match_args__ = ("value",)
    __slots__ = ("reply", "value")

    def __init__(self, value: Any = None, *, reply: object = NOREPLY) -> None:
        self.value = value
        self.reply = reply

    def __repr__(self) -> str:
        return f"Continue({self.value!r})"


class Timeout:
    """A return value of `init` or a callback of a GenServer: `handle_info("timeout")` runs if no message comes.

    It runs once, after `seconds`. Any message ends the wait, and the callback that takes it may return a new Timeout; a
    system message only restarts it. 0 runs it at once if no message is waiting. From handle_call, `reply` is the
    reply to the call; without it the reply comes later, as after NOREPLY.
    Raises: TypeError or ValueError for `seconds` that are not a time.
    OTP: {noreply, State, Timeout}; as there, the message is the same as one that anybody could send.

    Example:

        class Session(GenServer):
            def init(self, owner):
                self.owner = owner
                return Timeout(0.01)

            def handle_info(self, message):
                self.owner << message

        pid = await Session.start(self_())
        await receive()  # -> 'timeout'
    """

    __match_args__ = ("seconds",)
    __slots__ = ("reply", "seconds")

    def __init__(self, seconds: float, *, reply: object = NOREPLY) -> None:
        self.seconds = arguments.seconds("Timeout", seconds)
        self.reply = reply

    def __repr__(self) -> str:
        return f"Timeout({self.seconds!r})"


async def value_of(answer: Any) -> Any:
    """Return the value of a callback, plain or async; a coroutine that an async one returned is its tail call."""
    while (coro := coroutine_in(answer)) is not None:
        answer = await coro
    return answer


class Name(Protocol):
    """A name that somebody else than the runtime keeps, such as a Registry's `via`. OTP: {via, Module, Name}."""

    def whereis(self) -> Pid | None:
        """Return the pid that has the name."""

    def claim(self) -> None:
        """Take the name for the calling process. Raises: AlreadyStarted if another has it."""


Dest = Pid | str | tuple[str, str] | Name
