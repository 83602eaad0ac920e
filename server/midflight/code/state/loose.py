"""A base copy that keeps nothing alive: it lies in a version's namespace until the next load asks for it.

The objects in it are held by weak references, and the containers known by their ids. What is gone by then is equal to
nothing that is there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from midflight.code.source.look import OwnReference
from midflight.code.state.base import CONTAINERS, MAPPINGS, SETS, Copy

__all__ = ["LooseCopy", "loosened"]

# Values that are held as they are: they hold nothing, or have no weak references.
HELD: frozenset[type] = frozenset({int, str, bytes, bool, float, complex, type(None), tuple})


class Reference:
    """A weak reference to an object, with nothing of its equality."""

    __slots__ = ("held",)

    def __init__(self, value: Any) -> None:
        self.held = OwnReference(value)


class LooseCopy:
    """A container as it was. `keys` are those of a mapping, None for other kinds; `values` may be copies in turn."""

    __slots__ = ("id", "keys", "kind", "values")

    def __init__(self, copy: Copy) -> None:
        self.kind = copy.kind
        self.id = id(copy.original)
        self.keys: list[Any] | None = None
        self.values: list[Any] = []

    def settle(self, survivors: Mapping[int, Any]) -> None:
        """Stand for the containers that live on instead of those that were merged into them, by the ids of these."""
        waiting, seen = [self], {id(self)}
        for each in waiting:  # grows as it goes
            each.id = id(survivors[each.id]) if each.id in survivors else each.id
            for value in each.values:
                if type(value) is LooseCopy and id(value) not in seen:
                    seen.add(id(value))
                    waiting.append(value)

    def tight(self, now: Any) -> Copy:
        """Return the copy that this was made of, with the objects that are there still; `now` may be its container."""
        root = self._tight_one(now)
        tight = {id(self): root}
        waiting = [(self, root)]
        for loose, copy in waiting:  # grows as it goes
            there = _containers_in(copy.original)
            keys: Any = range(len(loose.values)) if loose.keys is None else list(map(_there, loose.keys))
            items = []
            for key, value in zip(keys, loose.values, strict=True):
                if type(value) is not LooseCopy:
                    items.append(_there(value))
                    continue
                inner = tight.get(id(value))
                if inner is None:
                    inner = tight[id(value)] = value._tight_one(there.get(value.id))
                    waiting.append((value, inner))
                copy.inner[key] = inner
                items.append(inner.original)
            copy.items = _made(loose, keys, items)
        return root

    def _tight_one(self, now: Any) -> Copy:
        is_there = type(now) is self.kind and id(now) == self.id
        return Copy(now if is_there else object(), None, kind=self.kind)


def loosened(copy: Copy) -> LooseCopy:
    """Return a copy that keeps no item of `copy` alive."""
    root = LooseCopy(copy)
    made = {id(copy): root}
    waiting = [(copy, root)]
    for each, loose in waiting:  # grows as it goes
        if each.kind is bytearray:
            loose.values = list(each.items)
            continue
        if each.kind in MAPPINGS:
            loose.keys = list(map(_loose, each.items))
            entries = each.items.items()
        else:
            entries = enumerate(each.items)
        for key, value in entries:
            inner = each.inner.get(key) if each.inner else None
            if inner is not None and id(inner) not in made:
                made[id(inner)] = LooseCopy(inner)
                waiting.append((inner, made[id(inner)]))
            loose.values.append(_loose(value) if inner is None else made[id(inner)])
    return root


def _loose(value: Any) -> Any:
    if type(value) in HELD:
        return value
    try:
        return Reference(value)
    except TypeError:  # it has no weak references
        return value


def _there(value: Any) -> Any:
    if type(value) is not Reference:
        return value
    found = value.held()
    return object() if found is None else found


def _containers_in(value: Any) -> dict[int, Any]:
    """Return the containers in a container, by their ids."""
    kind = type(value)
    if kind in MAPPINGS:
        values = list(value.values())
    elif kind is list or kind is deque:
        values = value
    else:
        return {}
    return {id(each): each for each in values if type(each) in CONTAINERS}


def _made(loose: LooseCopy, keys: Any, items: list[Any]) -> Any:
    if loose.keys is not None:
        return dict(zip(keys, items, strict=True))
    if loose.kind in SETS:
        return set(items)
    return bytes(items) if loose.kind is bytearray else items
