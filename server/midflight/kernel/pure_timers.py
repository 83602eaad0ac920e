"""The heap of deadlines in Python.

A heap entry is never searched for. A cancelled timer stays in the heap until its time or the next sweep.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midflight.kernel.timers import Deadline

__all__ = ["TimerFields", "TimerHeap"]

SWEEP_FROM = 64  # entries; below that a sweep costs more than it frees


class TimerFields:
    """The fields of `Timer`: `ahead` and `deadline`, as `timers` says."""

    __slots__ = ("ahead", "deadline")

    ahead: list[Any]
    deadline: float


class TimerHeap:
    """The deadlines ahead, earliest first; equal ones in the order they were set. `Timers` has them ring."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Deadline]] = []
        self._order = count()
        self._dead = 0

    def __len__(self) -> int:
        return len(self._heap) - self._dead

    def add(self, timer: Deadline) -> None:
        """Have `timer` ring at the first `fire` with a time of its deadline or later."""
        heappush(self._heap, (timer.deadline, next(self._order), timer))

    def note_cancelled(self) -> None:
        """Count a timer out that has nothing ahead any more; it stays in the heap until its time or the next sweep."""
        self._dead += 1
        if self._dead > SWEEP_FROM and self._dead * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].ahead]
            heapify(self._heap)
            self._dead = 0

    def note_gone(self) -> None:
        """Count a timer that was cancelled as one that has left the heap."""
        self._dead -= 1

    def take_due(self, now: float) -> deque[Deadline]:
        """Take out the timers that are due at `now`, cancelled ones too, in order of deadlines."""
        due: deque[Deadline] = deque()
        while self._heap and self._heap[0][0] <= now:
            due.append(heappop(self._heap)[2])
        return due

    def next_deadline(self) -> float | None:
        """Return the earliest deadline ahead, or None."""
        heap = self._heap
        while heap and not heap[0][2].ahead:
            heappop(heap)
            self._dead -= 1
        return heap[0][0] if heap else None
