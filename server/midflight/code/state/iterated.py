"""Containers in the midst of a loop over them: a change of their size would end the loop with an error."""

from __future__ import annotations

import sys
import weakref
from collections import OrderedDict, UserDict, deque
from typing import Any

from midflight.collection import all_referrers

__all__ = ["is_iterated"]

ITERATORS: frozenset[type] = frozenset(
    type(found)
    for made in (dict[str, int](), OrderedDict[str, int]())
    for found in (iter(made), iter(made.values()), iter(made.items()), reversed(made), reversed(made.items()))
) | {type(iter(set())), type(iter(deque())), type(reversed(deque()))}


WRAPPERS = (UserDict, weakref.WeakSet, weakref.WeakValueDictionary, weakref.WeakKeyDictionary)


def is_iterated(value: Any, known: int) -> bool:
    """Say whether somebody iterates over a container. `known` is how many references to it the caller knows of.

    Looks at all objects only if there are more: that holds everybody up for 34 ms at a million.
    """
    if sys.getrefcount(value) <= known + 2:  # that of this function's argument, and of getrefcount's own
        return False
    inner = getattr(value, "data", None) if type(value) in WRAPPERS else None
    if inner is not None and is_iterated(inner, 1):
        return True
    views = [value]
    for found in all_referrers(value):
        kind = type(found)
        if kind in ITERATORS:
            return True
        if kind.__name__ in ("dict_items", "dict_values", "dict_keys", "odict_items", "odict_values", "odict_keys"):
            views.append(found)
    return any(type(each) in ITERATORS for view in views[1:] for each in all_referrers(view))
