"""`MailboxWatch`: a server that looks at the mailboxes of all processes, and says which of them have become long."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from midflight.kernel import Pid, Process, arguments, current_scheduler, message_count, self_, send_after, trouble
from midflight.otp.gen_server import GenServer
from midflight.otp.protocol import value_of
from midflight.otp.starting import Starting
from midflight.text import Token, short

__all__ = ["LongMailbox", "MailboxWatch"]

logger = logging.getLogger("midflight.mailbox")

LOOK = Token("LOOK")  # the message of the watch to itself


class LongMailbox(NamedTuple):
    """A process whose mailbox has become long, or, if not `is_long`, short again. `waiting` messages are in it.

    `name` is its registered name, None also if it has ended.
    """

    pid: Pid
    name: str | None
    waiting: int
    is_long: bool


class MailboxWatch(GenServer):
    """A server that warns of processes that get more messages than they take: `ChildSpec("mailboxes", MailboxWatch)`.

    Every `seconds` it looks at all processes. One with more than `limit` messages waiting is told of once, on the
    logger `midflight.mailbox` and to `hook(LongMailbox)`, a plain or async function that runs in the watch; and once
    more to the hook when no more than `low` wait, half of the limit by default. So a hook may turn callers away
    meanwhile.
    Nothing is dropped, and nobody is ended. A hook that raises is logged.
    OTP: erlang:system_monitor/2 with long_message_queue, of OTP 27, which looks at each send.

    Example:

        async def slow(): await receive("never")

        pid = spawn(slow)
        await MailboxWatch.start(2, seconds=0.01, hook=self_().__lshift__)
        for number in range(5): pid << number
        (await receive()).waiting  # -> 5
    """

    @classmethod
    def start(cls, limit: int = 10_000, **options: Any) -> Starting:  # type: ignore[override]  # its own arguments
        """Start a watch; to be awaited for its pid. `low`, `seconds`, `hook`: see MailboxWatch; `name`, `timeout`.

        Raises: TypeError or ValueError for a limit that is not a number of messages; as GenServer.start.
        """
        return super().start(*_checked(limit, options), **options)

    @classmethod
    def start_link(cls, limit: int = 10_000, **options: Any) -> Starting:  # type: ignore[override]  # its own arguments
        """Start a watch as `start` does, linked to the caller."""
        return super().start_link(*_checked(limit, options), **options)

    def init(self, limit: int, low: int, seconds: float, hook: Callable[[LongMailbox], Any] | None) -> None:
        """Begin to look."""
        self.limit, self.low, self.seconds, self.hook = limit, low, seconds, hook
        self.long: dict[Pid, Process] = {}
        send_after(seconds, self_(), LOOK)

    async def handle_info(self, message: Any) -> None:
        """Look at all mailboxes, and again later."""
        if message is not LOOK:
            super().handle_info(message)
            return
        scheduler = current_scheduler()
        for process in list(scheduler.processes.values()):
            if len(process.mailbox or ()) > self.limit and process.pid not in self.long:
                self.long[process.pid] = process
                count = message_count(scheduler, process)
                who = f"{process.pid!r} ({process.name})" if process.name else repr(process.pid)
                text = f"{who} has {count} messages waiting, more than {self.limit}: it takes fewer than it gets"
                trouble.log(logger, logging.WARNING, text)
                await self._tell(LongMailbox(process.pid, process.name, count, True))
        for pid, process in list(self.long.items()):
            count = 0 if pid.process is None else message_count(scheduler, process)
            if count <= self.low:
                del self.long[pid]
                await self._tell(LongMailbox(pid, process.name, count, False))
        send_after(self.seconds, self_(), LOOK)

    async def _tell(self, found: LongMailbox) -> None:
        if self.hook is not None:
            try:
                await value_of(self.hook(found))
            except Exception as error:
                trouble.tell(f"The hook {short(self.hook)} of a MailboxWatch", error)


def _checked(limit: object, options: dict[str, Any]) -> tuple[Any, ...]:
    """Take the options of a watch out of `options`; return the arguments of init. Raises: TypeError; ValueError."""
    low = options.pop("low", limit // 2 if type(limit) is int else None)
    for what, value in (("limit", limit), ("low", low)):
        if type(value) is not int or value < 0:
            raise ValueError(f"{what} must be a whole number >= 0, not {short(value)}; nothing was started")
    assert type(limit) is int
    if low > limit:
        raise ValueError(f"low must be at most the limit, {limit}, not {low}; nothing was started")
    seconds = arguments.seconds("seconds", options.pop("seconds", 1.0), "nothing was started")
    if not seconds:
        raise ValueError("seconds must be more than 0; nothing was started")
    hook = options.pop("hook", None)
    return limit, low, seconds, hook if hook is None else arguments.callable_("hook", hook)
