"""The names of the running modules: those of one module, and those that match some words. Runs no user code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from midflight.introspect.definitions import Definition, Target, definition_of
from midflight.introspect.loaded import usable_names
from midflight.introspect.safe_look import (
    Found,
    find_member,
    is_a,
    kind_of,
    own_names,
    short_text,
    unwrapped,
    version_number,
)
from midflight.introspect.signatures import signature_text

__all__ = ["Named", "apropos", "names_of"]


@dataclass(frozen=True, slots=True)
class Named:
    """A name of a module, dotted for a member of a class. `value` is its signature, or a few characters of the value.

    `definition` is None if its place is not known, as that of a value that was set from outside.
    """

    module: str
    name: str
    kind: str
    value: str
    version: int | None
    definition: Definition | None


def names_of(module: str) -> Iterator[Named]:
    """Yield the names that `module` has of its own, without what it imports: in order of the namespace, as a tree."""
    for name, found in _own(module):
        yield _named(module, name, found)


def apropos(text: str) -> Iterator[Named]:
    """Yield the names, of all modules of the project, in which each word of `text` occurs, in any order and case.

    The name of the module counts too; it alone is not enough.
    """
    words = text.lower().split()
    for module in usable_names():
        for name, found in _own(module):
            whole = f"{module}.{name}".lower()
            if all(word in whole for word in words) and any(word in name.lower() for word in words):
                yield _named(module, name, found)


def _own(module: str) -> Iterator[tuple[str, Found]]:
    namespace = own_names(sys.modules[module]) if module in sys.modules else {}
    for name, value in list(namespace.items()):
        if name.startswith("__") or is_a(value, ModuleType) or _home(value) not in (None, module):
            continue
        yield name, Found(value)
        if is_a(value, type):
            for member in list(own_names(value)):
                if member.startswith("__") and member != "__init__":
                    continue
                found = find_member(value, member)
                if found is not None:
                    yield f"{name}.{member}", found


def _home(value: object) -> str | None:
    """Return the module that defines a function or a class; None for any other value."""
    function = unwrapped(value)
    names = own_names(value) if is_a(value, type) else getattr(function, "__globals__", None)
    home = None if names is None else names.get("__module__" if is_a(value, type) else "__name__")
    return home if isinstance(home, str) else None


def _named(module: str, name: str, found: Found) -> Named:
    value = signature_text(found)
    if not value and not is_a(found.value, type):
        value = short_text(found.value)
    kind = kind_of(found)
    place = definition_of(Target(module, name, found))
    return Named(module, name, kind, value, version_number(found.value), place)
