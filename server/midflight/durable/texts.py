"""`Texts`: the texts of versions in a store, for later interpreters. It is the `TextKeeper` of the code server.

Laws:
1. A text is written with the next transaction of the writer, before the states that are put after it: a state on the
   disk is never of a version that the store does not know.
2. The last KEPT versions of a module stay. Nothing else takes one away.
3. A row with the `life` of this interpreter does not belong to the past: the code server knows that version itself.
"""

from __future__ import annotations

import ast
import json
import logging
import os
import sqlite3
import uuid
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from midflight.code.lowlevel import Past, Version, note_earlier_file

if TYPE_CHECKING:
    from midflight.durable.store import Store

__all__ = ["Texts"]

KEPT = 100

logger = logging.getLogger("midflight.durable")

LIFE = uuid.uuid4().hex

_COLUMNS = "number, path, digest, vsn, loaded_at, loaded_by, file, changes"
_PUT = f"INSERT OR REPLACE INTO texts (module, life, text, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_POINT = "INSERT OR REPLACE INTO current VALUES (?, ?, ?)"
_PRUNE = """DELETE FROM texts WHERE module = ? AND number <= (
    SELECT number FROM texts WHERE module = ? ORDER BY number DESC LIMIT 1 OFFSET ?)"""
_PAST = f"SELECT {_COLUMNS} FROM texts WHERE module = ? AND life != ? ORDER BY number"
_LAST = "SELECT number FROM current WHERE module = ? AND life != ?"
_ALL_LAST = f"""SELECT texts.module, {", ".join(f"texts.{each}" for each in _COLUMNS.split(", "))}
    FROM current JOIN texts USING (module, number) ORDER BY texts.module"""


class Texts:
    """The texts of versions in `store`. A text that waits for the disk is not seen by those who read here."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._kept: WeakSet[Version] = WeakSet()

    # --- For the code server ------------------------------------------------------------------------------

    def past_of(self, module: str) -> Past:
        """Return the versions of a module that earlier interpreters have run; none if they cannot be read."""
        try:
            rows = self.store.ask(_PAST, (module, LIFE))
            last = self.store.ask(_LAST, (module, LIFE))
        except sqlite3.Error as error:
            logger.warning("The earlier versions of %s cannot be read from %s (%s).", module, self.store.path, error)
            return Past({}, None)
        versions = {version.number: version for version in (self._version(module, row) for row in rows)}
        return Past(versions, versions.get(last[0][0]) if last else None)

    def keep(self, version: Version) -> None:
        """Have the text of a version written; it is the current one."""
        if version not in self._kept and (row := _row_of(version)) is not None:
            self._kept.add(version)
            self.store.writer.note(partial(_write, row=row))

    def write_soon(self) -> None:
        """Have what was kept written."""
        self.store.writer.wake()

    def leave(self, module: str) -> None:
        """Have it written that a module has no current version."""
        self.store.writer.note(lambda connection: connection.execute("DELETE FROM current WHERE module = ?", (module,)))

    # --- For the store --------------------------------------------------------------------------------------

    def write(self, connection: sqlite3.Connection, versions: list[Version]) -> None:
        """Write the texts of versions, and that they are current, in the transaction of the caller."""
        for version in versions:
            if (row := _row_of(version)) is not None:
                _write(connection, row)

    def note_written(self, versions: list[Version]) -> None:
        """Note that these versions are kept."""
        self._kept.update(versions)

    def last(self) -> list[Version]:
        """Return the version of each module that ran last, by module. Raises: sqlite3.Error."""
        return [self._version(module, row) for module, *row in self.store.ask(_ALL_LAST, ())]

    def _version(self, module: str, row: Any) -> Version:
        number, path, digest, vsn, loaded_at, loaded_by, file, changes = row
        made = Version(module, number, os.fsdecode(path), None, None)
        made.digest, made.vsn = digest, _value(vsn)
        made.loaded_at, made.loaded_by = loaded_at, loaded_by
        made.differences = _differences(changes)
        made.is_earlier = True
        made.read_kept = read = partial(self._read, module, number, digest)
        if file:
            note_earlier_file(os.fsdecode(file), made.path, number, read)
        return made

    def _read(self, module: str, number: int, digest: str) -> str | None:
        """Return a text; None if it is not in the store any more, or that cannot be read."""
        query = "SELECT text FROM texts WHERE module = ? AND number = ? AND digest = ?"
        try:
            found = self.store.ask(query, (module, number, digest))
            return zlib.decompress(found[0][0]).decode("utf-8", "surrogatepass") if found else None
        except (sqlite3.Error, zlib.error, UnicodeDecodeError, TypeError) as error:
            logger.warning("Version %d of %s cannot be read from %s (%s).", number, module, self.store.path, error)
            return None


def _row_of(version: Version) -> tuple[Any, ...] | None:
    """Return the values of a row, with the text as it is; None if it is not known."""
    text = version.text
    if text is None:
        return None
    file = "" if version.snapshot is None else version.snapshot.file
    by = version.loaded_by.encode("utf-8", "replace").decode()
    own = version.number, os.fsencode(version.path), version.digest, repr(version.vsn), version.loaded_at, by
    return version.name, LIFE, text, *own, os.fsencode(file), json.dumps(version.differences)


def _write(connection: sqlite3.Connection, row: tuple[Any, ...]) -> None:
    """Write a row. Compressed here, in the writer's thread: a load does not pay for it."""
    module, life, text, number, *rest = row
    packed = zlib.compress(text.encode("utf-8", "surrogatepass"))
    connection.execute(_PUT, (module, life, packed, number, *rest))
    connection.execute(_POINT, (module, number, life))
    connection.execute(_PRUNE, (module, module, KEPT))


def _value(vsn: str) -> object:
    """Return a `__vsn__` that was written as `repr` has it: itself if it is a literal, else those words."""
    try:
        return ast.literal_eval(vsn)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return vsn


def _differences(changes: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]] | None:
    found = json.loads(changes)
    if found is None:
        return None
    added, changed, removed = (tuple(each) for each in found)
    return added, changed, removed
