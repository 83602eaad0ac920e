"""`Row`: the state of one server as the store has it."""

from __future__ import annotations

import pickle
import platform
from dataclasses import dataclass
from typing import Any

from midflight.code.lowlevel import Acceptance

__all__ = ["COLUMNS", "Row", "bytes_of_key", "key_of_bytes"]

COLUMNS = "key, module, class, accepted, state, python, saved_at"
PYTHON = platform.python_version()


@dataclass(frozen=True, slots=True)
class Row:
    """A state, pickled, with the class that it is of. `saved_at` is in seconds since the epoch, for people only."""

    key: str
    module: str
    class_name: str
    accepted: Acceptance
    state: bytes
    saved_at: float
    python: str = PYTHON

    def values(self) -> tuple[Any, ...]:
        """Return the values of COLUMNS."""
        vsn = (
            self.accepted.vsn
            if isinstance(self.accepted.vsn, (str, int, float, bytes, tuple))
            else repr(self.accepted.vsn)
        )
        accepted = pickle.dumps((vsn, self.accepted.is_explicit, self.accepted.digest))
        return bytes_of_key(self.key), self.module, self.class_name, accepted, self.state, self.python, self.saved_at

    @classmethod
    def of(cls, values: tuple[Any, ...]) -> Row:
        """Return the row with these values of COLUMNS."""
        key, module, class_name, accepted, state, python, saved_at = values
        known = Acceptance(*pickle.loads(accepted))
        return cls(key_of_bytes(key), module, class_name, known, state, saved_at, python)


def bytes_of_key(key: str) -> bytes:
    """Return a key as the store has it."""
    return key.encode("utf-8", "surrogatepass")


def key_of_bytes(key: bytes) -> str:
    """Return a key of the store as a name."""
    return key.decode("utf-8", "surrogatepass")
