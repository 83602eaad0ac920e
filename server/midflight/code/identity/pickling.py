"""Pickling of superseded classes: their instances pickle as instances of the current class, and are copied as they are.

Pickle finds a class by its name, and refuses an instance whose class is no longer what its name means. Here the
instance is migrated on its way into the pickle, so who reads that needs nothing of ours. Functions, and classes
themselves, cannot be helped: pickle asks them nothing.
"""

from __future__ import annotations

import copy
import functools
import pickle
from collections.abc import Callable
from typing import Any

from midflight.code.identity.migrate import SUPERSEDED, newest_class, rebuilt
from midflight.code.source.look import carried_name, class_names, is_class, mro_of
from midflight.errors import MigrationError

__all__ = ["pickle_by_name"]

NEW_OBJECT = ("__newobj__", "__newobj_ex__")


def pickle_by_name(cls: type) -> None:
    """Give a superseded class, and its nested classes, the methods by which instances pickle. May be repeated."""
    for value in list(class_names(cls).values()):
        if is_class(value) and str(carried_name(value)).startswith(f"{carried_name(cls)}."):
            pickle_by_name(value)
    before = class_names(cls).get("__reduce_ex__")
    try:
        if not isinstance(before, _ByName):
            type.__setattr__(cls, "__reduce_ex__", _ByName(before))
    except TypeError:  # its metaclass is written in C and takes no attributes this way, as that of ctypes
        return
    for name, copied in (("__copy__", _copied), ("__deepcopy__", _deepcopied)):
        if not any(name in class_names(each) for each in mro_of(cls)):
            type.__setattr__(cls, name, copied)
    type.__setattr__(cls, SUPERSEDED, True)


class _ByName:
    """The `__reduce_ex__` of a superseded class. `before` is the class's own."""

    def __init__(self, before: Any) -> None:
        self.before = before

    def __get__(self, instance: Any, owner: type | None = None) -> Callable[..., Any]:
        return functools.partial(_reduced, instance) if instance is not None else _reduced


def _reduced(instance: Any, protocol: Any) -> Any:
    """Do what `__reduce_ex__` does, for an instance of the current class with the same fields."""
    try:
        newest = newest_class(type(instance))
        if newest is type(instance):  # a class of another module, which has a superseded one as its base
            return _as_it_is(instance, protocol)
        found = rebuilt(instance, newest)
    except (LookupError, MigrationError) as error:
        raise pickle.PicklingError(f"cannot pickle an object of an older version: {error}") from error
    reduced = found.__reduce_ex__(protocol)
    if not isinstance(reduced, tuple):
        return reduced
    function, arguments, *rest = reduced
    if getattr(function, "__name__", "") in NEW_OBJECT:  # pickle would say that this is not the instance's class
        function, arguments = functools.partial(function, arguments[0]), arguments[1:]
    return (function, arguments, *rest)


def _as_it_is(instance: Any, protocol: Any) -> Any:
    """Do what `__reduce_ex__` did before the class was superseded."""
    for cls in mro_of(type(instance)):
        found = class_names(cls).get("__reduce_ex__")
        if isinstance(found, _ByName):
            found = found.before
        if found is not None:
            return found.__get__(instance, type(instance))(protocol)
    raise AssertionError("object has one")


class _StandIn:
    """A stand-in to be copied: its `__reduce_ex__` answers with the one of another object."""

    def __init__(self, reduced: Any) -> None:
        self._reduced = reduced

    def __reduce_ex__(self, protocol: Any) -> Any:  # Python passes it
        return self._reduced


def _copied(self: Any) -> Any:
    """Do what `copy.copy` does with an object of a class that is current."""
    reduced = _as_it_is(self, 4)
    return self if isinstance(reduced, str) else copy.copy(_StandIn(reduced))


def _deepcopied(self: Any, memo: dict[int, Any]) -> Any:
    """Do what `copy.deepcopy` does with an object of a class that is current."""
    reduced = _as_it_is(self, 4)
    if isinstance(reduced, str):
        return self
    function, arguments, *rest = reduced

    def make(*values: Any) -> Any:
        memo[id(self)] = made = function(*values)  # before its state is copied, which may hold it
        return made

    return copy.deepcopy(_StandIn((make, arguments, *rest)), memo)
