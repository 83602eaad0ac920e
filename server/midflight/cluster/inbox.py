"""Packets and news from the network, on their way from foreign threads to the runtime's, in batches and bounded.

Laws: the order in which events came is kept; a foreign thread waits while too much is here, so in the end the node that
sends waits; nobody waits for an inbox that is closed.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

__all__ = ["Inbox"]

MOST_BYTES = 16 * 1024 * 1024
A_BATCH = 4  # events, each a frame at most, between two looks at the clock


class Inbox:
    """Events for `take`, which is called on the runtime's thread; `post` has a function called there soon."""

    def __init__(self, post: Callable[[Callable[[], object]], object], take: Callable[[Any], object]) -> None:
        self._post, self._take = post, take
        self._events: deque[tuple[Any, int]] = deque()
        self._changed = threading.Condition()
        self._size = 0
        self._is_posted = False
        self._is_closed = False

    def add(self, event: Any, size: int = 0) -> None:
        """Hand an event over, from a foreign thread. Blocks while there is too much."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._size <= MOST_BYTES)
            if self._is_closed:
                return
            self._size += size
            self._events.append((event, size))
            is_posted, self._is_posted = self._is_posted, True
        if not is_posted:
            self._post(self._deliver)

    def close(self) -> None:
        """Take nothing more, and let go those that wait."""
        with self._changed:
            self._is_closed = True
            self._events.clear()
            self._changed.notify_all()

    def _deliver(self) -> None:
        """Take a batch, on the runtime's thread; what is left comes in the next turn, after the processes'."""
        for _ in range(A_BATCH):
            with self._changed:
                if not self._events:
                    self._is_posted = False
                    return
                event, size = self._events.popleft()
                was_full = self._size > MOST_BYTES
                self._size -= size
                if was_full and self._size <= MOST_BYTES:
                    self._changed.notify_all()
            try:
                self._take(event)
            except BaseException:
                self._post(self._deliver)
                raise
        self._post(self._deliver)
