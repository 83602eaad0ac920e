"""The garbage collection put off for a moment: for what goes wrong in Python if a collection comes in the midst.

Three things do. CPython 3.11 loses count of how deep a syntax tree is (see parsing.py). Before Python 3.13 a look at
the frames of all threads holds a lock of the interpreter's while it makes objects: a collection that these bring about
runs callbacks of weak references, which let other threads run, and the first one to start a thread waits for that lock
with the interpreter in its hand. Then the whole program stands still for good (python/cpython#106883). And Python 3.11
makes the object of a caller's frame when `f_back` is read: if a collection comes then and lets that thread run, the
caller may have returned, and what is read is another thing that lies in its place by now, a code object say.

A commit has it put off, too: while no process runs is not the time to walk all objects of all processes.

And the objects that it knows: what a program has put aside with `gc.freeze()` is found by no search for who holds
something. Before a search it is taken back, for good: to freeze again would freeze all that is alive by then as well,
and what of that is garbage one day would never be collected.

Law: nothing else in Midflight calls `sys._current_frames` or reads `f_back`, nothing else switches the collection off,
and nothing else asks it for objects or who refers to them.
"""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable
from threading import RLock
from types import FrameType
from typing import Any, ParamSpec, TypeVar

__all__ = [
    "all_objects",
    "all_referrers",
    "callers_of",
    "frames_of_threads",
    "stacks_of_threads",
    "without_collection",
]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_lock = RLock()  # re-entrant, for a signal handler may look or parse too
_calls: set[object] = set()  # that the collection is put off for, in any thread
_was_on = False  # before the first of them
_log = logging.getLogger("midflight.code")


def without_collection(
    function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """Return what `function` returns, or raise what it raises; no garbage is collected meanwhile.

    Two threads may be in such calls at a time: neither waits for the other.
    """
    global _was_on
    this = object()
    try:
        with _lock:
            if not _calls:
                _was_on = gc.isenabled()
            _calls.add(this)
            gc.disable()
        return function(*args, **kwargs)
    finally:
        with _lock:
            if this in _calls:  # else Ctrl-C fell in before it was
                _calls.remove(this)
                if not _calls and _was_on:
                    gc.enable()


def frames_of_threads() -> dict[int, FrameType]:
    """Return the innermost frame of each thread by the thread's number, as `sys._current_frames` does."""
    return without_collection(sys._current_frames)


def callers_of(frame: FrameType | None) -> list[FrameType]:
    """Return `frame` and those it was called from, innermost first; of None, none. Its thread may run on."""
    return without_collection(_callers, frame)


def stacks_of_threads() -> dict[int, list[FrameType]]:
    """Return the frames of each thread, innermost first, by the thread's number."""
    return without_collection(_stacks)


def all_referrers(*values: Any) -> list[Any]:
    """Return the objects that refer to one of `values`, as `gc.get_referrers` does, those put aside included."""
    _unfreeze()
    return [each for each in gc.get_referrers(*values) if each is not values]


def all_objects() -> list[Any]:
    """Return the objects that the collector knows, as `gc.get_objects` does, those put aside included."""
    _unfreeze()
    return gc.get_objects()


def _unfreeze() -> None:
    found = gc.get_freeze_count()  # at once if there are none, else it counts them: 120 ms for a million, this once
    if found:
        gc.unfreeze()
        _log.info("gc.freeze() is undone for %d objects: a search for holders would not have found them", found)


def _callers(frame: FrameType | None) -> list[FrameType]:
    found = []
    while frame is not None:
        found.append(frame)
        frame = frame.f_back
    return found


def _stacks() -> dict[int, list[FrameType]]:
    return {thread: _callers(frame) for thread, frame in sys._current_frames().items()}
