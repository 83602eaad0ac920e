"""The functions of an old version that something outside of it refers to, counted by their references.

The interpreter counts the references of every object. From those of a function the ones are taken away that come from
the version itself: its namespace, its classes, its closures, its own containers. What is left comes from elsewhere: a
router, a signal, another module. So the cost is that of the module, however much else there is in memory.

Law: an object is outside if something refers to it that is not inside. So a function in a list of the module's own is
held if somebody else has that list.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from types import CellType, CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any, NamedTuple

from midflight.code.version.facade import Namespace

__all__ = ["Reference", "VersionObjects", "dict_of_class", "nested_codes"]

MOST_ELEMENTS = 1000  # of a container that is looked into; what a longer one holds counts as held
MOST_OBJECTS = 20_000  # of a version

SHARED = frozenset({dict, list, tuple, set, frozenset, functools.partial})  # an object of such a type may be another's

CONTAINERS = SHARED | frozenset(
    {
        *(staticmethod, classmethod, property, CellType),
        *(GetSetDescriptorType, MemberDescriptorType, functools.cached_property, functools._lru_cache_wrapper),
    }
)


class Reference(NamedTuple):
    """A function of an old version, or the code of its closures, and how many references come from elsewhere."""

    value: Any
    references: int


class VersionObjects:
    """The objects that belong to a version, with the references to them from elsewhere.

    `new` is the current namespace, whose objects do not count as the old one's. `frames` says how many frames run each
    code: those refer to their function, too.
    """

    def __init__(self, namespace: Namespace, new: Namespace, frames: Mapping[CodeType, int]) -> None:
        self.namespace = namespace
        self._frames = frames
        self._kept = {id(value) for value in new.values()}
        self._inside: dict[int, Any] = {id(namespace): namespace}  # by identity
        self._collect()

    def ids(self) -> frozenset[int]:
        """Return the identities of the objects."""
        return frozenset(self._inside)

    def functions(self) -> list[FunctionType]:
        """Return the functions."""
        return [each for each in self._inside.values() if type(each) is FunctionType]

    def held(self) -> list[Reference]:
        """Return the functions that are referred to from elsewhere, in the order of the text."""
        counts = self._references_from_elsewhere()
        counts.pop(id(self.namespace), None)
        held = Counter[int]()
        for each in self.functions():
            if (count := counts.get(id(each), 0) - self._frames.get(each.__code__, 0)) > 0:
                held[id(each)] += count
        for key, each in self._inside.items():
            if type(each) in SHARED and counts.get(key, 0) > 0:
                held.update(map(id, self._functions_in(each)))
        found = [Reference(self._inside[key], count) for key, count in held.items()]
        return sorted(found, key=lambda each: each.value.__code__.co_firstlineno)

    def closures(self) -> list[Reference]:
        """Return the code of each function inside a function of which there are closures elsewhere.

        One that a name of the module means is not counted, as that of a decorator in the module.
        """
        functions = self.functions()
        known = Counter(id(each.__code__) for each in functions)
        codes = list({id(code): code for each in functions for code in nested_codes(each.__code__)}.values())
        counts = list(map(sys.getrefcount, codes))
        base = _base() + 1  # the function around it has it
        alive = [
            Reference(code, count - base - known[id(code)] - self._frames.get(code, 0))
            for code, count in zip(codes, counts, strict=True)
        ]
        return [each for each in alive if each.references > 0]

    def _collect(self) -> None:
        found = self._inside
        level: list[Any] = [self.namespace]
        while level and len(found) < MOST_OBJECTS:
            referents = [each for each in gc.get_referents(*level) if id(each) not in found]
            level = []
            for each in referents:
                if id(each) not in found and id(each) not in self._kept and self._belongs(each):
                    found[id(each)] = each
                    level.append(each)

    def _belongs(self, value: Any) -> bool:
        kind = type(value)
        if kind is FunctionType:
            return value.__globals__ is self.namespace
        if kind in CONTAINERS:
            return kind not in SHARED or kind is functools.partial or len(value) <= MOST_ELEMENTS
        return issubclass(kind, type) and dict_of_class(value).get("__module__") == self.namespace["__name__"]

    def _references_from_elsewhere(self) -> dict[int, int]:
        """Return how many references each of the objects has that do not come from one of them."""
        objects = list(self._inside.values())
        referents = Counter(map(id, gc.get_referents(*objects)))
        counts = list(map(sys.getrefcount, objects))
        base = _base() + 1  # the mapping has each of them too
        return {id(each): count - base - referents[id(each)] for each, count in zip(objects, counts, strict=True)}

    def _functions_in(self, container: Any) -> Iterator[FunctionType]:
        seen = {id(container), id(self.namespace)}
        waiting: list[Any] = [container]
        for each in waiting:  # grows as it goes
            for value in gc.get_referents(each):
                if id(value) not in seen and id(value) in self._inside:
                    seen.add(id(value))
                    if type(value) is FunctionType:
                        yield value
                    elif type(value) in CONTAINERS:
                        waiting.append(value)


def nested_codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of the functions that are defined inside a function, at any depth."""
    for const in code.co_consts:
        if type(const) is CodeType:
            if not const.co_name.startswith("<") or const.co_name == "<lambda>":
                yield const
            yield from nested_codes(const)


def dict_of_class(cls: type[Any]) -> Mapping[str, Any]:
    """Return the attributes of a class itself, whatever its metaclass says."""
    found: Mapping[str, Any] = type.__dict__["__dict__"].__get__(cls)
    return found


def _base() -> int:
    """Return the count of references that `map(sys.getrefcount, [...])` gives for what only that list has."""
    return next(map(sys.getrefcount, [object()]))
