"""The time of this interpreter's start: a file that is older is the one that was imported.

The system's time of a change (`st_ctime`) is set by nobody, and by every change: writing, renaming, `touch`. A worker
that was forked has the modules of the process it was forked from, so the ancestors count that it was forked from.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache
from typing import NamedTuple

__all__ = ["is_older_than_interpreter"]

ROOM_SECONDS = 0.1  # files are dated by a clock that stands still for some milliseconds
STAT_PARENT = 1  # of the fields after the name in /proc/PID/stat
STAT_START = 19  # the start, in ticks since the system began
STAT_LAYOUT = slice(23, 26)  # where code begins and ends, and the stack: a fork has its parent's, a new program its own


class Began(NamedTuple):
    """The start of a process in seconds since the system began, its parent, and the layout of its memory."""

    at: float
    parent: int
    layout: tuple[int, ...]


def is_older_than_interpreter(path: str) -> bool:
    """Say whether the file was surely not changed since this interpreter began. Raises: OSError if it is not there."""
    changed = os.stat(path).st_ctime
    began = _began(os.getpid())
    return began is not None and changed < began - ROOM_SECONDS


@lru_cache(maxsize=4)
def _began(pid: int) -> float | None:
    """Return when the interpreter `pid` began, in seconds since the epoch; None where the system does not tell."""
    program, found = _program(pid), _start_of(pid)
    if program is None or found is None:
        return None
    oldest, parent = found.at, found.parent
    while _program(parent) == program and (older := _start_of(parent)) is not None:
        if older.layout != found.layout and all((*older.layout, *found.layout)):
            break  # it was started as a program of its own
        oldest, parent = min(oldest, older.at), older.parent
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + oldest


def _program(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:  # of another user, or no such folder on this system
        return None


def _start_of(pid: int) -> Began | None:
    """Return the start of a process of the system; its layout is 0 where nobody may see it."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
            fields = stream.read().rpartition(")")[2].split()
        layout = tuple(map(int, fields[STAT_LAYOUT]))
        return Began(int(fields[STAT_START]) / os.sysconf("SC_CLK_TCK"), int(fields[STAT_PARENT]), layout)
    except (OSError, ValueError, IndexError):
        return None
