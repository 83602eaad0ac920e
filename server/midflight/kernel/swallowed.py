"""Exit signals that their target's code swallowed: they are thrown again once it is back at work.

`asyncio.wait_for` before Python 3.12, and a TaskGroup before 3.13, drop a cancellation that comes at the moment when
what they wait for is done; so does `suppress(CancelledError)` around a task that was cancelled just then. An asyncio
task goes on as if nothing had happened then. A process has to end all the same: its links and its supervisor wait for
that, and a second exit signal changes nothing.

The exception itself tells: while a `finally` or an `except` is busy with it, it is alive; once it is gone and the
process is not, it was swallowed. An exception in a reference cycle is gone with the next garbage collection. A
process that cleans up after having caught it is let be for as long as a supervisor gives its children: before that only
one that is back at work is told again. It is back at work at a plain `receive()`, and where it goes on as another
coroutine, since a tail call leaves all blocks.
"""

from __future__ import annotations

import weakref
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType
from typing import TYPE_CHECKING

from midflight.errors import ProcessExit
from midflight.kernel import trouble
from midflight.kernel.core import takes_any_message
from midflight.kernel.frames import awaitables_of
from midflight.kernel.mailbox import HANDED, RECEIVE

if TYPE_CHECKING:
    from midflight.kernel.core import Process
    from midflight.kernel.scheduler import Scheduler

__all__ = ["exit_for"]

LOOK_SECONDS = 0.1
CLEAN_UP_SECONDS = 5.0
MOST_TIMES = 10


def exit_for(scheduler: Scheduler, process: Process, reason: object, times: int = 1) -> ProcessExit:
    """Return the exception of exit `reason` for `process`, the `times`-th one. If swallowed, it is thrown again."""
    error = ProcessExit(reason)
    weakref.finalize(error, _gone, scheduler, weakref.ref(process), times).atexit = False
    return error


def _gone(scheduler: Scheduler, target: weakref.ref[Process], times: int) -> None:
    """Look at a process whose ProcessExit has been dropped; anywhere, by the garbage collector even."""
    process = target()
    if process is not None and process.pid.process is not None:
        scheduler.call_threadsafe(_look, scheduler, target, times)


def _look(scheduler: Scheduler, target: weakref.ref[Process], times: int, until: float | None = None) -> None:
    """Throw the exit again, if the process is back at work or it is `until`, else look again later."""
    process = target()
    if process is None or process.pid.process is None or process.exit_reason is None:
        return
    now = scheduler.clock.now()
    if until is None:
        until = now + CLEAN_UP_SECONDS
    if now < until and not _is_at_work(process):
        scheduler.timers.set(now + LOOK_SECONDS, lambda: _look(scheduler, target, times, until))
        scheduler.wake_up()
    elif times < MOST_TIMES:
        scheduler.interrupt(process, exit_for(scheduler, process, process.exit_reason[0], times + 1))
    else:
        trouble.log(
            trouble.logger,
            40,
            f"Process {process.pid!r} has swallowed its exit signal {times} times; it goes on. Its code catches "
            'CancelledError or BaseException in a loop; exit(pid, "kill") ends it.',
        )


def _is_at_work(process: Process) -> bool:
    """Say whether `process`, which does not run, has left the code that the exit was thrown into."""
    if process.waiting is RECEIVE:
        return True
    if process.waiting is HANDED:  # it always has messages, and the others run before it takes the next
        return takes_any_message(awaitables_of(process.coro)[-1])
    return type(process.coro) is CoroutineType and getcoroutinestate(process.coro) == CORO_CREATED
