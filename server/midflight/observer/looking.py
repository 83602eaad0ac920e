"""Looks at processes from another thread: in small parts, between two turns of the runtime; at a stuck one anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

from midflight.kernel import Scheduler

__all__ = ["LOOK_SECONDS", "look_at", "parts_of"]

Item = TypeVar("Item")
Result = TypeVar("Result")

LOOK_SECONDS = 0.5


def look_at(scheduler: Scheduler, looks: Iterable[Callable[[], Result]]) -> Iterator[Result]:
    """Call each of `looks`, which only read, between two turns of the runtime; in parts, so as not to hold it up.

    When no turn ends soon, they are called at once: a process that does not yield must be seen from outside, and
    nothing else changes then what they read. Not to be called on the runtime's own thread.
    """
    is_stuck = False
    for look in looks:
        if not is_stuck:
            future = scheduler.call_threadsafe(scheduler.limit.run, look)
            try:
                yield future.result(LOOK_SECONDS)
                continue
            except FutureTimeout:
                future.cancel()
                is_stuck = True
        yield look()


def parts_of(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Cut `items` into parts of `size`, the last one shorter."""
    return (items[start : start + size] for start in range(0, len(items), size))
