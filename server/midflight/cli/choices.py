"""Words and numbers that arguments are chosen from, apart from the commands that obey them."""

from __future__ import annotations

__all__ = ["COLUMNS", "EXIT_CODES", "HOLDERS_SECONDS", "KINDS", "ORDERS"]

COLUMNS = ("pid", "name", "module", "version", "place", "status", "messages", "links")
"""The columns that `ps` sorts by."""

EXIT_CODES = {
    "failed": 1,
    "refused": 3,
    "not-found": 4,
    "no-server": 5,
    "timed-out": 6,
    "not-restored": 7,
    "broken-off": 130,
}
"""The exit code of each kind of error. 2 is that of wrong arguments, 141 that of an output that nobody reads."""

HOLDERS_SECONDS = 2
"""For the search after a load, unless --holders says otherwise."""

KINDS = ("in", "out", "call", "spawn", "link", "exit")
"""The events of a trace."""

ORDERS = {"r": "reductions", "m": "messages", "g": "growth", "n": "name", "p": "pid"}
"""The columns that `top` sorts by, each with its key."""
