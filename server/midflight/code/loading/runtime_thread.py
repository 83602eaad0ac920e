"""The bridge from a thread to the runtime's: `runtime_thread` finds it, `result_of` waits for a result from there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from midflight.kernel import Scheduler, schedulers

__all__ = ["result_of", "runtime_thread"]

Result = TypeVar("Result")

LOOK_SECONDS = 0.1  # between two looks whether the runtime that should act is still there


def runtime_thread() -> Scheduler | None:
    """Return the scheduler on whose thread a commit runs: this thread's, else the oldest; None if none runs."""
    running = schedulers()
    return next((each for each in running if each.is_own_thread()), running[0] if running else None)


def result_of(future: Future[Result], scheduler: Scheduler, look: Callable[[bool], object]) -> Result:
    """Wait for `future`, which the scheduler's thread is to settle; return its result, or raise its error.

    Meanwhile `look` is called ten times a second, with whether that runtime has ended. To wait no longer, it raises.
    """
    while True:
        try:
            return future.result(LOOK_SECONDS)
        except TimeoutError:
            if future.done():
                raise  # it is the function's own
            look(scheduler not in schedulers())
