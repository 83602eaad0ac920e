"""Memories of definitions that a load makes again: results of caches, and containers in objects of decorators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from midflight.code.source.look import carried_name, class_names, is_class
from midflight.code.state.base import size_of
from midflight.code.state.caches import lost_results
from midflight.code.state.kinds import kind_of

__all__ = ["filled_since", "results_lost_in"]

WRAPPERS = (staticmethod, classmethod)


def results_lost_in(name: str, old: Any, new: Any) -> Iterator[tuple[str, int]]:
    """Yield the name of each cache of a superseded definition that had results, and how many: `Shop.price`, 3.

    A class is looked through, with the classes in it; one that is kept has its caches still.
    """
    if old is new:
        return
    if not is_class(old):
        if count := lost_results(old):
            yield name, count
        return
    names = class_names(new) if is_class(new) else {}
    for key, value in list(class_names(old).items()):
        inner = value.__func__ if type(value) in WRAPPERS else value
        path = f"{name}.{key}"
        if not is_class(inner) or carried_name(inner) == path:
            yield from results_lost_in(path, inner, names.get(key))


def filled_since(old: Any, new: Any) -> Iterator[tuple[str, int]]:
    """Yield the attributes of an object whose containers the program has filled, each with its count of items.

    `old` and `new` are what the same decorator has made of a definition and of its new version. A container that is
    empty in the new object and not in the old one was filled at run time. No code of theirs is run.
    """
    if kind_of(old) != "object" or kind_of(new) != "object" or type(old).__qualname__ != type(new).__qualname__:
        return
    fresh = _attributes(new)
    for name, value in list(_attributes(old).items()):
        count = size_of(value)
        if count and not name.startswith("__") and size_of(fresh.get(name)) == 0:
            yield name, count


def _attributes(value: Any) -> dict[str, Any]:
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}
