"""The machine and this Python, as the shell shows them: memory, time, folders. OTP: c.erl, whose names these are."""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path

__all__ = ["change_folder", "listing", "memory", "resident_bytes", "uptime"]

_STARTED = time.monotonic()
_PAGES = Path("/proc/self/statm")
_WIDTH = 80


def memory() -> dict[str, int]:
    """Return the bytes of memory that this process has ("total", where the system tells), and Python's counts.

    "blocks" are the pieces of memory that Python has given out, "tracked" the objects that its collector knows.
    """
    found = {"blocks": sys.getallocatedblocks(), "tracked": len(gc.get_objects()) + gc.get_freeze_count()}
    total = resident_bytes()
    return found if total is None else {"total": total, **found}


def resident_bytes() -> int | None:
    """Return the bytes of memory that this process has; None where the system does not tell."""
    try:
        pages = int(_PAGES.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def uptime() -> str:
    """Say how long this Python has served shells: "1 days, 2 hours, 3 minutes and 4 seconds", as OTP does."""
    minutes, seconds = divmod(int(time.monotonic() - _STARTED), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{count} {unit}" for count, unit in ((days, "days"), (hours, "hours"), (minutes, "minutes")) if count]
    return f"{', '.join(parts)} and {seconds} seconds" if parts else f"{seconds} seconds"


def listing(folder: str) -> str:
    """Return the names in a folder, in columns. Raises: OSError if it cannot be read."""
    path = Path(folder).expanduser()
    names = sorted(f"{each.name}/" if each.is_dir() else each.name for each in path.iterdir()) if path.is_dir() else []
    if not names:
        return str(path) if path.stat() and not path.is_dir() else ""
    wide = max(map(len, names)) + 2
    columns = max(1, _WIDTH // wide)
    rows = [names[start : start + columns] for start in range(0, len(names), columns)]
    return "\n".join("".join(name.ljust(wide) for name in row).rstrip() for row in rows)


def change_folder(folder: str) -> str:
    """Make a folder the current one of this Python, so of all its processes; return its path. Raises: OSError."""
    os.chdir(Path(folder).expanduser())
    return str(Path.cwd())
