"""The watchdog: a thread that notices a process which does not yield, says so, and ends it when it was killed.

A turn of the scheduler lasts a millisecond. One that lasts much longer is held by one process, while all others wait.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from itertools import dropwhile
from types import FrameType

from midflight.asking import hold_of
from midflight.collection import callers_of, frames_of_threads
from midflight.kernel import Scheduler, StuckReport, trouble
from midflight.kernel.async_exc import is_users_own
from midflight.kernel.core import Process
from midflight.kernel.doomed import why_not_ended
from midflight.kernel.frames import is_kernel_frame

__all__ = ["Watchdog"]

logger = logging.getLogger("midflight.watchdog")

LOOK_SECONDS = 0.1
STUCK_SECONDS = 1.0
STRIKE_SECONDS = 0.002  # between two tries to break into a process: most miss one that is busy in the kernel
TURNS = ("turn", "step", "step_now")  # the kernel's functions that a step is called by; `turn` may be one in C
TRIES_UNTIL_LOGGED = 1000  # seconds: one that has not ended by then resists


class Watchdog:
    """Looks at one scheduler every `look_seconds` from a thread of its own, between `start` and `stop`.

    A process that holds a turn for `stuck_seconds` is reported once to `on_stuck` (default: a warning in the log
    `midflight.watchdog`). One that somebody killed (`Scheduler.doomed`) is broken into until it is gone; the
    log says what keeps it from that. Other code that takes as long, a crash report say, is broken off.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        on_stuck: Callable[[StuckReport], None] | None = None,
        look_seconds: float = LOOK_SECONDS,
        stuck_seconds: float = STUCK_SECONDS,
    ) -> None:
        self._scheduler = scheduler
        self.on_stuck = on_stuck or (lambda report: trouble.log(logger, logging.WARNING, report.text()))
        self._look_seconds = look_seconds
        self._looks_until_stuck = max(1, round(stuck_seconds / look_seconds))
        self._stopped = threading.Event()
        self._limited = self._limited_looks = 0
        self._thread = threading.Thread(target=self._watch, name="midflight-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; returns when the thread has ended."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        scheduler = self._scheduler
        seen: tuple[int, Process] | None = None
        looks = 0
        while not self._stopped.wait(self._look_seconds):
            self._break_off_what_is_limited()
            process = scheduler.current()
            turn = scheduler.turns
            if process is None or (turn, process) != seen:
                seen, looks = (turn, process) if process is not None else None, 0
                continue
            looks += 1
            self._end_if_doomed(process, turn)
            if looks == self._looks_until_stuck:
                _aside(self._report, process, looks)

    def _break_off_what_is_limited(self) -> None:
        """Break off the code under the scheduler's limit, if it is the same for `stuck_seconds`."""
        limit = self._scheduler.limit
        if not limit.is_running or limit.number != self._limited:
            self._limited, self._limited_looks = limit.number, 0
            return
        self._limited_looks += 1
        if self._limited_looks >= self._looks_until_stuck and limit.break_off():
            self._limited_looks = 0  # it may go on, with the next object

    def _end_if_doomed(self, process: Process, turn: int) -> None:
        """Break into `process`, if somebody killed it, until it has ended or yields; log the code in its way."""
        scheduler = self._scheduler
        tries = 0
        while scheduler.turns == turn and not self._stopped.wait(STRIKE_SECONDS):
            doom = scheduler.doomed.get(process)
            if doom is None:
                return
            doom.strike(scheduler, process, turn)
            tries += 1
            if tries == TRIES_UNTIL_LOGGED:
                _aside(trouble.log, logger, logging.WARNING, why_not_ended(scheduler, process))

    def _report(self, process: Process, looks: int) -> None:
        hold = hold_of(self._scheduler)
        of_user = None if hold is None else is_users_own  # how it asks tells nobody anything
        stack = "".join(traceback.format_list(_stack_of_step(self._scheduler.thread, of_user)))
        try:
            asked, leader = (None, None) if hold is None else (hold.prompt, hold.leader)
            self.on_stuck(
                StuckReport(process.pid, process.name, looks * self._look_seconds, stack, asked=asked, leader=leader)
            )
        except BaseException as error:  # or nobody would look any more
            trouble.tell("The listener of reports of processes that do not yield", error)


def _aside(tell: Callable[..., None], *args: object) -> None:
    """Call `tell` on a thread of its own: it may wait for a lock that the stuck process holds, a log handler's say."""
    threading.Thread(target=tell, args=args, name="midflight-watchdog-report", daemon=True).start()


def _stack_of_step(thread: int, choose: Callable[[FrameType], bool] | None) -> traceback.StackSummary:
    """Return the calls that the running process is in, outermost first: the frames inside the turn, if chosen."""
    inside: list[tuple[FrameType, int]] = []
    for frame in callers_of(frames_of_threads().get(thread)):
        if frame.f_code.co_name in TURNS and is_kernel_frame(frame):
            break
        inside.append((frame, frame.f_lineno))
    outermost_first = dropwhile(lambda each: is_kernel_frame(each[0]), reversed(inside))
    return traceback.StackSummary.extract(each for each in outermost_first if choose is None or choose(each[0]))
