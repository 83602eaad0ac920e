"""The log of a detached server: the file that its standard output and error go to."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

__all__ = ["DetachedLog"]

_LIMIT_BYTES = 16 * 1024 * 1024
_KEPT_BYTES = 1024 * 1024
_LOOK_SECONDS = 2.0


class DetachedLog:
    """The log at `path`, which this process writes to."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def of_this_process(cls, path: Path) -> DetachedLog | None:
        """Return the log at `path`; None if standard output goes elsewhere, so this is not a detached server."""
        try:
            return cls(path) if os.path.samestat(os.fstat(1), path.stat()) else None
        except OSError:
            return None  # no log, or no standard output

    def write_to(self, handle: int) -> None:
        """Write to the open file `handle` from now on: the log was removed, and this is a new one in its place."""
        for number in (1, 2):
            os.dup2(handle, number)

    async def keep_short(self) -> None:
        """Cut the log to its end when it has grown large: a process may print without an end."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            size = os.fstat(1).st_size
            if size > _LIMIT_BYTES:
                try:
                    with self._path.open("rb") as file:
                        file.seek(-_KEPT_BYTES, os.SEEK_END)
                        kept = file.read().partition(b"\n")[2]
                    os.ftruncate(1, 0)  # the file is open for appending, so writing goes on at its new end
                    os.write(1, b"[%d bytes of older output were dropped here]\n" % (size - len(kept)) + kept)
                except OSError:
                    # It was taken away, or there is no room for its end even now: the server goes on without.
                    pass
