"""The clock of a runtime in an event loop: the loop's own, less the time for which its thread stood for a person."""

from __future__ import annotations

import asyncio
import time

__all__ = ["LoopClock"]


class LoopClock:
    """The event loop's own clock, so that processes and asyncio agree on time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # What asyncio's own loops do in one more call; the time is asked for at each wait that has a limit.
        self.now = time.monotonic if getattr(type(loop), "time", None) is asyncio.BaseEventLoop.time else loop.time
        self._loop = loop
        self._real = loop.time
        self._skipped = 0.0

    def skip(self, seconds: float) -> None:
        """Leave out `seconds`, for which the thread stood: for processes and, if the loop lets us, its timers."""
        self._skipped += seconds

        def now() -> float:
            return self._real() - self._skipped

        self.now = now
        try:
            setattr(self._loop, "time", now)  # noqa: B010  # by name: it is a method
        except AttributeError:  # a loop written in C: its own timers go on
            pass
