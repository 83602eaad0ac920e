"""`Client`, a caller that waits for one answer: the kernel's half of call, start, task and sys.

The life of a call: `Client(owner, target)` watches the target -> a request with the client in it is sent -> the
owner waits -> `answer` hands the value over, or a Down comes, or the time is up, whichever is first.

Laws:
1. Monitor before send: a target that ends after the request was sent is noticed.
2. A client takes one message at most. Once it is closed nothing comes through it, so a late answer never arrives.
3. An answer comes after what the target had sent before; `answer` only spares it the way through the mailbox when
   its owner waits for nothing else.
"""

from __future__ import annotations

from _thread import get_ident
from collections.abc import Generator
from types import coroutine
from typing import TYPE_CHECKING, Any

from midflight.kernel import arguments
from midflight.kernel.ends import unlink
from midflight.kernel.mailbox import HANDED, TIMED_OUT, Receive, drop_first
from midflight.kernel.refs import Ref, ref_numbers
from midflight.kernel.signals import Down, Exit

if TYPE_CHECKING:
    from midflight.kernel.core import Process

__all__ = ["TIMED_OUT", "Client"]


class Client(Ref):
    """A ref that is a monitor and an alias at once: it takes one answer of `target` for its `owner`.

    OTP: what handle_call gets as From; a monitor with the option {alias, reply_demonitor}.
    """

    __slots__ = ("pid", "request", "target")

    def __init__(self, owner: Process, target: Process) -> None:
        """Watch `target`, which is alive, for `owner`, which runs. `pid` and `target` are kept as pids.

        A client may be kept longer than both live: their records would stay in memory as long.
        Raises: ValueError if `target` is a process of another runtime; nothing is watched then.
        """
        if target.core is not owner.core:
            arguments.own_pid("a call", target.pid, owner.core)
        # Ref's slots are set here and not by its __init__: that call would be a tenth of a round trip.
        self.number = next(ref_numbers)
        self.alias = owner
        self.mark = owner.arrived
        self.once = True
        self.owner = self.pid = owner.pid
        self.target = target.pid
        self.request: Receive | None = None
        if owner.monitors is None:
            owner.monitors = {}
        if target.monitored_by is None:
            target.monitored_by = {}
        owner.monitors[self] = target
        target.monitored_by[self] = (owner, target.pid)

    def answer(self, value: object) -> None:
        """Hand `value` over and close; nothing happens if the client is closed. Safe from any thread."""
        owner = self.alias
        if owner is None:
            return
        core: Any = owner.core
        if get_ident() != core.fast_thread:
            if get_ident() == core.thread:
                self << (self, value)  # copied, or traced
            else:
                # Copied here: what cannot be copied is the answering thread's error, and the client stays open.
                core.on_own_thread(self._answer_copied, core.copy_of(value))
            return
        self.close()
        if owner.waiting is self.request is not None:
            owner.waiting = HANDED
            owner.value = (self, value)
            owner.resume = owner.coro.send  # type: ignore[union-attr]  # it has begun
            core.queue.append(owner)
            if not core.awake:
                core._wake()
        else:
            owner.pid << (self, value)

    def _answer_copied(self, value: object) -> None:
        owner = self.alias
        if owner is not None:
            self.close()
            owner.core.deliver(owner, (self, value))

    def close(self) -> None:
        """Stop watching and take no more messages. Those that have come already stay in the mailbox."""
        owner, target = self.alias, self.target.process
        self.alias = None
        if owner is not None and owner.monitors is not None:
            owner.monitors.pop(self, None)
            if target is not None and target.monitored_by is not None:
                target.monitored_by.pop(self, None)

    def abandon(self) -> None:
        """Close, and take the messages that have come already out of the mailbox."""
        self.close()
        owner = self.pid.process
        if owner is not None:  # a client takes one message at most
            drop_first(owner, self, self._is_mine)

    def forget_exit(self) -> None:
        """Take the Exit of the target, which has ended or was unlinked, out of the owner's mailbox, if it came."""
        owner = self.pid.process
        if owner is not None:
            drop_first(owner, self, lambda message: type(message) is Exit and message.pid is self.target)

    def _is_mine(self, message: Any) -> bool:
        return type(message) in (tuple, Down) and bool(message) and message[0] is self

    def unlink(self) -> None:
        """Remove the link between owner and target, if there is one; on the scheduler's thread, in any process."""
        owner = self.pid.process
        if owner is not None:
            unlink(owner, self.target)

    @coroutine
    def wait(self, timeout: float | None) -> Generator[Any, Any, Any]:
        """Wait for (client, value), or the Down of the target, or TIMED_OUT; return which came first.

        `timeout` is seconds as arguments.timeout returns them. After TIMED_OUT the client is still open and may wait
        again; what is thrown into its owner meanwhile abandons it.
        """
        self.request = request = Receive(((self, ...), (self, ..., ...)), timeout)
        try:
            return (yield request)
        except BaseException:
            self.abandon()
            raise
