"""The attributes of a server: taken over by an object of another version of its class, shared or copied."""

from __future__ import annotations

import copy
from collections import deque
from typing import Any

__all__ = ["attributes_of", "copied", "moved"]


def attributes_of(server: object) -> dict[str, Any]:
    """Return the attributes of `server` by name, those in slots included."""
    found = dict(getattr(server, "__dict__", {}))
    for cls in type(server).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__"):
                mangled = f"_{cls.__name__.lstrip('_')}{name}" if _is_private(name) else name
                if hasattr(server, mangled):
                    found[mangled] = getattr(server, mangled)
    return found


def _is_private(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


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
