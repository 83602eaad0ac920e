"""The record of the values that a body gave its module's names, taken when it ends, in the version's namespace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from midflight.code.source.same_value import same
from midflight.code.state.base import Copy, TooLarge, copy_of
from midflight.code.state.kinds import kind_of
from midflight.code.state.loose import LooseCopy, loosened
from midflight.code.version.facade import Namespace

__all__ = ["RECORD", "Base", "Scalar", "StateRecord", "Thing", "note_bases", "record_of"]

RECORD = "__midflight_state__"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value that does not change: it was this one."""

    value: Any


@dataclass(frozen=True, slots=True)
class Thing:
    """An object, known by its id and its class: it is not held, so that it can end when the program drops it."""

    id: int
    kind: type


Base = Copy | LooseCopy | TooLarge | Scalar | Thing


@dataclass(slots=True)
class StateRecord:
    """The values of a module's names as its body left them, and all the names that there were.

    In a namespace its copies are loose: it keeps nothing alive.
    """

    bases: dict[str, Base] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    def tight(self, namespace: Namespace) -> StateRecord:
        """Return the record with the objects in its copies, for a load. `namespace` is that of the version."""
        bases: dict[str, Base] = {
            name: base.tight(namespace.get(name)) if isinstance(base, LooseCopy) else base
            for name, base in self.bases.items()
        }
        return StateRecord(bases, self.names)

    def is_rebound(self, name: str, value: Any) -> bool:
        """Say whether a name has another value than the body gave it. A container that was filled is the same."""
        base = self.bases.get(name)
        match base:
            case None:
                return False
            case Scalar():
                return not same(base.value, value)
            case Copy():
                return base.original is not value
            case Thing():
                return base.id != id(value) or base.kind is not type(value)
        return False  # it was too large to be looked at


def note_bases(namespace: Namespace, names: Iterable[str] | None = None) -> StateRecord:
    """Note the values of `names` at the end of a body; None: of all names that are not dunders.

    A module of a hundred names, none of them a large container, takes some 30 µs.
    """
    record = StateRecord(names=frozenset(namespace))
    for name in list(namespace) if names is None else names:
        if names is None and name.startswith("__"):
            continue
        value = namespace.get(name)
        if type(value) is FunctionType or type(value) is type:  # most of them
            record.bases[name] = Thing(id(value), type(value))
        elif name in namespace:
            record.bases[name] = base_of(value)
    namespace[RECORD] = record
    return record


def base_of(value: Any) -> Base:
    """Return the note of one value."""
    match kind_of(value):
        case "container":
            found = copy_of(value)
            return loosened(found) if isinstance(found, Copy) else found
        case "scalar":
            return Scalar(value)
    return Thing(id(value), type(value))


def record_of(namespace: Namespace) -> StateRecord | None:
    """Return the record of a version; None if nobody looked when its body ended."""
    found = namespace.get(RECORD)
    return found if isinstance(found, StateRecord) else None
