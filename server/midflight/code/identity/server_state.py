"""The attributes of an object: shown, and taken over by an object of another version of its class, shared or copied."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

from midflight.text import short

__all__ = ["attributes_of", "copied", "moved", "replaced", "shown", "swap_state"]

SHOWN = 200  # characters of all attributes together

_known_slots: WeakKeyDictionary[type[Any], tuple[str, ...]] = WeakKeyDictionary()  # weak: no cache keeps a version


def attributes_of(server: object) -> dict[str, Any]:
    """Return the attributes of `server` by name, those in slots included."""
    found = dict(getattr(server, "__dict__", {}))
    for name in _slots(type(server)):
        if hasattr(server, name):
            found[name] = getattr(server, name)
    return found


def _slots(cls: type[Any]) -> tuple[str, ...]:
    """Return the names by which the slots of `cls` and its bases are read and set."""
    found = _known_slots.get(cls)
    if found is None:
        found = _known_slots[cls] = tuple(_find_slots(cls))
    return found


def _find_slots(cls: type[Any]) -> Iterator[str]:
    for base in cls.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__"):
                is_private = name.startswith("__") and not name.endswith("__")
                yield f"_{base.__name__.lstrip('_')}{name}" if is_private else name


def shown(attributes: dict[str, Any]) -> str:
    """Return attributes as text, `total=7, log=[]`, each cut short, and all together at some 200 characters."""
    text = ", ".join(f"{name}={short(value)}" for name, value in attributes.items())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def moved(server: Any, cls: type[Any]) -> Any:
    """Return `server` as an object of `cls`: the same object wherever Python allows, else one with its attributes.

    Raises: AttributeError if `cls` has slots and none for an attribute.
    """
    try:
        server.__class__ = cls
    except TypeError:  # the two differ in __slots__
        return _made(cls, attributes_of(server))
    return server


def copied(server: Any, cls: type[Any]) -> Any:
    """Return an object of `cls` with copies of the attributes of `server`.

    Lists, dicts, sets, deques and bytearrays are copied, in one another too; all else is shared, so locks and
    sockets stay what they are.
    """
    copies: dict[int, Any] = {}
    return _made(cls, {name: _copy(value, copies) for name, value in attributes_of(server).items()})


def swap_state(old: Any, new: Any) -> Any:
    """Return `old` with the class and the attributes of `new`; `new` itself where Python allows no such change.

    So what holds the object, a task or a callback of its, goes on with the state that counts. Cannot fail.
    """
    try:
        object.__setattr__(old, "__class__", type(new))
        for name in _slots(type(new)):
            if hasattr(new, name):
                object.__setattr__(old, name, getattr(new, name))
            elif hasattr(old, name):
                object.__delattr__(old, name)
        if hasattr(new, "__dict__"):
            # One dict for both: what `new` was given to while it was made holds the same state too.
            object.__setattr__(old, "__dict__", new.__dict__)
    except Exception:  # the two differ in __slots__, or the class does something of its own with its attributes
        return new
    return old


def replaced(server: Any, attributes: dict[str, Any], *, in_place: bool) -> Any:
    """Return `server` with these attributes and no others; with `in_place` the same object wherever Python allows.

    Raises: AttributeError if its class has no place for one of them; `server` is as it was then.
    """
    new = _made(type(server), attributes)
    return swap_state(server, new) if in_place else new


def _made(cls: type[Any], attributes: dict[str, Any]) -> Any:
    new: Any = cls.__new__  # and not cls(): its __init__ is for a new server
    fresh = new(cls)
    for name, value in attributes.items():
        object.__setattr__(fresh, name, value)
    return fresh


def _copy(value: Any, copies: dict[int, Any]) -> Any:
    """Copy a container; `copies` has those made so far by the id of the original, so what was shared stays shared."""
    if not isinstance(value, (list, dict, set, deque, bytearray)):
        return value
    if id(value) in copies:
        return copies[id(value)]
    twin: Any = copy.copy(value)
    copies[id(value)] = twin
    if isinstance(value, (list, deque)):
        for index, element in enumerate(value):
            twin[index] = _copy(element, copies)
    elif isinstance(value, dict):
        for key, element in value.items():
            twin[key] = _copy(element, copies)
    return twin
