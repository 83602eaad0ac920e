"""`withdraw_doubles`: registries of others that have an old function and its successor lose the old one.

A body that runs again registers its listeners again: a registry of another module then has the old function and the
new one, and would call both. Where an entry of the new function is in the same container, and is like that of the old
one but for the function, the old entry is withdrawn and the new one takes its place.

Laws:
1. An entry is a function, a weak reference to it, or an object or tuple that has one of those, whatever its type.
2. Only an entry with a like one of the successor is withdrawn: nobody is lost.
3. A container that somebody iterates over keeps its size.
"""

from __future__ import annotations

import gc
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import CellType, FrameType, FunctionType, ModuleType
from typing import Any, NamedTuple

from midflight.code.source.look import references_of_others
from midflight.code.state.iterated import is_iterated
from midflight.collection import all_referrers

__all__ = ["Pair", "withdraw_doubles"]

MOST_DEPTH = 4  # of an entry in its container: a reference, in a dictionary, of an object, in a list
MOST_ENTRIES = 2_000  # that are looked into on the way
MOST_PARTS = 100  # of an entry that are compared

NOT_ENTRIES = (FrameType, ModuleType, FunctionType, CellType, type)
CONTAINERS = frozenset({list, dict, tuple, set, frozenset, deque})
SCALARS = frozenset({int, str, bytes, bool, float, type(None)})


class Pair(NamedTuple):
    """A function of an older version and the current one of its name."""

    old: FunctionType
    new: FunctionType


class _Entry(NamedTuple):
    """An object by which a registry has a function: which pair it is of, and whether of the new one."""

    pair: int
    is_new: bool
    value: Any


def withdraw_doubles(pairs: Sequence[Pair], own: Iterable[int]) -> Iterator[tuple[Pair, bool]]:
    """Withdraw the entries of old functions that a registry has besides those of the new ones.

    Yield each pair, once for each entry, and whether the entry could be withdrawn. `own` are the identities of objects
    that are not looked into.
    Takes up to four looks at all objects, which hold everybody up for 34 ms at a million; so it is not for pairs of
    which the new function is nowhere but in its module.
    """
    known = {id(pairs), *own}
    level = [
        _Entry(number, is_new, value)
        for number, pair in enumerate(pairs)
        for is_new, function in enumerate(pair)
        for value in (function, *references_of_others(function))
        for is_new in (bool(is_new),)
    ]
    for _ in range(MOST_DEPTH):
        values = [each.value for each in level]
        entries = {id(each.value): each for each in level}
        known |= {id(level), id(values), id(entries), *entries, *map(id, level), *map(id, pairs)}
        following: list[_Entry] = []
        for container in all_referrers(*values):
            if id(container) in known or issubclass(type(container), NOT_ENTRIES) or _is_namespace(container):
                continue
            known.add(id(container))
            found = [entry for part in gc.get_referents(container) if (entry := entries.get(id(part))) is not None]
            doubles = list(_doubles(container, found, pairs))
            for old, new in doubles:
                yield pairs[old.pair], _withdraw(container, old, new, pairs[old.pair])
            if not doubles and len({(each.pair, each.is_new) for each in found}) == 1:
                following.append(found[0]._replace(value=container))
        sides = {(each.pair, each.is_new) for each in following}
        level = [each for each in following if (each.pair, not each.is_new) in sides]  # else nothing comes together
        if not level or len(level) > MOST_ENTRIES:
            return


def _is_namespace(value: Any) -> bool:
    return type(value) is dict and "__name__" in value and "__builtins__" in value


def _doubles(container: Any, found: list[_Entry], pairs: Sequence[Pair]) -> Iterator[tuple[_Entry, _Entry]]:
    """Yield each entry of an old function in a container with one like it of the new function."""
    if not isinstance(container, (list, deque, set, dict)):
        return
    left = {id(each.value): each for each in found if each.is_new}
    for old in {id(each.value): each for each in found if not each.is_new}.values():
        for key, new in left.items():
            if new.pair == old.pair and _is_double(container, old.value, new.value, pairs[old.pair]):
                del left[key]
                yield old, new
                break


def _is_double(container: Any, old: Any, new: Any, pair: Pair) -> bool:
    """Say whether two entries are the same registration. In a dictionary their keys must say the same of both."""
    if not isinstance(container, dict):
        return _are_alike(old, new, pair)
    one, other = _key_of(container, old), _key_of(container, new)
    return one is not None and one is not other and _are_alike(one, other, pair) and _are_alike(old, new, pair)


def _key_of(container: dict[Any, Any], entry: Any) -> Any:
    """Return the key of an entry, which may be the key itself; None if it is gone."""
    return next((key for key, value in list(container.items()) if key is entry or value is entry), None)


def _are_alike(old: Any, new: Any, pair: Pair, depth: int = MOST_DEPTH) -> bool:
    """Say whether two objects are the same but for the function that they are for."""
    if old is new or (old is pair.old and new is pair.new):
        return True
    kind = type(old)
    if kind is not type(new):
        return False
    if kind in SCALARS:
        return bool(old == new) or (old, new) == (id(pair.old), id(pair.new))
    if isinstance(old, weakref.ref):
        return old() is new() or (old() is pair.old and new() is pair.new)
    parts, others = gc.get_referents(old), gc.get_referents(new)
    if depth == 0 or len(parts) != len(others) or len(parts) > MOST_PARTS:
        return False
    if not parts:
        return kind in CONTAINERS and len(old) == len(new)
    return all(_are_alike(one, other, pair, depth - 1) for one, other in zip(parts, others, strict=True))


def _withdraw(container: Any, old: _Entry, new: _Entry, pair: Pair) -> bool:
    """Take the old entry out of a container, and have the new one at its place. Say whether that could be done."""
    if type(container) is deque and is_iterated(container, 2):
        return False
    if isinstance(container, (list, deque)):
        places = list(zip(_places(container, old.value), _places(container, new.value), strict=False))
        for first, _ in places:
            container[first] = new.value
        for _, second in reversed(places):
            del container[second]
        return True
    if is_iterated(container, 2):
        return False
    if isinstance(container, set):
        container.discard(old.value)
        return True
    return _withdraw_key(container, old, pair)


def _places(container: Iterable[Any], value: Any) -> list[int]:
    return [at for at, each in enumerate(container) if each is value]


def _withdraw_key(container: dict[Any, Any], old: _Entry, pair: Pair) -> bool:
    """Take an entry out of a dictionary: with all that its owner keeps of it besides, if that has a verb for it."""
    key = _key_of(container, old.value)
    disconnect = _verb_of(container)
    if disconnect is None or not _is_done_by(disconnect, container, key, pair):
        container.pop(key, None)
    return True


def _verb_of(container: dict[Any, Any]) -> Callable[[Any], object] | None:
    """Return the `disconnect` of the object whose attribute a dictionary is: it keeps other books, too."""
    for owner in all_referrers(container):
        if type(owner) is dict:
            owners = [each for each in all_referrers(owner) if getattr(each, "__dict__", None) is owner]
            owner = owners[0] if owners else None
        found = getattr(type(owner), "disconnect", None)
        if type(found) is FunctionType:
            return found.__get__(owner)
    return None


def _is_done_by(disconnect: Callable[[Any], object], container: dict[Any, Any], key: Any, pair: Pair) -> bool:
    try:
        disconnect(pair.old)
    except Exception:
        return False
    return key not in container
