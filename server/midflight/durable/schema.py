"""The tables of a store, and the numbers by which its file is known."""

from __future__ import annotations

__all__ = ["APPLICATION", "FORMAT", "SCHEMA", "SEARCH_BYTES"]

APPLICATION = 0x4D464C54  # "MFLT", in the header of the file
FORMAT = 1
SEARCH_BYTES = 64_000_000  # a store up to this size is searched for damage at each start, which takes 0.1 s

# `texts` is for the texts of versions, which nothing writes yet: so a store keeps its format when something does.
# Keys are the names of servers in UTF-8: SQLite's text ends at a NUL for some of its functions, a blob does not.
SCHEMA = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
BEGIN;
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES ('creation', 0), ('closed', 1);
CREATE TABLE servers (
    key BLOB PRIMARY KEY,
    module TEXT NOT NULL,
    class TEXT NOT NULL,
    accepted BLOB NOT NULL,
    state BLOB NOT NULL,
    python TEXT NOT NULL,
    saved_at REAL NOT NULL
);
CREATE TABLE history (
    number INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    why TEXT NOT NULL,
    module TEXT NOT NULL,
    class TEXT NOT NULL,
    accepted BLOB NOT NULL,
    state BLOB NOT NULL,
    python TEXT NOT NULL,
    saved_at REAL NOT NULL
);
CREATE INDEX history_by_key ON history (key, number);
CREATE TABLE texts (
    module TEXT NOT NULL,
    number INTEGER NOT NULL,
    path TEXT NOT NULL,
    text TEXT NOT NULL,
    loaded_at REAL NOT NULL,
    loaded_by TEXT NOT NULL,
    PRIMARY KEY (module, number)
);
COMMIT;
"""
