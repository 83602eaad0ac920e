"""Earlier states of a server, kept for going back: at most one a minute, and each that an event put aside.

Law: what was put aside by a crash, an upgrade, a deletion or a restoration is never dropped by the count.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import Any

from midflight.durable.row import COLUMNS, Row, bytes_of_key

__all__ = ["EARLIER", "PUT", "Archive", "put_aside", "put_back", "put_by", "restored_why"]

EARLIER = "earlier"  # of a state that another one has replaced; else what put it aside
KEPT = 20
EVERY_SECONDS = 60.0

PUT = f"INSERT OR REPLACE INTO servers ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
_KEEP = f"INSERT INTO history (why, {COLUMNS}) SELECT ?, {COLUMNS} FROM servers WHERE key = ?"
_PUT_BY = f"INSERT INTO history (why, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_PRUNE = """DELETE FROM history WHERE key = ? AND why = ? AND number <= (
    SELECT number FROM history WHERE key = ? AND why = ? ORDER BY number DESC LIMIT 1 OFFSET ?)"""


class Archive:
    """The writing of states. Of each server the state before is kept, if a minute has passed since the last was."""

    def __init__(self) -> None:
        self.check: Callable[[], None] = lambda: None  # raises OSError if what is written would be lost
        self._kept_at: dict[str, float] = {}

    def write(self, connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
        """Write states, in the transaction of the caller. Raises: OSError if the file is not in its place."""
        self.check()
        now = time.monotonic()
        listed = list(rows)
        for row in listed:
            if now - self._kept_at.get(row.key, -EVERY_SECONDS) >= EVERY_SECONDS:
                key = bytes_of_key(row.key)
                connection.execute(_KEEP, (EARLIER, key))
                connection.execute(_PRUNE, (key, EARLIER, key, EARLIER, KEPT))
        connection.executemany(PUT, [row.values() for row in listed])
        for row in listed:
            if now - self._kept_at.get(row.key, -EVERY_SECONDS) >= EVERY_SECONDS:
                self._kept_at[row.key] = now


def put_aside(connection: sqlite3.Connection, key: str, why: str) -> int | None:
    """Move the state of a server into its history; return its number there, None if it had none."""
    stored = bytes_of_key(key)
    made: Any = connection.execute(_KEEP, (why, stored))
    if connection.execute("DELETE FROM servers WHERE key = ?", (stored,)).rowcount == 0:
        return None
    number: int | None = made.lastrowid
    return number


def put_by(connection: sqlite3.Connection, row: Row, why: str) -> int:
    """Write a state into the history of its server, which keeps it; return its number there."""
    made: Any = connection.execute(_PUT_BY, (why, *row.values()))
    number: int = made.lastrowid
    return number


def put_back(connection: sqlite3.Connection, key: str, number: int) -> int | None:
    """Take state `number` of the history, which is there, as the present one; return the number that that one gets.

    None if there was no present one.
    """
    aside = put_aside(connection, key, restored_why(number))
    connection.execute(f"INSERT INTO servers SELECT {COLUMNS} FROM history WHERE number = ?", (number,))
    return aside


def restored_why(number: int) -> str:
    """Return why a state is in the history that made room for that one."""
    return f"state {number} was restored"
