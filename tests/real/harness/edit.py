"""`Edit`: one change of a program's text, what the running program must then do, and what the report must say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Edit"]


@dataclass(frozen=True)
class Edit:
    """One change of one file.

    `changes` are pairs of an old text, which stands in the file once, and the new one. `look(program)` returns what
    the running program does: `before` until the load, `after` from the load on. `added`, `changed` and `removed` are
    the definitions that the report must list, no others; `says` are texts that must stand in the whole report.
    """

    file: str
    changes: tuple[tuple[str, str], ...]
    look: Callable[[Any], object]
    before: object
    after: object
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    says: tuple[str, ...] = ()

    def applied_to(self, text: str) -> str:
        """Return `text` with the changes made. Raises: AssertionError if an old text is not there exactly once."""
        for old, new in self.changes:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {self.file}"
            text = text.replace(old, new)
        return text
