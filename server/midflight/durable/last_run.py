"""`LastRun`: the versions that ran last, as the store has them when it is opened, and whether they run again."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from midflight.code.lowlevel import NotAsLast, Version, not_as_last, run_last
from midflight.kernel import trouble

if TYPE_CHECKING:
    from midflight.durable.store import Store

__all__ = ["LastRun"]

SHOWN = 20

logger = logging.getLogger("midflight.durable")


class LastRun:
    """The versions that ran last, of `store`, to be made before any version of this start is kept.

    `found` are those whose file is another text now, or is gone.
    """

    def __init__(self, store: Store) -> None:
        try:
            self._versions: list[Version] = store.texts.last()
        except sqlite3.Error as error:
            self._versions = []
            logger.warning("What ran last cannot be read from %s (%s).", store.path, error)
        self.found: tuple[NotAsLast, ...] = tuple(not_as_last(self._versions))
        self._take_back: Callable[[], None] = lambda: None
        self.runs_last = False

    def begin(self, code: str) -> None:
        """Log which files differ, and have these versions run again if `code` is "last". Raises: LoadError."""
        if code == "last":
            names = {each.module for each in self.found}
            self._take_back = run_last([version for version in self._versions if version.name in names])
            self.runs_last = True
        for text in self.said():
            trouble.log(logger, logging.WARNING, text)

    def said(self) -> list[str]:
        """Return a sentence for each module whose file is not what ran last."""
        said = [each.said(runs_last=self.runs_last) for each in self.found[:SHOWN]]
        more = len(self.found) - SHOWN
        return [*said, f"... and {more} more modules whose files are not what ran last."] if more > 0 else said

    def close(self) -> None:
        """Have no version run again any more."""
        self._take_back()
