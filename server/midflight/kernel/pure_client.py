"""The round trip of a call in Python: the hot half of `Client`, whose laws are in `client`."""

from __future__ import annotations

from _thread import get_ident
from collections.abc import Callable, Generator
from types import coroutine
from typing import TYPE_CHECKING, Any

from midflight.kernel.mailbox import HANDED, Receive
from midflight.kernel.refs import Ref, ref_numbers

if TYPE_CHECKING:
    from midflight.kernel.core import Process

__all__ = ["CallMessage", "CallRef"]


class CallMessage:
    """The message of a call: `request`, and the `client` that waits for the answer."""

    __slots__ = ("client", "request")

    def __init__(self, request: Any, client: Any) -> None:
        self.request = request
        self.client = client


class CallRef(Ref):
    """A ref that watches `target` for `owner` and takes its answer. `Client` adds all that is rare.

    `hold(client, value)` is called in place of an answer, on the scheduler's thread, as long as it is not None and the
    client is open. To let the answer go: set it to None, and `answer`.
    """

    __slots__ = ("hold", "pid", "request", "target")

    def __init__(self, owner: Process, target: Process) -> None:
        """Watch `target`, which is alive, for `owner`, which runs. `pid` and `target` are kept as pids.

        A client may be kept longer than both live: their records would stay in memory as long.
        Raises: ValueError if `target` is a process of another runtime; nothing is watched then.
        """
        if target.core is not owner.core:
            self.refuse(owner, target)
        # Ref's slots are set here and not by its __init__: that call would be a tenth of a round trip.
        self.number = next(ref_numbers)
        self.alias = owner
        self.mark = owner.arrived
        self.once = True
        self.owner = self.pid = owner.pid
        self.target = target.pid
        self.request: Receive | None = None
        self.hold: Callable[[Any, object], object] | None = None
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
            self.answer_slowly(value)
            return
        if self.hold is not None:
            self.hold(self, value)
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

    def close(self) -> None:
        """Stop watching and take no more messages. Those that have come already stay in the mailbox."""
        owner, target = self.alias, self.target.process
        self.alias = None
        if owner is not None and owner.monitors is not None:
            owner.monitors.pop(self, None)
            if target is not None and target.monitored_by is not None:
                target.monitored_by.pop(self, None)

    def refuse(self, owner: Process, target: Process) -> None:
        """Raise ValueError: `target` is a process of another runtime."""
        raise NotImplementedError

    def answer_slowly(self, value: object) -> None:
        """Answer from another thread, or in a core that copies or traces."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Close, and take the messages that have come already out of the mailbox."""
        raise NotImplementedError

    @coroutine
    def wait(self, timeout: float | None) -> Generator[Any, Any, Any]:
        """Wait for (client, value), or the Down of the target, or TIMED_OUT; return which came first.

        `timeout` is seconds as arguments.timeout returns them. After TIMED_OUT the client is still open and may wait
        again; what is thrown into its owner meanwhile abandons it.
        """
        self.request = request = Receive(((self, ...), (self, ..., ...)), timeout)
        try:
            message = yield request
        except BaseException:
            self.request = None
            self.abandon()
            raise
        self.request = None  # they hold each other
        return message
