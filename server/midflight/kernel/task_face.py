"""The face of an asyncio task that a process shows to asyncio libraries, which call `asyncio.current_task()`."""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from midflight.kernel.core import Pid

__all__ = ["TaskFace"]


class TaskFace:
    """What asyncio.timeout, TaskGroup, anyio and aiohttp ask of the task that runs them."""

    __slots__ = ("cancels", "context", "core", "coro", "pending", "pid", "waiting")

    pid: Pid
    core: Any
    context: Context
    coro: Coroutine[Any, Any, Any] | None
    cancels: int
    pending: BaseException | None
    waiting: Any

    def cancel(self, msg: object = None) -> bool:
        """Throw CancelledError into the process where it waits. This is asyncio's; ours is `exit`."""
        if self.done():
            return False
        self.cancels += 1
        error = asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg)
        self.core.interrupt(self, error)
        return True

    def cancelling(self) -> int:
        """Return how many cancellations were asked for and not taken back."""
        return self.cancels

    def uncancel(self) -> int:
        """Take one cancellation back; return how many are left."""
        if self.cancels:
            self.cancels -= 1
            if not self.cancels and type(self.pending) is asyncio.CancelledError:
                self.pending = None
        return self.cancels

    def done(self) -> bool:
        """Say whether the process has ended."""
        return self.pid.process is None

    def cancelled(self) -> bool:
        """Always False: a process ends with a reason, which its monitors hear."""
        return False

    def get_coro(self) -> Coroutine[Any, Any, Any] | None:
        """Return the coroutine that the process runs now; a tail call replaces it."""
        return self.coro

    def get_name(self) -> str:
        """Return the pid as text."""
        return repr(self.pid)

    def get_context(self) -> Context:
        """Return the process's own context."""
        return self.context

    def get_loop(self) -> Any:
        """Return the event loop that the process runs in."""
        return self.core.loop

    @property
    def _must_cancel(self) -> bool:  # anyio reads it
        return self.pending is not None

    @property
    def _fut_waiter(self) -> Any:  # anyio reads it
        return self.waiting if asyncio.isfuture(self.waiting) else None
