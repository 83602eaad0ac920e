"""Two containers compared at every depth: a base copy with the present one, or with the one of a new body. Pure."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any

from midflight.code.source.same_value import same
from midflight.code.state.base import MAPPINGS, SETS, Copy
from midflight.code.state.own import Own

__all__ = ["is_made_alike", "is_untouched"]

Leaves = Callable[[Any, Any], bool]


def is_untouched(copy: Copy) -> bool:
    """Say whether a container is at every depth as its body left it: the same containers, with the same in them."""
    return _is_alike(copy, copy.original, same, set(), same_containers=True)


def is_made_alike(copy: Copy, new: Any, own: Own | None = None) -> bool:
    """Say whether a new body made the same values as the old one. With `own`, its functions are like the old ones."""
    return _is_alike(copy, new, same if own is None else own.is_same, set(), same_containers=False)


def _is_alike(
    copy: Copy, found: object, is_leaf_alike: Leaves, seen: set[tuple[int, int]], *, same_containers: bool
) -> bool:
    if type(found) is not copy.kind:
        return False
    other: Any = found
    if len(copy.items) != len(other):
        return False
    if (id(copy), id(other)) in seen:
        return True
    seen.add((id(copy), id(other)))
    if copy.kind is bytearray:
        return bool(copy.items == other)
    if copy.kind in SETS:
        return _is_set_alike(copy.items, other, is_leaf_alike)
    if copy.kind in MAPPINGS:
        keys: Any = list(copy.items)
        others = list(other)
        if not all(map(is_, keys, others)) and not all(map(is_leaf_alike, keys, others)):
            return False
        ones, twos = copy.items.values(), other.values()
    else:
        keys, ones, twos = range(len(copy.items)), copy.items, other
    if not copy.inner:
        return all(map(is_, ones, twos)) or all(map(is_leaf_alike, ones, twos))
    for key, one, two in zip(keys, ones, twos, strict=True):
        inner = copy.inner.get(key)
        if inner is None:
            if not is_leaf_alike(one, two):
                return False
        elif (same_containers and one is not two) or not _is_alike(
            inner, two, is_leaf_alike, seen, same_containers=same_containers
        ):
            return False
    return True


def _is_set_alike(copy: set[Any], other: set[Any], is_leaf_alike: Leaves) -> bool:
    ids = set(map(id, other))
    left = [one for one in copy if id(one) not in ids]
    ids = set(map(id, copy))
    others = [one for one in other if id(one) not in ids]
    return len(left) == len(others) and all(any(is_leaf_alike(one, two) for two in others) for one in left)
