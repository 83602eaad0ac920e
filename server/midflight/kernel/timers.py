"""Time: the clock as an argument, and one heap of deadlines.

A heap entry is never searched for. A cancelled timer stays in the heap until its time or the next sweep.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, Protocol

from midflight.kernel import trouble
from midflight.kernel.seconds import checked_seconds

__all__ = ["Clock", "Deadline", "ManualClock", "SystemClock", "Timer", "Timers"]

SWEEP_FROM = 64  # entries; below that a sweep costs more than it frees


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


class Timer:
    """One deadline and the function to call then."""

    __slots__ = ("ahead", "deadline")

    def __init__(self, deadline: float, action: Callable[[], None]) -> None:
        self.deadline = deadline
        self.ahead = [action]

    def ring(self, what: Callable[[], None]) -> None:
        """Call the function."""
        what()


class Timers:
    """The deadlines ahead, earliest first; equal ones in the order they were set."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Deadline]] = []
        self._order = count()
        self._dead = 0

    def __len__(self) -> int:
        return len(self._heap) - self._dead

    def set(self, deadline: float, action: Callable[[], None]) -> Timer:
        """Call `action` at the first `fire` with a time of `deadline` or later."""
        timer = Timer(deadline, action)
        self.add(timer)
        return timer

    def add(self, timer: Deadline) -> None:
        """Have `timer` ring at the first `fire` with a time of its deadline or later."""
        heappush(self._heap, (timer.deadline, next(self._order), timer))

    def cancel(self, timer: Timer) -> None:
        """Forget `timer`; nothing happens if it has fired or was cancelled."""
        if timer.ahead:
            timer.ahead.clear()
            self.note_cancelled()

    def note_cancelled(self) -> None:
        """Count a timer out that has nothing ahead any more; it stays in the heap until its time or the next sweep."""
        self._dead += 1
        if self._dead > SWEEP_FROM and self._dead * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].ahead]
            heapify(self._heap)
            self._dead = 0

    def fire(self, now: float) -> None:
        """Have those ring that are due at `now`, in order of deadlines. A timer that one of them sets waits its turn.

        One that raises is told of, and the others ring.
        """
        if not self._heap or self._heap[0][0] > now:
            return
        due: deque[Deadline] = deque()
        while self._heap and self._heap[0][0] <= now:
            due.append(heappop(self._heap)[2])
        try:
            while due:
                timer = due.popleft()
                try:
                    what = timer.ahead.pop()
                except IndexError:  # cancelled
                    self._dead -= 1
                    continue
                try:
                    timer.ring(what)
                except BaseException as error:  # of the program: a message that cannot be copied
                    trouble.tell("A timer", error)
        finally:  # what is left if the user's Ctrl-C came during this
            for timer in due:
                self.add(timer)

    def next_deadline(self) -> float | None:
        """Return the earliest deadline ahead, or None."""
        heap = self._heap
        while heap and not heap[0][2].ahead:
            heappop(heap)
            self._dead -= 1
        return heap[0][0] if heap else None
