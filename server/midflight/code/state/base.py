"""The base copy of a value: a built-in container as a body left it, at every depth. Pure.

Leaves are held as they are. A value of more than `MOST` items is not copied: nobody can then tell which of its items
the body made.
"""

from __future__ import annotations

import weakref
from collections import Counter, OrderedDict, UserDict, defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import compress
from types import NoneType
from typing import Any

__all__ = [
    "CONTAINERS",
    "MAPPINGS",
    "MOST",
    "SETS",
    "TOO_LARGE",
    "Copy",
    "TooLarge",
    "copy_of",
    "is_container",
    "size_of",
]

MOST = 10_000  # items of one value, at all depths

MAPPINGS: frozenset[type] = frozenset(
    {dict, OrderedDict, defaultdict, Counter, UserDict, weakref.WeakValueDictionary, weakref.WeakKeyDictionary}
)
SETS: frozenset[type] = frozenset({set, weakref.WeakSet})
CONTAINERS: frozenset[type] = MAPPINGS | SETS | {list, deque, bytearray}


@dataclass(slots=True, eq=False)
class Copy:
    """A container as it was.

    `items` is a shallow copy, a dict, list, set or bytes; `inner` the copies of the containers in it, by key or index.
    `kind` is its class.
    """

    original: Any
    items: Any
    inner: dict[Any, Copy] = field(default_factory=dict)
    kind: type = NoneType

    def __post_init__(self) -> None:
        if self.kind is NoneType:
            self.kind = type(self.original)


class TooLarge:
    """The class of TOO_LARGE."""

    def __repr__(self) -> str:
        return "TOO_LARGE"


TOO_LARGE = TooLarge()


def is_container(value: object) -> bool:
    """Say whether `value` is a container whose items can be merged: of a built-in class, and not of a subclass."""
    return type(value) in CONTAINERS


def size_of(value: object) -> int | None:
    """Return the count of the items of a container, None for any other value."""
    found: Any = value
    return len(found) if type(value) in CONTAINERS else None


def copy_of(value: Any, most: int = MOST) -> Copy | TooLarge:
    """Return the copy of a container; TOO_LARGE if it holds more than `most` items in all.

    A container that stands in several places, or in itself, is copied once.
    """
    copies: dict[int, Copy] = {}
    count = 0
    root = _shallow(value)
    copies[id(value)] = root
    waiting = [root]
    for each in waiting:  # grows as it goes
        count += len(each.items)
        if count > most:
            return TOO_LARGE
        for key, inner in _containers_in(each):
            known = copies.get(id(inner))
            if known is None:
                if count + len(inner) > most:
                    return TOO_LARGE
                known = copies[id(inner)] = _shallow(inner)
                waiting.append(known)
            each.inner[key] = known
    return root


def _shallow(value: Any) -> Copy:
    kind = type(value)
    make: Callable[[Any], Any] = list
    if kind in MAPPINGS:
        make = dict
    elif kind in SETS:
        make = set
    elif kind is bytearray:
        make = bytes
    return Copy(value, make(value))


def _containers_in(copy: Copy) -> Iterable[tuple[Any, Any]]:
    if copy.kind in MAPPINGS:
        values = copy.items.values()
        return compress(copy.items.items(), _are_containers(values))
    if copy.kind is list or copy.kind is deque:
        return compress(enumerate(copy.items), _are_containers(copy.items))
    return ()  # a set holds no container, for they have no hash


def _are_containers(values: Iterable[Any]) -> Iterable[bool]:
    return map(CONTAINERS.__contains__, map(type, values))
