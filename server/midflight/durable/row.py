"""`Row`: the state of one server as the store has it."""

from __future__ import annotations

import io
import pickle
import platform
from dataclasses import dataclass
from typing import Any

from midflight.code.lowlevel import Acceptance

__all__ = ["COLUMNS", "PYTHON", "Row", "bytes_of_key", "key_of_bytes", "vsn_in"]

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
        accepted = pickle.dumps((_plain(self.accepted.vsn), self.accepted.is_explicit, self.accepted.digest))
        return bytes_of_key(self.key), self.module, self.class_name, accepted, self.state, self.python, self.saved_at

    @classmethod
    def of(cls, values: tuple[Any, ...]) -> Row:
        """Return the row with these values of COLUMNS. Raises: ValueError if they are damaged."""
        key, module, class_name, accepted, state, python, saved_at = values
        return cls(key_of_bytes(key), module, class_name, _accepted(accepted), state, saved_at, python)


class _Literals(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Refuse every name: a row is shown, and nothing of it is run."""
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def _accepted(value: bytes) -> Acceptance:
    """Return what the column holds. Raises: ValueError."""
    try:
        return Acceptance(*_Literals(io.BytesIO(value)).load())
    except Exception as error:
        raise ValueError(f"the version of the state is damaged: {error}") from error


def _plain(vsn: object) -> object:
    """Return a vsn as a value of Python's own, equal to it if there is one: no module is needed to read it."""
    if isinstance(vsn, tuple):
        return tuple(_plain(each) for each in vsn)
    kinds: tuple[Any, ...] = (bool, int, float, str, bytes)
    for kind in kinds:
        if isinstance(vsn, kind):
            return kind(vsn)
    return None if vsn is None else repr(vsn)


def vsn_in(accepted: bytes) -> str:
    """Return the vsn in that column for people: of a digest eight digits, "?" if it cannot be read."""
    try:
        found = _accepted(accepted)
    except ValueError:
        return "?"
    return str(found.vsn) if found.is_explicit else str(found.vsn)[:8]


def bytes_of_key(key: str) -> bytes:
    """Return a key as the store has it."""
    return key.encode("utf-8", "surrogatepass")


def key_of_bytes(key: bytes) -> str:
    """Return a key of the store as a name."""
    return key.decode("utf-8", "surrogatepass")
