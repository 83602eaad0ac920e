"""Members of superseded enums: the new enum's members of the same names take their places.

Old and new members are not equal, so a value that goes on in new code would take another branch than it did. Looked
into are the built-in containers, at any depth; an object's attributes only where the object is given.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterator
from typing import Any

from midflight.code.identity.fields import fields_of, put
from midflight.code.identity.migrate import Newest, become, newest_class
from midflight.errors import MigrationError

__all__ = ["member_now", "renew_members", "superseded_enum_in"]

MOST = 10_000  # elements that are looked at


def member_now(value: Any, newest: Newest = newest_class) -> Any:
    """Return the new enum's member for one of a superseded enum, any other value as it is.

    Raises: MigrationError if the member, or the enum, is gone.
    """
    if not issubclass(type(value), enum.Enum):
        return value
    try:
        new = newest(type(value))
    except LookupError as error:
        raise MigrationError(type(value), str(error)) from error
    return value if new is type(value) else become(value, new)


def superseded_enum_in(value: Any, newest: Newest = newest_class) -> type | None:
    """Return the superseded enum that a member in a container is of, None if there is none."""
    for each in _elements(value):
        if issubclass(type(each), enum.Enum):
            try:
                if newest(type(each)) is not type(each):
                    return type(each)
            except LookupError:
                return type(each)
    return None


def renew_members(value: Any) -> list[str]:
    """Put new members in the place of superseded ones in the attributes of an object, and in the containers in those.

    A list, a set, a dict and a deque stay the same objects. Returns: the names of the attributes that hold a member
    which is gone, and were left as they are.
    """
    left, changed = [], {}
    for name, found in fields_of(value).items():
        try:
            renewed = _renewed(found, set())
        except MigrationError:
            left.append(name)
            continue
        if renewed is not found:
            changed[name] = renewed
    if changed:
        put(value, fields_of(value) | changed)
    return left


def _elements(value: Any) -> Iterator[Any]:
    """Yield all that is in built-in containers, at any depth."""
    seen, waiting = set(), [value]
    for each in waiting:  # grows as it goes
        yield each
        kind = type(each)
        if kind in (list, tuple, set, frozenset, deque, dict) and id(each) not in seen and len(waiting) < MOST:
            seen.add(id(each))
            waiting += each
            waiting += each.values() if kind is dict else ()


def _renewed(value: Any, seen: set[int]) -> Any:
    """Return `value` with new members in it: the same object if that can be changed, or needs not be."""
    kind = type(value)
    if kind not in (list, tuple, set, frozenset, deque, dict):
        return member_now(value)
    if id(value) in seen:
        return value
    seen.add(id(value))
    if superseded_enum_in(value) is None:
        return value
    if kind is dict:
        renewed = {_renewed(key, seen): _renewed(each, seen) for key, each in value.items()}
        value.clear()
        value.update(renewed)
        return value
    elements = [_renewed(each, seen) for each in value]
    if kind in (tuple, frozenset):
        return kind(elements)
    value.clear()
    (value.update if kind is set else value.extend)(elements)
    return value
