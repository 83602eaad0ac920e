"""`Shelf`: a store as people see it, to be looked into while a server has it, and changed while none does.

Law: a shelf imports no module of the project. States are shown by `peeked`; a store is its owner's, and is code.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from midflight.durable.dump import dumped, rows_in
from midflight.durable.history import PUT, put_aside, put_back
from midflight.durable.opening import Lock, check_file, opened
from midflight.durable.reading import peeked
from midflight.durable.row import COLUMNS, Row, bytes_of_key, key_of_bytes, vsn_in
from midflight.durable.store_error import StoreError
from midflight.errors import NotFound

__all__ = ["Earlier", "Loaded", "Shelf", "Stored"]


class Stored(NamedTuple):
    """A state of a store, without its content. `saved_at` is in seconds since the epoch, `size` in bytes.

    `vsn` is the `__vsn__` of the module that it was made or changed by, else eight digits of the digest of its text.
    """

    name: str
    module: str
    class_name: str
    size: int
    saved_at: float
    python: str
    vsn: str


class Earlier(NamedTuple):
    """An earlier state of a server: its number in the history, and why it is there."""

    number: int
    why: str
    class_name: str
    size: int
    saved_at: float


class Loaded(NamedTuple):
    """A state that was loaded, and the number that the one before it has in the history, None if there was none."""

    name: str
    aside: int | None


class Shelf:
    """The store at `path`, which `load` makes if it `may_be_new`.

    Raises: NotFound if there is none; StoreError if the file is not a store.
    """

    def __init__(self, path: Path, *, may_be_new: bool = False) -> None:
        self.path = path
        if not check_file(path) and not may_be_new:
            raise NotFound(f"there is no store {path}; nothing was done. Name it: --store FILE")

    def states(self) -> list[Stored]:
        """Return all states, by name."""
        query = "SELECT key, module, class, length(state), saved_at, python, accepted FROM servers ORDER BY key"
        with self._reading() as connection:
            found = connection.execute(query).fetchall()
        return [Stored._make((key_of_bytes(row[0]), *row[1:6], vsn_in(row[6]))) for row in found]

    def attributes(self, name: str, number: int | None = None) -> dict[str, Any]:
        """Return the attributes of a server, or of an earlier state of it; objects of the project as `code.Gone`.

        Raises: NotFound; StoreError if the state is damaged.
        """
        key = bytes_of_key(name)
        self._check(name, number)
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

    def dump(self, name: str | None = None) -> Iterator[str]:
        """Yield the lines of a dump of all states, or of one. Raises: NotFound; StoreError."""
        query = f"SELECT {COLUMNS} FROM servers"
        values: tuple[bytes, ...] = ()
        with self._reading() as connection:
            if name is not None:
                query, values = f"{query} WHERE key = ?", (bytes_of_key(name),)
                if connection.execute(query, values).fetchone() is None:
                    raise self._unknown(name, None)
            found = connection.execute(f"{query} ORDER BY key", values)
            yield from dumped((self._row(each) for each in found), time.time())

    def load(self, lines: Iterable[str]) -> list[Loaded]:
        """Take the states of a dump, all of them or none; those before of the same names go into the history.

        A live server would write over them, so the store must not be in use.
        Raises: RequestError if it is not a dump; StoreError, also if a server has the store.
        """
        rows = rows_in(lines)
        if not self.path.parent.is_dir():
            raise NotFound(f"the folder of the store, {self.path.parent}, does not exist; nothing was loaded. Make it.")
        with self._writing() as connection:
            asides = [put_aside(connection, row.key, "a dump was loaded") for row in rows]
            connection.executemany(PUT, [row.values() for row in rows])
        return [Loaded(row.key, aside) for row, aside in zip(rows, asides, strict=True)]

    def history(self, name: str) -> list[Earlier]:
        """Return the earlier states of a server, the newest first. Raises: NotFound if it has neither those nor one."""
        query = """SELECT number, why, module || '.' || class, length(state), saved_at FROM history
            WHERE key = ? ORDER BY number DESC"""
        key = bytes_of_key(name)
        with self._reading() as connection:
            found = [Earlier(*row) for row in connection.execute(query, (key,))]
            if not found and connection.execute("SELECT 1 FROM servers WHERE key = ?", (key,)).fetchone() is None:
                raise self._unknown(name, None)
            return found

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
        self._check(name, number)
        with self._writing() as connection:
            if (
                connection.execute("SELECT 1 FROM history WHERE key = ? AND number = ?", (key, number)).fetchone()
                is None
            ):
                raise self._unknown(name, number)
            return put_back(connection, name, number)

    def earlier(self, name: str, number: int) -> Row:
        """Return an earlier state of a server. Raises: NotFound; StoreError."""
        self._check(name, number)
        query = f"SELECT {COLUMNS} FROM history WHERE key = ? AND number = ?"
        with self._reading() as connection:
            found = connection.execute(query, (bytes_of_key(name), number)).fetchone()
        if found is None:
            raise self._unknown(name, number)
        return self._row(found)

    def _check(self, name: str, number: int | None) -> None:
        """Check that SQLite can look for a number. Raises: NotFound: no state has it."""
        if number is not None and not 0 < number < 1 << 63:
            raise self._unknown(name, number)

    def _row(self, values: tuple[Any, ...]) -> Row:
        try:
            return Row.of(values)
        except Exception as error:
            name = key_of_bytes(values[0])
            raise StoreError(
                str(self.path), f"has a row of {name} that cannot be read ({error})", "it stays"
            ) from error

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
