"""`value_identities`: the identities of the values of many dictionaries at one moment, to be compared later."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from midflight.kernel.choice import COMPILED

__all__ = ["in_python", "value_identities"]


def in_python(dictionaries: list[dict[Any, Any]]) -> list[Hashable]:
    """Return for each dictionary an object that is equal to another one if the values were the same objects, in order.

    It holds none of them. Of each dictionary it is that of one moment: no Python code runs while one is looked at.
    Raises: TypeError, AttributeError if it is not a list of dictionaries.
    """
    if type(dictionaries) is not list:
        raise TypeError(f"the dictionaries must be a list, not {type(dictionaries).__name__}; nothing was looked at")
    return [tuple(map(id, each.values())) for each in dictionaries]


value_identities: Callable[[list[dict[Any, Any]]], list[Hashable]] = (
    in_python if COMPILED is None else COMPILED.value_identities
)
