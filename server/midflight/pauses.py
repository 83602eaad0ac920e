"""The selector of a program's event loop: it lets the program's other threads run though the loop never waits.

A thread that wants the interpreter waits for it 5 ms, and then the thread that has it must hand it over. But each time
that thread lets go of it the 5 ms begin again, and a loop with something to do lets go at each look at its sockets and
takes it back a microsecond later, before a thread on another processor has woken up. So one process that always yields
and never waits kept the threads of a server from running at all, as long as the machine had nothing else to do.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable

__all__ = ["AWAKE_SECONDS", "PAUSE_SECONDS", "PausingSelector"]

AWAKE_SECONDS = 0.005
"""How long the loop goes on without a wait: as long as the interpreter lets one thread run while others want to."""

PAUSE_SECONDS = 0.00005
"""How long it then sleeps: a thread wakes up in that time. It is some 2 % of the time of a loop that never waits."""


class PausingSelector(selectors.DefaultSelector):
    """The selector that asyncio would choose. It sleeps for a moment if the loop has not waited for some time.

    `clock` and `sleep` are in seconds.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        super().__init__()
        self._clock = clock
        self._sleep = sleep
        self._awake_since = clock()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready, as every selector does, perhaps a moment later."""
        began = self._clock()
        ready = super().select(timeout)
        now = self._clock()
        if now - began >= PAUSE_SECONDS:  # it was a wait, or another thread had the interpreter
            self._awake_since = now
        elif now - self._awake_since >= AWAKE_SECONDS:
            self._sleep(PAUSE_SECONDS)
            self._awake_since = self._clock()
        return ready
