"""A kept class moves to the new version: its functions get that version's namespace, and its lines of the text.

Otherwise a process in a method of it would keep running old code, whatever it calls, and the version that made the
class would stay in memory as long as the class does. Nobody can tell the difference: the code is the same, and so is
what its names mean. Functions that others hold, bound methods too, stay what they are.
"""

from __future__ import annotations

import functools
import gc
import sys
import typing
from collections.abc import Callable, Iterable
from dataclasses import Field
from types import CodeType, FunctionType
from typing import Any

from midflight.code.version.facade import Namespace

if sys.version_info >= (3, 14):
    import annotationlib

__all__ = ["Rebinding", "is_rebound"]

REBOUND = "__midflight_rebound__"  # in a function that another one has taken the place of

MOST_ELEMENTS = 1000  # in a container of a class; in a longer one are data, and no functions

# Objects that have functions in attributes that can be set. A functools.lru_cache has its function in C, out of reach.
HOLDERS: tuple[type, ...] = (Field, functools.cached_property, functools.partialmethod, functools.singledispatchmethod)

# What is looked at in the closures of functions; whatever else they hold is their own business.
IN_CELLS = (FunctionType, staticmethod, classmethod, property, functools.partial, dict, list)


def is_rebound(function: FunctionType) -> bool:
    """Say whether `function` was one of a class that was kept since, so that its name means the one that has moved."""
    return REBOUND in vars(function)


class Rebinding:
    """The changes that one class needs, found out beforehand; `apply` makes them."""

    def __init__(self, cls: type, codes: dict[CodeType, CodeType], old: Namespace, new: Namespace) -> None:
        self._codes, self._old, self._new = codes, old, new
        self._lines = {code.co_qualname: code.co_firstlineno for code in codes.values()}
        self._known: dict[int, tuple[object, Any]] = {}  # by id: what was looked at, and what takes its place
        self._changes: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self._look_at_class(cls)

    def apply(self) -> None:
        """Change the class. Cannot fail."""
        for change, arguments in self._changes:
            change(*arguments)

    def _look_at_class(self, cls: type) -> None:
        # Annotations that run late hold the class's own dictionary, which must not be changed past the class.
        (own,) = gc.get_referents(vars(cls))
        self._known[id(own)] = (own, own)
        for name, value in list(vars(cls).items()):
            if isinstance(value, type):
                if value.__module__ == cls.__module__ and value.__qualname__ == f"{cls.__qualname__}.{name}":
                    self._look_at_class(value)
            elif name == "__firstlineno__":  # since 3.13 (python/cpython#118465)
                if cls.__qualname__ in self._lines:
                    self._changes.append((type.__setattr__, (cls, name, self._lines[cls.__qualname__])))
            elif (found := self._rebound(value)) is not value:
                self._changes.append((_replace, (cls, name, value, found)))

    def _rebound(self, value: Any) -> Any:
        """Return the replacement of `value`, which may be the same object, with changes to come in its contents."""
        if id(value) in self._known:
            return self._known[id(value)][1]
        self._known[id(value)] = (value, value)  # until it is known better: it may hold itself
        found = self._looked_at(value)
        self._known[id(value)] = (value, found)
        return found

    def _looked_at(self, value: Any) -> Any:
        kind = type(value)
        if kind is FunctionType:
            return self._function(value)
        if kind is staticmethod or kind is classmethod:
            inner = self._rebound(value.__func__)
            return value if inner is value.__func__ else kind(inner)
        if kind is property:
            parts = [value.fget, value.fset, value.fdel]
            rebound = [self._rebound(part) for part in parts]
            return value if rebound == parts else property(rebound[0], rebound[1], rebound[2], value.__doc__)
        if kind is functools.partial:
            inner = self._rebound(value.func)
            return value if inner is value.func else functools.partial(inner, *value.args, **value.keywords)
        if kind is tuple and len(value) <= MOST_ELEMENTS:
            elements = tuple(self._rebound(each) for each in value)
            return value if all(one is other for one, other in zip(elements, value, strict=True)) else elements
        if kind is dict and len(value) <= MOST_ELEMENTS:
            self._change_elements(list(value.items()), value.__setitem__)
        elif kind is list and len(value) <= MOST_ELEMENTS:
            self._change_elements(list(enumerate(value)), value.__setitem__)
        elif isinstance(value, HOLDERS):
            self._change_elements(_attributes(value), functools.partial(object.__setattr__, value))
            if isinstance(value, functools.singledispatchmethod):  # it remembers what it has called
                self._changes.append((value.dispatcher._clear_cache, ()))
        elif sys.version_info >= (3, 14):
            self._look_at_type(value)
        return value

    def _look_at_type(self, value: Any) -> None:
        """See to what stands for a name that was not bound yet, in the type of a dataclass's field, say."""
        if sys.version_info >= (3, 14) and type(value) is annotationlib.ForwardRef:
            if getattr(value, "__globals__", None) is self._old:
                self._changes.append((setattr, (value, "__globals__", self._new)))
        else:
            for part in typing.get_args(value):
                self._look_at_type(part)

    def _change_elements(self, elements: Iterable[tuple[Any, Any]], change: Callable[..., object]) -> None:
        for key, element in elements:
            if (found := self._rebound(element)) is not element:
                self._changes.append((change, (key, found)))

    def _function(self, function: FunctionType) -> FunctionType:
        if function.__globals__ is not self._old:  # a wrapper made elsewhere: what it wraps may be ours
            self._cells(function)
            self._change_elements(list(vars(function).items()), vars(function).__setitem__)
            defaults = self._rebound(function.__defaults__)
            if defaults is not function.__defaults__:
                self._changes.append((setattr, (function, "__defaults__", defaults)))
            if sys.version_info >= (3, 14):  # functools.wraps has given it that of what it wraps
                annotate = self._rebound(function.__annotate__)
                if annotate is not function.__annotate__:
                    self._changes.append((setattr, (function, "__annotate__", annotate)))
            return function
        code = self._codes.get(function.__code__, function.__code__)  # a dataclass writes functions of its own
        new = FunctionType(code, self._new, function.__name__, None, function.__closure__)
        self._known[id(function)] = (function, new)  # before what it shares with others is looked at: that may hold it
        self._cells(function)
        new.__defaults__ = self._rebound(function.__defaults__)
        if function.__kwdefaults__ is not None:
            new.__kwdefaults__ = {name: self._rebound(value) for name, value in function.__kwdefaults__.items()}
        new.__qualname__, new.__module__, new.__doc__ = function.__qualname__, function.__module__, function.__doc__
        if sys.version_info >= (3, 14) and function.__annotate__ is not None:  # to read what it gives would run it
            new.__annotate__ = self._rebound(function.__annotate__)
        else:
            new.__annotations__ = function.__annotations__
        vars(new).update({name: self._rebound(value) for name, value in vars(function).items()})
        if sys.version_info >= (3, 12):
            new.__type_params__ = function.__type_params__
        self._changes.append((vars(function).__setitem__, (REBOUND, True)))
        return new

    def _cells(self, function: FunctionType) -> None:
        for cell in function.__closure__ or ():
            try:
                value = cell.cell_contents
            except ValueError:  # it is empty
                continue
            if isinstance(value, IN_CELLS) and (found := self._rebound(value)) is not value:
                self._changes.append((setattr, (cell, "cell_contents", found)))


def _replace(cls: type, name: str, old: object, new: object) -> None:
    if vars(cls).get(name) is old:  # else somebody has put another thing there since
        type.__setattr__(cls, name, new)


def _attributes(value: Any) -> list[tuple[str, Any]]:
    names = value.__slots__ if isinstance(value, Field) else vars(value)
    return [(name, getattr(value, name)) for name in names]
