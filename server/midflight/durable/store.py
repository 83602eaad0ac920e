"""`Store`: a file of states and texts. Its creation is the number of the life that has it open.

The writer is in writer.py, the texts are in texts.py.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midflight.durable.opening import Lock, check_file, opened
from midflight.durable.row import COLUMNS, Row, bytes_of_key, key_of_bytes
from midflight.durable.store_error import LEFT, StoreError
from midflight.durable.texts import Texts
from midflight.durable.writer import Writer
from midflight.text import short

if TYPE_CHECKING:
    from midflight.code.lowlevel import Version

__all__ = ["Row", "Store"]

WAIT_SECONDS = 10.0  # for the disk, in an upgrade: nobody else runs meanwhile


class Store:
    """The store at `path`, made if there is none, for this process alone until `close`.

    `on_trouble` is called in the writer's thread when a commit fails, with the error, and with None when the next one
    succeeds. Raises: StoreError, and the file is as it was.
    """

    def __init__(
        self, path: str | os.PathLike[str], on_trouble: Callable[[BaseException | None], object] = lambda _: None
    ) -> None:
        self.path = Path(os.path.abspath(_checked(path)))
        check_file(self.path)  # before a lock is made next to another file
        if not self.path.parent.is_dir():
            raise StoreError(str(self.path), "has no folder", f"nothing was started. Make {self.path.parent}.")
        self._lock = Lock(self.path)
        try:
            connection = opened(self.path)
        except BaseException:
            self._lock.release()
            raise
        self._connection: sqlite3.Connection | None = connection
        self.creation = self._begin(connection)
        self._reading = sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True, check_same_thread=False)
        self._read_lock = threading.Lock()
        self.writer = Writer(connection, on_trouble)
        self._place = _place_of(self.path)
        self.writer.archive.check = self._check_place
        self.texts = Texts(self)

    def _begin(self, connection: sqlite3.Connection) -> int:
        """Count this life, on the disk, before any pid of it is stored."""
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'creation'")
            connection.execute("UPDATE meta SET value = 0 WHERE name = 'closed'")
            (creation,) = connection.execute("SELECT value FROM meta WHERE name = 'creation'").fetchone()
            connection.execute("COMMIT")
        except (sqlite3.Error, TypeError) as error:
            connection.close()
            self._lock.release()
            raise StoreError(str(self.path), f"cannot be written ({error})", LEFT) from error
        return int(creation)

    def _check_place(self) -> None:
        """Check that the file has its name still: SQLite writes on into one that was moved or deleted."""
        found = _place_of(self.path)
        if found != self._place:
            what = "was moved or deleted" if found is None else "is another file now"
            raise OSError(f"it {what}; put it back")

    def read(self, key: str) -> Row | None:
        """Return the last state of a server, whether it is on the disk yet or not; None if it has none.

        Raises: StoreError if the file cannot be read.
        """
        found = self.writer.waiting(key)
        if found is not None:
            return found
        query = f"SELECT {COLUMNS} FROM servers WHERE key = ?"
        try:
            with self._read_lock:
                values = self._reading.execute(query, (bytes_of_key(key),)).fetchone()
        except sqlite3.Error as error:
            raise StoreError(str(self.path), f"cannot be read ({error})", "no state was changed") from error
        if values is None:
            return self.writer.waiting(key)  # committed or put between the two looks
        try:
            return Row.of(values)
        except ValueError as error:
            raise StoreError(
                str(self.path), f"has a row of {short(key)} that cannot be read ({error})", "it stays"
            ) from error

    def keys_of(self, module: str) -> list[str]:
        """Return the keys of the states on the disk whose class is of `module`; none if they cannot be read."""
        try:
            with self._read_lock:
                rows = self._reading.execute(
                    "SELECT key FROM servers WHERE module = ? ORDER BY key", (module,)
                ).fetchall()
        except sqlite3.Error:
            return []
        return [key_of_bytes(key) for (key,) in rows]

    def ask(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        """Return the rows that a query gives, of what is on the disk. Raises: sqlite3.Error."""
        with self._read_lock:
            return self._reading.execute(query, values).fetchall()

    def write_at_once(self, rows: Sequence[Row], versions: Sequence[Version] = ()) -> None:
        """Write rows, and the texts of versions, in one transaction; come back when they are on the disk.

        Raises: StoreError.
        """

        def write(connection: sqlite3.Connection) -> None:
            self.writer.archive.write(connection, rows)
            self.texts.write(connection, list(versions))

        try:
            self.writer.do(write).result(WAIT_SECONDS)
        except (sqlite3.Error, TimeoutError) as error:
            raise StoreError(str(self.path), f"could not be written ({error})", "no state was changed") from error
        self.texts.note_written(list(versions))

    def close(self) -> None:
        """Write what waits and let go of the file. May be repeated. Raises: StoreError if not all could be written."""
        if self._connection is None:
            return
        trouble = self.writer.close()
        with self._read_lock:
            self._reading.close()
        connection, self._connection = self._connection, None
        with closing(connection):
            if trouble is None:
                connection.execute("UPDATE meta SET value = 1 WHERE name = 'closed'")
        self._lock.release()
        if trouble is not None:
            raise StoreError(str(self.path), f"could not be written ({trouble})", "the last states are lost")


def _place_of(path: Path) -> tuple[int, int] | None:
    """Return the device and the number of a file, None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _checked(path: object) -> str:
    """Return a path as text. Raises: StoreError if it cannot be that of a file."""
    try:
        found = os.fspath(path)  # type: ignore[call-overload]
        text = os.fsdecode(found)
    except TypeError:
        raise TypeError(f"store must be a path, not {path!r}; nothing was started") from None
    if not text or "\0" in text:
        raise StoreError(repr(text), "has no name that a file can have", "nothing was started")
    return str(text)
