"""`Shelf`: a store as people see it, to be looked into while a server has it, and changed while none does.

Law: nothing that a shelf reads is run. States are shown by `peeked`, which imports no module of the project.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from midflight.durable.history import put_aside
from midflight.durable.opening import Lock, check_file, opened
from midflight.durable.reading import peeked
from midflight.durable.row import COLUMNS, bytes_of_key, key_of_bytes
from midflight.durable.store_error import StoreError
from midflight.errors import NotFound

__all__ = ["Earlier", "Shelf", "Stored"]


class Stored(NamedTuple):
    """A state of a store, without its content. `saved_at` is in seconds since the epoch, `size` in bytes."""

    name: str
    module: str
    class_name: str
    size: int
    saved_at: float
    python: str


class Earlier(NamedTuple):
    """An earlier state of a server: its number in the history, and why it is there."""

    number: int
    why: str
    class_name: str
    size: int
    saved_at: float


class Shelf:
    """The store at `path`. Raises: NotFound if there is none; StoreError if the file is not a store."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not check_file(path):
            raise NotFound(f"there is no store {path}; nothing was done. Name it: --store FILE")

    def states(self) -> list[Stored]:
        """Return all states, by name."""
        query = "SELECT key, module, class, length(state), saved_at, python FROM servers ORDER BY key"
        with self._reading() as connection:
            return [Stored(key_of_bytes(key), *rest) for key, *rest in connection.execute(query)]

    def attributes(self, name: str, number: int | None = None) -> dict[str, Any]:
        """Return the attributes of a server, or of an earlier state of it; objects of the project as `code.Gone`.

        Raises: NotFound; StoreError if the state is damaged.
        """
        key = bytes_of_key(name)
        query = "SELECT state FROM servers WHERE key = ?"
        values: tuple[Any, ...] = (key,)
        if number is not None:
            query, values = "SELECT state FROM history WHERE key = ? AND number = ?", (key, number)
        with self._reading() as connection:
            found = connection.execute(query, values).fetchone()
        if found is None:
            raise self._unknown(name, number)
        try:
            return peeked(found[0])
        except Exception as error:
            raise StoreError(
                str(self.path), f"has a state of {name} that cannot be read ({error})", "it stays"
            ) from error

    def history(self, name: str) -> list[Earlier]:
        """Return the earlier states of a server, the newest first."""
        query = """SELECT number, why, module || '.' || class, length(state), saved_at FROM history
            WHERE key = ? ORDER BY number DESC"""
        with self._reading() as connection:
            return [Earlier(*row) for row in connection.execute(query, (bytes_of_key(name),))]

    def delete(self, name: str) -> int:
        """Move the state of a server into its history; return its number there. Raises: NotFound; StoreError."""
        with self._writing() as connection:
            number = put_aside(connection, name, "deleted")
            if number is None:
                raise self._unknown(name, None)
            return number

    def restore(self, name: str, number: int) -> int | None:
        """Take an earlier state as the present one, which goes into the history; return the number that it gets there.

        None if there is no present one. Raises: NotFound; StoreError.
        """
        key = bytes_of_key(name)
        with self._writing() as connection:
            if (
                connection.execute("SELECT 1 FROM history WHERE key = ? AND number = ?", (key, number)).fetchone()
                is None
            ):
                raise self._unknown(name, number)
            aside = put_aside(connection, name, f"state {number} was restored")
            connection.execute(f"INSERT INTO servers SELECT {COLUMNS} FROM history WHERE number = ?", (number,))
            return aside

    def _unknown(self, name: str, number: int | None) -> NotFound:
        if number is not None:
            advice = f"midflight state history {name} lists them"
            return NotFound(f"{name} has no earlier state {number} in {self.path}; nothing was changed; {advice}")
        return NotFound(f"{name} has no state in {self.path}; nothing was changed; midflight state list names them")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                yield connection
        except sqlite3.Error as error:
            raise StoreError(str(self.path), f"cannot be read ({error})", "nothing was changed") from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Give the store to the block, in one transaction. Raises: StoreError if a server has it."""
        lock = Lock(self.path)
        try:
            with closing(opened(self.path)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise StoreError(str(self.path), f"cannot be written ({error})", "nothing was changed") from error
        finally:
            lock.release()
