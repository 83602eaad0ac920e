"""The door by which a process that waits for a message goes on as another coroutine, from its start.

To the process nothing has happened: pid, name, mailbox, links, monitors, dictionary, context and timers stay, no
message is consumed. Only the receive itself begins again, so its timeout does too. Whether the other coroutine is the
right one is the caller's to know; whether the process only waits, is known here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from midflight.kernel import ends
from midflight.kernel.core import again, is_receive
from midflight.kernel.frames import is_kernel_frame
from midflight.kernel.mailbox import HANDED, RECEIVE, Receive, Sleep

if TYPE_CHECKING:
    from midflight.kernel.core import Process
    from midflight.kernel.scheduler import Scheduler

__all__ = ["obstacle", "reenter"]


def obstacle(scheduler: Scheduler, process: Process) -> str | None:
    """Say in words why `process` cannot be re-entered; None if it can.

    It can if it waits for a message, in a `receive` that its process function itself awaits, with nothing on its way
    to it. To be asked on the scheduler's thread; the answer holds until a process runs or a signal is sent.
    """
    if not scheduler.is_own_thread():
        return "another thread runs it"
    if process.pid.process is None or process.exit_reason is not None or process in scheduler.doomed:
        return "it is exiting"
    if process.pending is not None:
        return "an exception is on its way to it"
    if scheduler.current() is process:
        return "it is running"
    if process.coro is None:
        return "it has not begun"
    waiting = process.waiting
    if waiting is HANDED or (waiting is None and process.resume is again):
        return "a message is on its way to it"
    if waiting is None:
        return "it is about to run"
    if waiting is not RECEIVE and type(waiting) is not Receive:
        return f"it awaits something else: {_what(waiting)}"
    awaited = getattr(process.coro, "cr_await", None)
    if type(process.coro) is CoroutineType and is_receive(awaited):
        return None
    names = [frame.f_code.co_name for frame in scheduler.frames(process) if not is_kernel_frame(frame)]
    return f"a deeper stack: {' > '.join(names)}"


def _what(waiting: object) -> str:
    if type(waiting) is Sleep:
        return "a time"
    return "an asyncio future" if asyncio.isfuture(waiting) else type(waiting).__name__


def reenter(scheduler: Scheduler, process: Process, coro: Coroutine[Any, Any, Any]) -> str | None:
    """Let `process` go on as `coro`, which has not begun, at its next turn; say why not, if it has an obstacle.

    The coroutine that it leaves is closed where it waits: a `try` around that would run its `finally`. One that is
    refused is the caller's to close.
    Raises: ValueError if `coro` has begun; nothing has changed then.
    """
    if getcoroutinestate(coro) != CORO_CREATED:
        raise ValueError(f"{process.pid!r} cannot go on as a coroutine that has begun; it goes on as it was")
    why = obstacle(scheduler, process)
    if why is not None:
        return why
    old, process.coro = process.coro, coro
    process.resume, process.value, process.waiting = coro.send, None, None
    process.reductions += 1  # it is elsewhere now, as after a step
    scheduler.enqueue(process)
    # Last: what the old frame alone kept alive goes with it, and a `__del__` may send to this process, or kill it.
    ends.close(scheduler, process.pid, process.context, old)
    return None
