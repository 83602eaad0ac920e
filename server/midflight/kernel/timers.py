"""Time: the clock as an argument, and one heap of deadlines, which is `pure_timers` or compiled."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from midflight.kernel import trouble
from midflight.kernel.choice import COMPILED
from midflight.kernel.seconds import checked_seconds

if TYPE_CHECKING or COMPILED is None:
    from midflight.kernel.pure_timers import TimerFields, TimerHeap
else:
    TimerFields, TimerHeap = COMPILED.TimerFields, COMPILED.TimerHeap

__all__ = ["Clock", "Deadline", "ManualClock", "SystemClock", "Timer", "Timers"]


class Clock(Protocol):
    """A source of time."""

    def now(self) -> float:
        """Return seconds since some fixed moment; never goes back."""


class SystemClock:
    """The machine's monotonic clock."""

    now = staticmethod(time.monotonic)


class ManualClock:
    """A clock that only a test moves."""

    def __init__(self, now: float = 0.0) -> None:
        self._now = now

    def now(self) -> float:
        """Return the seconds that `advance` has added up to."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`. Raises: ValueError if that is negative, infinite or NaN; TypeError for another type."""
        self._now += checked_seconds("advance: seconds", seconds, "the clock stays where it is")


class Deadline(Protocol):
    """A deadline in the heap. `ahead` holds one thing, what `ring` is called with, until that or a cancel takes it out.

    To take it out is one step to threads: so it is done by one of them only.
    """

    ahead: list[Any]
    deadline: float

    def ring(self, what: Any) -> None:
        """Do what is to be done at the deadline, with what was `ahead`."""


class Timer(TimerFields):
    """One deadline and the function to call then."""

    __slots__ = ()

    def __init__(self, deadline: float, action: Callable[[], None]) -> None:
        self.deadline = deadline
        self.ahead = [action]

    def ring(self, what: Callable[[], None]) -> None:
        """Call the function."""
        what()


class Timers(TimerHeap):
    """The deadlines ahead, and what they ring."""

    def set(self, deadline: float, action: Callable[[], None]) -> Timer:
        """Call `action` at the first `fire` with a time of `deadline` or later."""
        timer = Timer(deadline, action)
        self.add(timer)
        return timer

    def cancel(self, timer: Timer) -> None:
        """Forget `timer`; nothing happens if it has fired or was cancelled."""
        if timer.ahead:
            timer.ahead.clear()
            self.note_cancelled()

    def fire(self, now: float) -> None:
        """Have those ring that are due at `now`, in order of deadlines. A timer that one of them sets waits its turn.

        One that raises is told of, and the others ring.
        """
        due = self.take_due(now)
        try:
            while due:
                timer = due.popleft()
                try:
                    what = timer.ahead.pop()
                except IndexError:  # cancelled
                    self.note_gone()
                    continue
                try:
                    timer.ring(what)
                except BaseException as error:  # of the program: a message that cannot be copied
                    trouble.tell("A timer", error)
        finally:  # what is left if the user's Ctrl-C came during this
            for timer in due:
                self.add(timer)
