"""The record of the values that a body gave its module's names, taken when it ends, in the version's namespace.

Some names are state though no assignment of the text alone binds them. `globals()["CACHE"] = {}`, `exec`, `setattr` on
the module: the text does not show which statement makes the value, so nobody can say whether it is unchanged.
`try: from fast import CACHE` with `except ImportError: CACHE = {}`, and a class whose name its own object takes, have
an assignment among what binds them. A plain import binds what is another module's; it is state only once the program
has bound the name to something else.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from midflight.code.source.bindings import Binding
from midflight.code.source.look import is_module, module_names
from midflight.code.source.same_value import same
from midflight.code.state.base import Copy, TooLarge, copy_of
from midflight.code.state.inner_values import InnerValue, inner_values
from midflight.code.state.kinds import kind_of
from midflight.code.state.loose import LooseCopy, loosened
from midflight.code.state.module_text import Assignment, ModuleText
from midflight.code.version.facade import Namespace

__all__ = [
    "RECORD",
    "Base",
    "Scalar",
    "StateRecord",
    "Thing",
    "is_rebound",
    "note_bases",
    "note_imports",
    "other_names",
    "parts_of",
    "record_of",
]

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

    `inner` are the values inside of its functions and classes, by the names of `inner_values`.
    In a namespace its copies are loose: it keeps nothing alive.
    """

    bases: dict[str, Base] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    inner: dict[str, Base] = field(default_factory=dict)

    def tight(self, namespace: Namespace) -> StateRecord:
        """Return the record with the objects in its copies, for a load. `namespace` is that of the version."""
        is_copied = any(isinstance(base, LooseCopy) for base in self.inner.values())
        inside = inner_values(namespace) if is_copied else {}
        values = {name: each.value for name, each in inside.items()}
        return StateRecord(_tight(self.bases, namespace), self.names, _tight(self.inner, values))

    def is_rebound(self, name: str, value: Any) -> bool:
        """Say whether a name has another value than the body gave it. A container that was filled is the same."""
        return is_rebound(self.bases.get(name), value)


def is_rebound(base: Base | None, value: Any) -> bool:
    """Say whether a value is another one than that of `base`. A container that was filled is the same."""
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


def _tight(bases: Mapping[str, Base], values: Mapping[str, Any]) -> dict[str, Base]:
    return {name: base.tight(values.get(name)) if isinstance(base, LooseCopy) else base for name, base in bases.items()}


def note_bases(
    namespace: Namespace, names: Iterable[str] | None = None, inner: Mapping[str, InnerValue] | None = None
) -> StateRecord:
    """Note the values of `names` at the end of a body; None: of all names that are not dunders.

    `inner` are its `inner_values`, if the caller has them already.
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
    inner = inner_values(namespace) if inner is None else inner
    record.inner = {name: base_of(each.value) for name, each in inner.items()}
    namespace[RECORD] = record
    return record


def note_imports(record: StateRecord, namespace: Namespace, names: Iterable[str]) -> None:
    """Note which values imports have bound to these names, by their identity: what is in them is another module's."""
    for name in names:
        value = namespace[name]
        record.bases[name] = Scalar(value) if kind_of(value) == "scalar" else Thing(id(value), type(value))


def other_names(text: ModuleText, namespace: Namespace) -> tuple[list[str], list[str]]:
    """Return the names in a namespace that are state, by their values, though no assignment alone binds them.

    Then those that imports alone bind, to values other than modules.
    """
    bindings, assigned = text.bindings, text.assigned
    starred = _starred(text, namespace) if bindings.stars else ()
    unseen, imported = [], []
    for name, value in list(namespace.items()):
        if name in assigned or name.startswith("__") or issubclass(type(value), ModuleType):
            continue
        places = bindings.by_name.get(name, ())
        if places and any(map(_is_assignment, places)):
            unseen.append(name)
        elif name in bindings.imported or (name in starred and not places):
            imported.append(name)
        elif not places:
            unseen.append(name)
    return [name for name in unseen if kind_of(namespace[name]) is not None] if unseen else [], imported


def _is_assignment(place: Binding) -> bool:
    return isinstance(place.statement, Assignment)


def _starred(text: ModuleText, namespace: Namespace) -> frozenset[str]:
    """Return the names that the modules of the star imports have now."""
    found: set[str] = set()
    for statement, _ in text.bindings.statements:
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            name = statement.module or ""
            if statement.level:
                parts = str(namespace.get("__package__") or "").split(".")
                name = ".".join([*parts[: len(parts) - statement.level + 1], *filter(None, [name])])
            module = sys.modules.get(name)
            if is_module(module):
                found |= module_names(module).keys()
    return frozenset(found)


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


def parts_of(record: StateRecord | None) -> frozenset[int]:
    """Return the identities of the objects that a record is made of, none for None."""
    found: set[int] = set()
    waiting: list[Any] = []
    if record is not None:
        waiting = [record.bases, record.inner, *record.bases.values(), *record.inner.values()]
    for each in waiting:  # grows as it goes
        if id(each) in found:
            continue
        found.add(id(each))
        if type(each) is LooseCopy:
            waiting += [each.values, each.keys, *(value for value in each.values if type(value) is LooseCopy)]
        elif type(each) is Copy:
            waiting += [each.items, *each.inner.values()]
    return frozenset(found)
