"""A store of format 1, from before texts were kept, is brought to this format, or left as it is."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from midflight.durable import Shelf, Store, opening, schema
from midflight.durable.store_error import StoreError

FORMAT_1 = """
PRAGMA application_id = 1296452692;
PRAGMA user_version = 1;
BEGIN;
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES ('creation', 4), ('closed', 1);
CREATE TABLE servers (
    key BLOB PRIMARY KEY, module TEXT NOT NULL, class TEXT NOT NULL, accepted BLOB NOT NULL, state BLOB NOT NULL,
    python TEXT NOT NULL, saved_at REAL NOT NULL
);
INSERT INTO servers VALUES (x'74696c6c', 'shop', 'Till', x'00', x'00', '3.11.7', 1.0);
CREATE TABLE history (
    number INTEGER PRIMARY KEY, key BLOB NOT NULL, why TEXT NOT NULL, module TEXT NOT NULL, class TEXT NOT NULL,
    accepted BLOB NOT NULL, state BLOB NOT NULL, python TEXT NOT NULL, saved_at REAL NOT NULL
);
CREATE INDEX history_by_key ON history (key, number);
CREATE TABLE texts (
    module TEXT NOT NULL, number INTEGER NOT NULL, path TEXT NOT NULL, text TEXT NOT NULL, loaded_at REAL NOT NULL,
    loaded_by TEXT NOT NULL, PRIMARY KEY (module, number)
);
COMMIT;
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of format 1 with one state, as Midflight 0.1 made it."""
    found = tmp_path / "state.sqlite"
    with closing(sqlite3.connect(found)) as connection:
        connection.executescript(FORMAT_1)
    found.chmod(0o600)
    return found


def asked(path: Path, query: str) -> list[object]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute(query)]


def test_a_store_of_format_1_goes_on(path: Path) -> None:
    """Its states and its creation stay, and it can take texts. Then it is of this format, which is newer."""
    store = Store(path)
    creation = store.creation
    store.close()

    assert creation == 5
    assert asked(path, "SELECT key FROM servers") == [b"till"]
    assert asked(path, "SELECT count(*) FROM texts") == [0]
    assert asked(path, "SELECT count(*) FROM current") == [0]
    assert asked(path, "PRAGMA user_version") == [schema.FORMAT]


def test_a_store_of_format_1_is_looked_into_and_left(path: Path) -> None:
    """To read is no reason to change it."""
    assert [each.name for each in Shelf(path).states()] == ["till"]
    assert asked(path, "PRAGMA user_version") == [1]


def test_a_step_that_fails_leaves_the_store_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it or nothing; the next start tries again."""
    monkeypatch.setitem(opening.STEPS, 1, f"{schema.STEPS[1]} CREATE TABLE servers (key);")
    with pytest.raises(StoreError, match="cannot be read"):
        Store(path)

    assert asked(path, "PRAGMA user_version") == [1]
    assert asked(path, "SELECT count(*) FROM sqlite_master WHERE name = 'current'") == [0]
    monkeypatch.undo()
    Store(path).close()


def test_a_kill_in_the_midst_leaves_it_whole(path: Path) -> None:
    """By kill -9 before the commit."""
    program = (
        "import os, signal, sqlite3, sys\nfrom midflight.durable import Store, opening\n"
        "opening.STEPS[1] = opening.STEPS[1] + ' SELECT die();'\nconnected = opening._connected\n"
        "def connect(path):\n    found = connected(path)\n"
        "    found.create_function('die', 0, lambda: os.kill(os.getpid(), signal.SIGKILL))\n    return found\n"
        "opening._connected = connect\nStore(sys.argv[1])\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(path)], timeout=60).returncode == -9

    assert asked(path, "PRAGMA user_version") == [1]
    Store(path).close()
    assert asked(path, "SELECT key FROM servers") == [b"till"]
