"""Processes that another thread has killed and that have not ended: they may never yield.

The life of a doom: `exit(pid, "kill")` on another thread marks the process -> the kill takes its turn, if the process
lets it -> else the watchdog strikes at the process until it has ended. Whatever ends it takes the mark away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from midflight.collection import callers_of, frames_of_threads
from midflight.errors import Killed
from midflight.kernel.async_exc import break_into, is_users_own, own_class

if TYPE_CHECKING:
    from midflight.kernel.core import Process
    from midflight.kernel.scheduler import Scheduler

__all__ = ["Doom", "why_not_ended"]


class Doom:
    """The mark of one process. `hits` is how often it was broken into: each time it has caught that and gone on."""

    __slots__ = ("_dealt", "hits")

    def __init__(self) -> None:
        self.hits = 0
        self._dealt: type[Killed] | None = None

    def strike(self, scheduler: Scheduler, process: Process, turn: int) -> bool:
        """Raise Killed in `process` if it still runs in turn number `turn`: see `break_into`, which may miss."""
        if self._dealt is None:

            def count(error: Killed) -> None:
                self.hits += 1
                Killed.__init__(error)

            self._dealt = own_class(Killed, __init__=count)
        return break_into(scheduler, process, turn, self._dealt)


def why_not_ended(scheduler: Scheduler, process: Process) -> str:
    """Say why `process`, which another thread has sent an exit signal, has not ended, and how it can be ended.

    From any thread, when no turn of the runtime has come since. A process that has ended meanwhile is said to have.
    """
    if process.pid.process is None:
        return f"{process.pid!r} has ended."
    doom, current, place = scheduler.doomed.get(process), scheduler.current(), _place(scheduler)
    subject = f"{process.pid!r} was killed and has not ended:"
    if doom is None:
        subject = f"{process.pid!r} has not taken the exit signal yet:"
        if current is process:
            return (
                f"{subject} it has not yielded{place}. Other processes wait. It takes the signal when it yields; "
                'the reason "kill" breaks into it.'
            )
    if current is process and doom is not None and doom.hits:
        times = "once" if doom.hits == 1 else f"{doom.hits} times"
        return (
            f"{subject} it has caught the exception that ends it {times} and goes on{place}. Other processes wait. "
            "It is tried again and again, and ends when it lets the exception through or yields; if it never does, "
            "restart the server."
        )
    if current is process:
        return (
            f"{subject} it runs code that Python cannot interrupt, in C{place}. Other processes wait. "
            "It ends as soon as it runs Python code of its own or yields."
        )
    if current is not None:
        holder = f"{current.pid!r} has not yielded{place}. Kill that process"
    else:
        holder = f"the runtime runs code that is no process's{place}. Wait for that"
    return f"{subject} its turn has not come, because {holder}; the signal to {process.pid!r} comes right behind."


def _place(scheduler: Scheduler) -> str:
    """Return the place of the innermost user code on the runtime's thread, after a comma; "" if nowhere."""
    frame = next(filter(is_users_own, callers_of(frames_of_threads().get(scheduler.thread))), None)
    if frame is None:
        return ""
    return f", at {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"
