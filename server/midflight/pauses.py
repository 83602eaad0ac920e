"""The sharing of the interpreter among the threads of a program: those of a server run whatever its processes do.

A thread that wants the interpreter waits for it 5 ms, and then the thread that has it must hand it over. A request goes
through four threads, so with some others that compute it waited 20 ms for each of them. In a server it is half a
millisecond.

And each time the thread that has the interpreter lets go of it that time begins again. A loop with something to do lets
go at each look at its sockets and takes it back a microsecond later, before a thread on another processor has woken up.
So one process that always yields and never waits kept the threads of a server from running at all, as long as the
machine had nothing else to do. The loop sleeps for a moment now and then.
"""

from __future__ import annotations

import selectors
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["AWAKE_SECONDS", "HANDOVER_SECONDS", "PAUSE_SECONDS", "PausingSelector", "quick_handovers"]

AWAKE_SECONDS = 0.005
"""How long the loop goes on without a wait: as long as Python lets one thread run while others want to."""

PAUSE_SECONDS = 0.00005
"""How long it then sleeps: a thread wakes up in that time. It is some 2 % of the time of a loop that never waits."""

HANDOVER_SECONDS = 0.0005
"""How long a thread of a server keeps the interpreter while others want it."""


@contextmanager
def quick_handovers(seconds: float = HANDOVER_SECONDS) -> Iterator[None]:
    """Have threads hand the interpreter over within `seconds` while the block runs; for programs that are ours to tune.

    Blocks of several threads must not overlap: the first to end would set the time that the other one was to restore.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, seconds))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


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
        """Return the ready files, as every selector does, perhaps a moment later."""
        began = self._clock()
        ready = super().select(timeout)
        now = self._clock()
        if now - began >= PAUSE_SECONDS:  # it was a wait, or another thread had the interpreter
            self._awake_since = now
        elif now - self._awake_since >= AWAKE_SECONDS:
            self._sleep(PAUSE_SECONDS)
            self._awake_since = self._clock()
        return ready
