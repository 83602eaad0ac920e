"""Folders that loads put on `sys.path`: one that no load needs in the end is taken off again."""

from __future__ import annotations

import os
import sys
import threading

__all__ = ["search_path"]


class SearchPath:
    """The folders that loads have appended and that may still be taken off, each with its loads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: dict[str, set[object]] = {}

    def need(self, folder: str, load: object) -> None:
        """Have `folder` on `sys.path`, at its end if it is not there, as long as `load` may need it."""
        real = os.path.realpath(folder)
        with self._lock:
            if real in self._users:
                self._users[real].add(load)
            elif not any(os.path.realpath(each or os.curdir) == real for each in sys.path):
                sys.path.append(folder)
                self._users[real] = {load}

    def has(self, folder: str) -> bool:
        """Say whether `folder` is on `sys.path` for a load that is not done."""
        return os.path.realpath(folder) in self._users

    def keep(self, load: object) -> None:
        """Leave the folders that `load` needs where they are: it is done."""
        with self._lock:
            self._users = {folder: users for folder, users in self._users.items() if load not in users}

    def drop(self, load: object) -> None:
        """Take the folders off that `load`, which failed, was the last to need."""
        with self._lock:
            for folder, users in list(self._users.items()):
                users.discard(load)
                if not users:
                    del self._users[folder]
                    sys.path[:] = [each for each in sys.path if os.path.realpath(each or os.curdir) != folder]


search_path = SearchPath()
