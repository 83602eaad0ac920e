"""The Python files below a folder, by what the file system says of them, and what is different between two looks."""

from __future__ import annotations

import os
from collections.abc import Mapping

__all__ = ["Look", "differences", "is_watched_folder", "look"]

Look = Mapping[str, tuple[int, int, int]]
"""Each file with its time of change, its size and its number in the file system, new for a file moved into place."""

_SKIPPED = ("__pycache__", "node_modules", "site-packages")


def look(root: str) -> Look:
    """Return the files below `root` whose names end in .py, but none of hidden folders or installed packages."""
    found: dict[str, tuple[int, int, int]] = {}
    waiting = [root]
    for folder in waiting:  # grows as it goes
        try:
            entries = list(os.scandir(folder))
        except OSError:  # taken away, or not ours to read
            continue
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    if is_watched_folder(entry.path):
                        waiting.append(entry.path)
                elif entry.name.endswith(".py"):
                    said = entry.stat()
                    found[entry.path] = (said.st_mtime_ns, said.st_size, said.st_ino)
            except OSError:  # taken away since
                continue
    return found


def is_watched_folder(path: str) -> bool:
    """Say whether a folder may have files of the project in it."""
    name = os.path.basename(path)
    return not name.startswith(".") and name not in _SKIPPED and not os.path.exists(os.path.join(path, "pyvenv.cfg"))


def differences(before: Look, now: Look) -> set[str]:
    """Return the files that were made, changed, replaced or taken away between two looks."""
    return {path for path in {*before, *now} if before.get(path) != now.get(path)}
