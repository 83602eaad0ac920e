"""Disks that can be full: a small file system of its own where root may mount one, else a limit on the size of files.

`Mounted` belongs to the player, who makes room again after a kill; `fill` and `make_room` are for the shop itself.
"""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

__all__ = ["FILLER", "Mounted", "fill", "make_room"]

FILLER = "filler"
SIZE = "64m"
LIMIT_BYTES = 1000
BLOCK = bytes(1 << 16)


class Mounted:
    """A file system in memory, of 64 MB, at `folder`. `is_real` is False if it may not be mounted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(folder)]
        self.is_real = (
            sys.platform == "linux"
            and os.geteuid() == 0
            and subprocess.run(command, capture_output=True, check=False).returncode == 0
        )

    def make_room(self) -> None:
        """Remove what fills it."""
        with suppress(FileNotFoundError):
            (self.folder / FILLER).unlink()

    def close(self) -> None:
        """Take it away, with all that is on it."""
        if self.is_real:
            subprocess.run(["umount", str(self.folder)], check=True)


def fill(folder: Path, *, is_real: bool) -> None:
    """Fill the disk that the store in `folder` is on, until nothing more can be written to its files."""
    if not is_real:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, hard))
        return
    store = folder / "state.sqlite"
    if store.exists():
        # The log of SQLite is used again from its begin, which needs no room: it is to begin with nothing.
        with closing(sqlite3.connect(store, timeout=0.5)) as connection, suppress(sqlite3.Error):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with suppress(OSError), (folder / FILLER).open("ab", buffering=0) as file:
        for block in (BLOCK, BLOCK[:4096]):
            with suppress(OSError):
                while True:
                    file.write(block)


def make_room(folder: Path, *, is_real: bool) -> None:
    """Let files be written again."""
    if is_real:
        (folder / FILLER).unlink()
    else:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
