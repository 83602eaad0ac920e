"""The tables of a store, the numbers by which its file is known, and the way from each earlier format to this one.

format 1    the states of servers, and their history
format 2    the texts of versions, and which was current last
"""

from __future__ import annotations

__all__ = ["APPLICATION", "FORMAT", "SCHEMA", "SEARCH_BYTES", "STEPS"]

APPLICATION = 0x4D464C54  # "MFLT", in the header of the file
FORMAT = 2
SEARCH_BYTES = 64_000_000  # a store up to this size is searched for damage at each start, which takes 0.1 s

# Of a version: the file of its text, the digest of that, `__vsn__` as Python writes it, when and by which client it was
# loaded, the interpreter that ran it, the file that its code names, its changes as JSON, and the text, compressed.
# Paths are bytes, as the system has them. The text comes last: who reads the rest reads no page of it.
_TEXTS = """
CREATE TABLE texts (
    module TEXT NOT NULL,
    number INTEGER NOT NULL,
    path BLOB NOT NULL,
    digest TEXT NOT NULL,
    vsn TEXT NOT NULL,
    loaded_at REAL NOT NULL,
    loaded_by TEXT NOT NULL,
    life TEXT NOT NULL,
    file BLOB NOT NULL,
    changes TEXT NOT NULL,
    text BLOB NOT NULL,
    PRIMARY KEY (module, number)
);
CREATE TABLE current (module TEXT PRIMARY KEY, number INTEGER NOT NULL, life TEXT NOT NULL) WITHOUT ROWID;
"""

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
{_TEXTS}COMMIT;
"""

STEPS = {1: f"DROP TABLE texts; {_TEXTS}"}  # from a format to the next; nothing ever wrote the `texts` of format 1
