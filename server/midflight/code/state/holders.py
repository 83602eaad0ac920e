"""The places in a new version that hold a container besides its name: the surviving container is put there."""

from __future__ import annotations

import gc
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import BuiltinMethodType, CellType, FunctionType, MethodType, ModuleType
from typing import Any

from midflight.code.state.base import MAPPINGS
from midflight.code.state.inner_values import put_argument

__all__ = ["Place", "places_of"]

Namespace = dict[str, Any]
Place = Callable[[Any], object]  # puts a value there

MOST = 10_000  # objects that are looked at


def places_of(
    name: str, namespace: Namespace, before: Namespace, others: Sequence[Namespace] = ()
) -> list[Place] | None:
    """Return the places that hold the value of `name`, besides its namespace. The caller must not hold it either.

    They are looked for in what the module made: its functions, classes and objects; and in the namespaces of `others`,
    modules of the same load whose bodies have imported it. None if some are elsewhere. Methods of kept classes are
    still those of `before`, the namespace of the version before.
    """
    found: list[Place] = []
    wanted = _references(namespace, name) - ALONE
    if wanted <= 0:
        return found
    value = namespace[name]
    known = [namespace, before, *others]
    seen = {id(value), *map(id, known)}
    waiting = [each for name, each in list(namespace.items()) if not name.startswith("__")]
    for other in others:
        found += [partial(other.__setitem__, key) for key, each in list(other.items()) if each is value]
        waiting += [each for name, each in list(other.items()) if not name.startswith("__")]
    found += _methods(namespace, value)
    if len(found) >= wanted:
        return found
    for each in waiting:  # grows as it goes
        if id(each) in seen or not gc.is_tracked(each) or _is_foreign(each, known):
            continue
        seen.add(id(each))
        if len(seen) > MOST:
            return None
        found += _places_in(each, value, seen)
        if len(found) >= wanted:
            return found
        waiting += gc.get_referents(each)
    return found if len(found) >= wanted else None


def _references(namespace: Namespace, name: str) -> int:
    return sys.getrefcount(namespace[name])


ALONE = _references({"name": []}, "name")  # for a value that nobody else holds, on this Python


def _is_foreign(each: Any, known: Sequence[Namespace]) -> bool:
    kind = type(each)
    if kind is FunctionType:
        return not any(each.__globals__ is namespace for namespace in known)
    if issubclass(kind, type):
        module = type.__getattribute__(each, "__module__")
        return not any(module == namespace.get("__name__") for namespace in known)
    return issubclass(kind, ModuleType)


def _places_in(holder: Any, value: Any, seen: set[int]) -> Iterator[Place]:
    kind = type(holder)
    if kind is FunctionType:
        for index, each in enumerate(holder.__defaults__ or ()):
            if each is value:
                yield partial(_put_default, holder, index)
    elif kind is CellType:
        try:
            if holder.cell_contents is value:
                yield partial(setattr, holder, "cell_contents")
        except ValueError:  # it is empty
            return
    elif issubclass(kind, type):
        for name, each in list(type.__getattribute__(holder, "__dict__").items()):
            if each is value:
                yield partial(type.__setattr__, holder, name)
    elif kind is partial:
        for index, each in enumerate(holder.args):
            if each is value:
                yield partial(put_argument, holder, index)
    elif kind in MAPPINGS:
        for key, each in holder.items():
            if each is value:
                yield partial(holder.__setitem__, key)
    elif kind is list or kind is deque:
        for index, each in enumerate(holder):
            if each is value:
                yield partial(holder.__setitem__, index)
    elif kind is not tuple and kind is not MethodType:
        yield from _attributes(holder, value, seen)


def _attributes(holder: Any, value: Any, seen: set[int]) -> Iterator[Place]:
    if not any(each is value for each in gc.get_referents(holder)):
        return  # in its dictionary, if anywhere, which is looked at by itself
    for base in type(holder).__mro__:
        for name, slot in list(vars(base).items()):
            if type(slot).__name__ == "member_descriptor":
                try:
                    if slot.__get__(holder) is value:
                        yield partial(object.__setattr__, holder, name)
                except AttributeError:  # it is not set
                    continue
    try:
        own = object.__getattribute__(holder, "__dict__")
    except AttributeError:
        return
    seen.add(id(own))  # it has just been made: Python kept the attributes in the object itself
    for name, each in list(own.items()) if isinstance(own, dict) else ():
        if each is value:
            yield partial(own.__setitem__, name)


def _methods(namespace: Namespace, value: Any) -> Iterator[Place]:
    """Yield the places of the container's own methods that names of the module mean, as in `get = CACHE.get`."""
    for name, each in list(namespace.items()):
        if type(each) is BuiltinMethodType and each.__self__ is value:
            yield partial(_put_method, namespace, name, each.__name__)


def _put_method(namespace: Namespace, name: str, method: str, value: Any) -> None:
    namespace[name] = getattr(value, method)


def _put_default(function: FunctionType, index: int, value: Any) -> None:
    defaults = list(function.__defaults__ or ())
    defaults[index] = value
    function.__defaults__ = tuple(defaults)
