"""The names in other modules under which objects of a refused version are found: what its body has left behind.

A body that registers a class or a function with others has done so, though its version never becomes current. Nobody
can take that back: only the program knows what a registration means. So it is named.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator
from types import FrameType, FunctionType, ModuleType, TracebackType
from typing import Any, NamedTuple

from midflight.code.source.look import is_class
from midflight.code.version.facade import Namespace
from midflight.collection import all_referrers

__all__ = ["left_behind"]

DEPTH = 5  # questions: a class, a list of classes, the names of the class that has it, that class
WIDTH = 200  # objects that one question is about
OURS = ("midflight", "gc", "typing", "abc", "linecache", "__main__.__builtins__")


class _Node(NamedTuple):
    """An object that leads to one of the version; `rest` is the way to it: ".plugins".

    `key` is the name by which a dictionary leads there. It belongs to the way of an object whose attributes those are:
    which one that is shows when it is asked who refers to the dictionary.
    """

    value: Any
    rest: str
    key: str = ""

    def rest_of(self, referrer: Any) -> str:
        """Return the way from an object that refers to this one; a step in a container adds no words."""
        is_owner = bool(self.key) and (is_class(referrer) or _attributes(referrer) is self.value)
        return f".{self.key}{self.rest}" if is_owner else self.rest


def left_behind(name: str, namespace: Namespace) -> tuple[str, ...]:
    """Return where other modules hold classes or functions that the body of module `name` made in `namespace`, sorted.

    As far as that can be seen: what is in a C structure, a signal handler say, is not. It looks DEPTH times at all
    objects, however many were left: that holds everybody up for 34 ms at a million.
    """
    functions, classes = [], []
    for value in list(namespace.values()):
        if type(value) is FunctionType and value.__globals__ is namespace:
            functions.append(value)
        elif issubclass(type(value), type) and value.__module__ == name and not _is_older(value, namespace):
            classes.append(value)
        del value
    counts = list(map(sys.getrefcount, functions))
    made = [each for each, count in zip(functions, counts, strict=True) if count > _ALONE] + classes
    return tuple(sorted(set(_found([_Node(value, "") for value in made], namespace)))) if made else ()


def _is_older(cls: type, namespace: Namespace) -> bool:
    """Say whether a class was taken over from a version before: its functions are of another namespace."""
    functions = [value for value in list(vars(cls).values()) if type(value) is FunctionType]
    return any(each.__globals__ is not namespace for each in functions if each.__module__ == cls.__module__)


def _found(level: list[_Node], namespace: Namespace) -> Iterator[str]:
    modules = {id(vars(module)): name for name, module in list(sys.modules.items()) if type(module) is ModuleType}
    seen = {id(namespace), *(id(node.value) for node in level)}
    for _ in range(DEPTH):
        if not level:
            return
        following: list[_Node] = []
        for referrer, node in _referrers(level[:WIDTH], seen):
            where = modules.get(id(referrer))
            if where is not None:
                if not where.startswith(OURS):
                    yield from (f"{where}.{key}{node.rest}" for key in _keys(referrer, node.value))
                continue
            seen.add(id(referrer))
            keys = [each for each in _keys(referrer, node.value) if each.isidentifier()]
            following.append(_Node(referrer, node.rest_of(referrer), keys[0] if keys else ""))
        level = following


def _referrers(level: list[_Node], seen: set[int]) -> Iterator[tuple[Any, _Node]]:
    by_id = {id(node.value): node for node in level}
    values = [node.value for node in level]
    ours = {id(level), id(by_id), id(values), *map(id, level)}
    for referrer in all_referrers(*values):
        kind = type(referrer)
        if id(referrer) in seen or id(referrer) in ours or kind in (FrameType, TracebackType, _Node):
            continue
        for each in gc.get_referents(referrer):
            node = by_id.get(id(each))
            if node is not None and not _is_own(referrer, node.value):
                yield referrer, node
                break


def _is_own(referrer: Any, value: Any) -> bool:
    """Say whether `referrer` is a part of `value` itself: a class refers to its parts, and they to it."""
    if is_class(value):
        return referrer is value.__mro__ or getattr(referrer, "__objclass__", None) is value
    return False


def _attributes(value: Any) -> Any:
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None


def _keys(names: Any, value: Any) -> Iterable[str]:
    if type(names) is not dict:
        return ()
    return [key for key, each in list(names.items()) if each is value and type(key) is str]


# The references to a function that its namespace and a list have, and nobody else.
_ALONE = next(map(sys.getrefcount, [object()])) + 1
