"""`Writer`: the one thread that writes a store, and its group commits.

The life of a write: it is put -> the thread takes all that has been put -> one transaction, one fsync -> each is told.

Laws:
1. Of one server's states that wait together only the last one is written: each holds all that the ones before held.
2. A commit that fails tells everybody that waits for it. Its states wait on, behind nothing, and are tried again each
   second: what a later write of the same server replaces is not lost.
3. All are told in the writer's thread.
4. Notes are written in their order, with the next transaction, before the states that are put after them. One that
   fails for itself, and not for the disk, is left out: it must not keep states from being written.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from midflight.durable.history import Archive
from midflight.durable.row import Row
from midflight.kernel import trouble

__all__ = ["Told", "Writer"]

AGAIN_SECONDS = 1.0  # until a failed commit is tried again

logger = logging.getLogger("midflight.durable")

Told = Callable[[BaseException | None], object]
"""What is called when a write is on the disk, with None, or was not written, with the error."""


class Writer:
    """Writes to `connection`, which nobody else uses. `on_trouble` is told of each change: an error, or None again."""

    def __init__(self, connection: sqlite3.Connection, on_trouble: Callable[[BaseException | None], object]) -> None:
        self._connection = connection
        self._on_trouble = on_trouble
        self.archive = Archive()
        self._ready = threading.Condition()
        self._rows: dict[str, Row] = {}
        self._told: list[Told] = []
        self._notes: list[Callable[[sqlite3.Connection], Any]] = []
        self._deeds: list[tuple[Callable[[sqlite3.Connection], Any], Future[Any]]] = []
        self._is_ending = False
        self._written: dict[str, Row] = {}  # by the commit that is under way
        self.trouble: BaseException | None = None
        self.commits = self.bytes = 0
        self._thread = threading.Thread(target=self._run, name="midflight-store", daemon=True)
        self._thread.start()

    def put(self, row: Row, told: Told | None = None) -> None:
        """Have a state written; `told` is called when it is, or when it could not be for now."""
        with self._ready:
            self._rows[row.key] = row
            if told is not None:
                self._told.append(told)
            self._ready.notify()

    def note(self, write: Callable[[sqlite3.Connection], Any]) -> None:
        """Have `write(connection)` done in the next transaction. Nobody is told; there is one for it after `wake`."""
        self._notes.append(write)  # without the lock: who notes may hold all processes up

    def wake(self) -> None:
        """Have the notes written now."""
        with self._ready:
            self._ready.notify()

    def tell(self, told: Told) -> None:
        """Have `told` called when all that was put before is on the disk, or could not be written."""
        with self._ready:
            self._told.append(told)
            self._ready.notify()

    def do(self, deed: Callable[[sqlite3.Connection], Any]) -> Future[Any]:
        """Have `deed(connection)` done in a transaction of its own, after the states that wait; return its result."""
        done: Future[Any] = Future()
        with self._ready:
            if self._is_ending:
                raise RuntimeError("the store is closed")
            self._deeds.append((deed, done))
            self._ready.notify()
        return done

    def waiting(self, key: str) -> Row | None:
        """Return the state of a server that is not on the disk yet; None if it has none."""
        with self._ready:
            return self._rows.get(key) or self._written.get(key)

    def unwritten(self) -> int:
        """Return how many states wait for a commit."""
        with self._ready:
            return len(self._rows) + len(self._written) + len(self._notes)

    def close(self) -> BaseException | None:
        """Write what waits and end; return the error if it could not be written. Waits for the disk."""
        with self._ready:
            self._is_ending = True
            self._ready.notify()
        self._thread.join()
        return self.trouble

    def _run(self) -> None:
        while True:
            with self._ready:
                while not self._has_work() or self._is_put_off():
                    self._ready.wait(AGAIN_SECONDS if self.trouble else None)
                    if self.trouble:
                        break
                rows, self._rows = self._rows, {}
                told, self._told = self._told, []
                deeds, self._deeds = self._deeds, []
                self._written = rows
                is_last = self._is_ending
            self._commit(rows, told)
            for deed, done in deeds:
                self._do(deed, done)
            if is_last:
                return

    def _has_work(self) -> bool:
        return bool(self._rows or self._deeds or self._told or self._notes or self._is_ending)

    def _is_put_off(self) -> bool:
        """Say whether only states wait that could not be written: nobody waits for them, so they have time."""
        return self.trouble is not None and not (self._told or self._deeds or self._is_ending)

    def _commit(self, rows: dict[str, Row], told: list[Told]) -> None:
        error: BaseException | None = None
        is_written = bool(rows or self._notes)
        if is_written:
            try:
                self._in_transaction(lambda it: self.archive.write(it, rows.values()))
            except Exception as caught:
                error = caught
        with self._ready:
            if error is not None:
                self._rows = rows | self._rows
            self._written = {}
        if is_written and error is None:
            self.commits += 1
            self.bytes += sum(len(row.state) for row in rows.values())
        if is_written:
            self._take_down(error)
        for tell in told:
            tell(error)

    def _do(self, deed: Callable[[sqlite3.Connection], Any], done: Future[Any]) -> None:
        try:
            done.set_result(self._in_transaction(deed))
        except BaseException as error:
            done.set_exception(error)

    def _in_transaction(self, deed: Callable[[sqlite3.Connection], Any]) -> Any:
        connection = self._connection
        notes = self._notes[:]
        connection.execute("BEGIN IMMEDIATE")
        try:
            for write in notes:
                _write_note(write, connection)
            result = deed(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        with self._ready:
            del self._notes[: len(notes)]
        return result

    def _take_down(self, error: BaseException | None) -> None:
        if (error is None) is not (self.trouble is None):
            self.trouble = error
            self._on_trouble(error)
        self.trouble = error


def _write_note(write: Callable[[sqlite3.Connection], Any], connection: sqlite3.Connection) -> None:
    try:
        write(connection)
    except (sqlite3.OperationalError, sqlite3.IntegrityError):
        raise  # the disk, or another that reads: it is tried again
    except Exception as error:
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.DataError | sqlite3.NotSupportedError
        ):
            raise
        trouble.log_raised(logger, "the text of a version is not in the store, and everything else is", error)
