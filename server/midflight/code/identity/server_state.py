"""The state of a server: its attributes as text, copied for an upgrade, and swapped in one step.

fields.py says what the attributes of an object are, and migrate.py how it becomes one of another version of its class.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Mapping
from typing import Any

from midflight.code.identity.fields import fields_of, made, put
from midflight.text import short

__all__ = ["copied", "copies_of", "replaced", "shown", "swap_state"]

SHOWN = 200  # characters of all attributes together


def shown(attributes: dict[str, Any]) -> str:
    """Return attributes as text, `total=7, log=[]`, each cut short, and all together at some 200 characters."""
    text = ", ".join(f"{name}={short(value)}" for name, value in attributes.items())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def copied(server: Any, cls: type[Any]) -> Any:
    """Return an object of `cls` with copies of the attributes of `server`.

    Raises: AttributeError if `cls` has no place for an attribute: no slot, or a property of that name.
    """
    return _filled(server, cls, copies_of(fields_of(server)))


def copies_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes with copies of the containers among them.

    Lists, dicts, sets, deques and bytearrays are copied, in one another too; all else is shared, so locks and
    sockets stay what they are.
    """
    copies: dict[int, Any] = {}
    return {name: _copy(value, copies) for name, value in attributes.items()}


def swap_state(old: Any, new: Any) -> Any:
    """Return `old` with the class and the attributes of `new`; `new` itself where Python allows no such change.

    So what holds the object, a task or a callback of its, goes on with the state that counts. Cannot fail.
    """
    try:
        object.__setattr__(old, "__class__", type(new))
        put(old, fields_of(new))
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
    new = _filled(server, type(server), attributes)
    return swap_state(server, new) if in_place else new


def _filled(server: Any, cls: type[Any], attributes: dict[str, Any]) -> Any:
    new = made(server, cls, {})
    for name, value in attributes.items():
        object.__setattr__(new, name, value)
    return new


def _copy(value: Any, copies: dict[int, Any]) -> Any:
    """Copy a container; `copies` has the copies so far by the id of the original, so shared items stay shared."""
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
