"""The garbage collection put off for a moment: for what goes wrong in Python if a collection comes in the midst.

Two things do. CPython 3.11 loses count of how deep a syntax tree is (see parsing.py). And before Python 3.13 a look at
the frames of all threads holds a lock of the interpreter's while it makes objects: a collection that these bring about
runs callbacks of weak references, which let other threads run, and the first one to start a thread waits for that lock
with the interpreter in its hand. Then the whole program stands still for good (python/cpython#106883).

Law: nothing else in Midflight calls `sys._current_frames`, and nothing else switches the collection off.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from threading import RLock
from types import FrameType
from typing import ParamSpec, TypeVar

__all__ = ["frames_of_threads", "without_collection"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_is_put_off = RLock()  # re-entrant, for a signal handler may look or parse too


def without_collection(
    function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """Return what `function` returns, or raise what it raises; no garbage is collected meanwhile."""
    with _is_put_off:
        is_on = gc.isenabled()
        try:
            gc.disable()
            return function(*args, **kwargs)
        finally:
            if is_on:
                gc.enable()


def frames_of_threads() -> dict[int, FrameType]:
    """Return the innermost frame of each thread by the thread's number, as `sys._current_frames` does."""
    return without_collection(sys._current_frames)
