"""The bridge from a thread to the runtime's: `runtime_thread` finds it, `result_of` waits for a result from there.

Bodies run on the thread of their load, or on the runtime's if a load or the project asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Literal, TypeVar

from midflight.kernel import Scheduler, schedulers

__all__ = ["on_runtime_thread", "result_of", "run_bodies_on_runtime", "runtime_thread"]

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


class _Project:
    is_on_runtime = False


def run_bodies_on_runtime(wanted: bool) -> None:
    """Have all bodies run on the runtime's thread from now on, as `body = "runtime"` of a project says, or not."""
    _Project.is_on_runtime = wanted


def on_runtime_thread(asked: Literal["runtime"] | None) -> bool:
    """Say whether a body is to run on another thread than the calling one: the runtime's, if there is one."""
    if asked is None and not _Project.is_on_runtime:
        return False
    scheduler = runtime_thread()
    return scheduler is not None and not scheduler.is_own_thread()
