"""Batches of saved files: those that were saved together come together, a short quiet time after the last of them.

The system tells of changes if `watchfiles` is installed. Else the files are looked at three times a second. An editor
may write a file in steps, or write another one and move it into place: nothing is handed on before that is done.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

from midflight.watch.files import Look, differences, is_watched_folder, look

watchfiles: Any
try:
    import watchfiles
except ImportError:
    watchfiles = None  # an extra

__all__ = ["LOOK_SECONDS", "batches", "is_told"]

LOOK_SECONDS = 0.3  # between two looks; also how long all must be quiet
_QUIET_MS = 100
_TOGETHER_MS = 2000  # the longest that one batch is waited for
_TIMEOUT_MS = 1000  # until it is sure that the system tells of changes, and between two looks at `stop`


def is_told() -> bool:
    """Say whether the system tells of changes."""
    return watchfiles is not None


def batches(root: str, stop: threading.Event, *, is_polled: bool = False) -> Iterator[set[str]]:
    """Yield the paths of the files below `root` that were saved, moved or deleted, until `stop` is set.

    What changes from the call on is seen. `is_polled` looks at the files even if the system could tell.
    """
    seen = look(root)
    return _looked_for(root, stop, seen) if is_polled or watchfiles is None else _told(root, stop, seen)


def _looked_for(root: str, stop: threading.Event, seen: Look) -> Iterator[set[str]]:
    changed: set[str] = set()
    while not stop.wait(LOOK_SECONDS):
        now = look(root)
        new = differences(seen, now)
        seen = now
        changed |= new
        if changed and not new:
            yield changed
            changed = set()


def _told(root: str, stop: threading.Event, seen: Look) -> Iterator[set[str]]:
    is_first = True
    for found in watchfiles.watch(
        root,
        watch_filter=lambda _, path: _is_watched(root, path),
        debounce=_TOGETHER_MS,
        step=_QUIET_MS,
        stop_event=stop,
        rust_timeout=_TIMEOUT_MS,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    ):
        changed = {path for _, path in found}
        if is_first:  # it may have changed before the system was asked
            changed |= differences(seen, look(root))
            is_first = False
        if changed:
            yield changed


def _is_watched(root: str, path: str) -> bool:
    if not path.endswith(".py"):
        return False
    folder = os.path.dirname(path)
    while folder.startswith(root + os.sep):
        if not is_watched_folder(folder):
            return False
        folder = os.path.dirname(folder)
    return True
