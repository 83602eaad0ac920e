"""The time of this interpreter's start: a file that is older is the one that was imported.

The system's time of a change (`st_ctime`) is set by nobody, and by every change: writing, renaming, `touch`. A worker
that was forked has the modules of the process it was forked from, so the ancestors that run the same program count.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache

__all__ = ["is_older_than_interpreter"]

ROOM_SECONDS = 0.1  # files are dated by a clock that stands still for some milliseconds
STAT_START = 19  # of the fields after the name in /proc/PID/stat: the start, in ticks since the system began
STAT_PARENT = 1


def is_older_than_interpreter(path: str) -> bool:
    """Say whether the file was surely not changed since this interpreter began. Raises: OSError if it is not there."""
    changed = os.stat(path).st_ctime
    began = _began(os.getpid())
    return began is not None and changed < began - ROOM_SECONDS


@lru_cache(maxsize=4)
def _began(pid: int) -> float | None:
    """Return when the interpreter `pid` began, in seconds since the epoch; None where the system does not tell."""
    program, found = _program(pid), _start_and_parent(pid)
    if program is None or found is None:
        return None
    oldest, parent = found
    while _program(parent) == program and (older := _start_and_parent(parent)) is not None:
        oldest, parent = min(oldest, older[0]), older[1]
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + oldest


def _program(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:  # of another user, or no such folder on this system
        return None


def _start_and_parent(pid: int) -> tuple[float, int] | None:
    """Return when a process of the system began, in seconds since the system did, and its parent."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
            fields = stream.read().rpartition(")")[2].split()
        return int(fields[STAT_START]) / os.sysconf("SC_CLK_TCK"), int(fields[STAT_PARENT])
    except (OSError, ValueError, IndexError):
        return None
