"""The current task of an event loop, where asyncio keeps it: the core of a runtime writes it at every step."""

from __future__ import annotations

import asyncio
import sys
from asyncio import tasks as asyncio_tasks
from typing import Any

__all__ = ["CurrentTask", "current_tasks", "swap_current_task"]


def swap_current_task(loop: Any, task: Any) -> Any:
    """Make `task` the current one of `loop`, None for none; return the one before. By what asyncio documents."""
    before = asyncio.current_task(loop)
    if before is not None:
        asyncio._leave_task(loop, before)
    if task is not None:
        asyncio._enter_task(loop, task)
    return before


class CurrentTask:
    """The current task of the running loop as a table of one entry, for Python 3.14, which keeps it in the thread."""

    swap = staticmethod(getattr(asyncio_tasks, "_swap_current_task", swap_current_task))  # the same in C, since 3.12
    __setitem__ = swap
    get = staticmethod(asyncio.current_task)

    def pop(self, loop: Any, default: Any) -> Any:
        """Leave no task current; return the task that was."""
        task = self.get(loop)
        if task is None:
            return default
        self.swap(loop, None)
        return task


def current_tasks() -> Any:
    """Return the table in which asyncio looks a loop's current task up, for Core, which writes it at every step."""
    # Before 3.14 it is a dict. CurrentTask is right there too, but makes a message 0.1 us dearer, a tenth or more.
    return CurrentTask() if sys.version_info >= (3, 14) else asyncio_tasks._current_tasks  # type: ignore[attr-defined]
