"""The events of a trace as pushes: gathered for 50 ms, some hundred a push, with flow control.

What the peer does not take stays in the trace, which is bounded and counts what it drops.

    000086(call 9 trace/events (1 ((:at 1800000000.25 :kind "out" :pid "<0.5.0>" :other "<0.7.0>" :text "'go'")) 0))
    00000d(return 9 t)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from midflight.epc.pushes import Pusher, Windowed

__all__ = ["EventSource", "TraceFeed"]

_WINDOW = 2
_EVENTS_A_PUSH = 300
_BATCH_SECONDS = 0.05

Plist = dict[str, object]


class EventSource(Protocol):
    """The events of a trace that nobody has taken. `dropped` is how many there was no room for."""

    @property
    def dropped(self) -> int:
        """Return how many were dropped since the last taking."""

    def __len__(self) -> int: ...

    def take(self, most: int) -> tuple[Sequence[object], int]:
        """Return the oldest events, at most so many, and how many were dropped."""


class TraceFeed(Windowed):
    """The channel of one trace. `plists` translates events; `number` is what the peer knows the trace by."""

    def __init__(self, connection: Pusher, number: int, plists: Callable[[list[object]], list[Plist]]) -> None:
        super().__init__(connection)
        self._number = number
        self._plists = plists
        self._trace: EventSource | None = None
        self._due_at = math.inf

    def open(self, trace: EventSource) -> None:
        """Push the events of `trace` from now on."""
        self._trace = trace
        self._outbox.attach(self)

    def close(self) -> None:
        """Push no more; the events not pushed are lost."""
        self._outbox.detach(self)

    def wake(self) -> None:
        """Note that there are events. Callable from any thread; never waits."""
        with self._outbox.lock:
            self._due_at = min(self._due_at, self._outbox.clock() + _BATCH_SECONDS)
            self._outbox.wake()

    def due_at(self) -> float | None:
        """Return when the next events want to leave, by the outbox's clock; None if none may leave now."""
        if self._trace is None or self._unanswered >= _WINDOW or not (len(self._trace) or self._trace.dropped):
            return None
        if self._due_at == math.inf:  # what was dropped is told, too, though no event comes behind it
            self._due_at = self._outbox.clock() + _BATCH_SECONDS
        return self._due_at

    def push(self) -> None:
        """Put the next events into the outbox, with the number of those dropped."""
        assert self._trace is not None
        events, dropped = self._trace.take(_EVENTS_A_PUSH)
        self._due_at = -math.inf if len(self._trace) else math.inf
        self._push("trace/events", self._number, self._plists([*events]), dropped)
