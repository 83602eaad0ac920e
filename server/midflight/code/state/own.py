"""The functions and classes of a module, told apart by name: in a registry they count as the body's. Pure."""

from __future__ import annotations

import enum
import functools
import sys
from collections import Counter
from collections.abc import Iterable
from types import FunctionType
from typing import Any

from midflight.code.source.same_value import same
from midflight.code.state.base import is_container

__all__ = ["Own", "scalar_mark"]

Namespace = dict[str, Any]

# The references to a function that its namespace and a list have, and nobody else.
ALONE = next(map(sys.getrefcount, [*{"function": lambda: None}.values()])) + 1

Mark = tuple[object, ...]


class Own:
    """The definitions of two versions of a module: `old` and `new` are their namespaces."""

    def __init__(self, old: Namespace, new: Namespace) -> None:
        self._old, self._new = old, new
        self._module = new.get("__name__")

    def name(self, value: Any) -> str | None:
        """Return the qualified name of a function or class that one of the two versions defines at its top or in a
        class; None for anything else, for a lambda and for a function made in another one."""
        kind = type(value)
        if kind is FunctionType:
            if value.__globals__ is not self._old and value.__globals__ is not self._new:
                return None
            found: str = value.__qualname__
        elif issubclass(kind, type) and type.__getattribute__(value, "__module__") == self._module:
            found = type.__dict__["__qualname__"].__get__(value)
        else:
            return None
        return None if found.endswith(">") or "<locals>" in found else found

    def is_added(self, value: Any) -> bool:
        """Say whether `value` is a definition that the old version has not: so no program has taken it out."""
        name = self.name(value)
        return name is not None and name.partition(".")[0] not in self._old

    def key_name(self, key: Any) -> str | None:
        """Return the name of a key that is a definition or a member of an enum of the module; None for another."""
        if issubclass(type(key), enum.Enum):
            owner = self.name(type(key))
            return None if owner is None else f"{owner}.{key._name_}"
        return self.name(key)

    def is_same(self, old: Any, new: Any) -> bool:
        """Say whether the new body's `new` equals the old body's `old`: the same value, or the same definition."""
        if same(old, new):
            return True
        name = self.name(old)
        if name is not None:
            return name == self.name(new)
        if issubclass(type(old), enum.Enum) and issubclass(type(new), enum.Enum):
            return self.name(type(old)) == self.name(type(new)) is not None and old._name_ == new._name_
        return _is_nameless(old) and _is_nameless(new) and type(old) is type(new)

    def renewed(self, value: Any) -> Any:
        """Return the new version's counterpart of a function or class of the old one; else `value` itself."""
        name = self.name(value)
        if name is None:
            return value
        old, new = _at(self._old, name), _at(self._new, name)
        return new if old is value and new is not None and type(new) is type(value) else value

    def has_functions_held(self) -> bool:
        """Say whether anything but its name may hold a function of the old version: it has more references."""
        functions = []
        for value in list(self._old.values()):
            if type(value) is FunctionType and value.__globals__ is self._old:
                functions.append(value)  # a comprehension is a call, and a load has many
        value = None
        return max(map(sys.getrefcount, functions), default=0) > ALONE

    def is_made_by_old(self, value: Any) -> bool:
        """Say whether a function was made in the old version, under any name."""
        return type(value) is FunctionType and value.__globals__ is self._old

    def marks(self, values: Iterable[Any]) -> list[Mark]:
        """Return a mark for each of the elements that a body put into a list or set: equal for what is the same in the
        two versions, by name for definitions, by position among their kind for lambdas, containers and the like."""
        counts: Counter[Mark] = Counter()
        found = []
        for value in values:
            mark = self._mark(value)
            counts[mark] += 1
            found.append((*mark, counts[mark]))
        return found

    def _mark(self, value: Any) -> Mark:
        name = self.name(value)
        if name is not None:
            return ("definition", name)
        if _is_nameless(value):
            return ("nameless", type(value))
        if is_container(value):
            return ("container", type(value))
        return scalar_mark(value) or ("object", id(value))


def _is_nameless(value: Any) -> bool:
    return type(value) is functools.partial or (
        type(value) is FunctionType and (value.__qualname__.endswith(">") or "<locals>" in value.__qualname__)
    )


def scalar_mark(value: Any) -> Mark | None:
    """Return a mark that is equal for equal scalars, and for tuples of such; None for another value."""
    kind = type(value)
    if kind in (int, str, bytes, bool, type(None), type(...)):
        return (kind, value)
    if kind in (float, complex):
        return (kind, repr(value))
    if kind is tuple:
        parts = [scalar_mark(each) for each in value]
        return None if None in parts else (tuple, *parts)
    return None


def _at(namespace: Namespace, name: str) -> Any:
    first, *rest = name.split(".")
    found = namespace.get(first)
    for part in rest:
        if not issubclass(type(found), type):
            return None
        found = type.__getattribute__(found, "__dict__").get(part)
    return found
