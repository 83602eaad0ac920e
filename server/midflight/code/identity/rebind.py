"""A kept class moves to the new version: its functions get that version's namespace, and its lines of the text.

Otherwise a process in a method of it would keep running old code, whatever it calls, and the version that made the
class would stay in memory as long as the class does. Nobody can tell the difference: the code is the same, and so is
what its names mean. Each function stays the same object, so a bound method that somebody holds equals a new one.
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

from midflight.code.source.look import carried_module, carried_name, class_names, is_class
from midflight.code.version.facade import Namespace
from midflight.code.version.in_place import Renewal

if sys.version_info >= (3, 14):
    import annotationlib

__all__ = ["Rebinding"]

MOST_ELEMENTS = 1000  # in a container of a class; in a longer one are data, and no functions

# Objects that have functions in attributes.
HOLDERS: tuple[type, ...] = (Field, functools.cached_property, functools.partialmethod, functools.singledispatchmethod)

# What is looked at in the closures of functions; whatever else they hold is their own business.
IN_CELLS = (FunctionType, staticmethod, classmethod, property, functools.partial, dict, list)


class Rebinding:
    """The changes that one class needs, found out beforehand; `apply` makes them."""

    def __init__(self, cls: type, codes: dict[CodeType, CodeType], old: Namespace, new: Namespace) -> None:
        self._codes, self._old, self._new = codes, old, new
        self._lines = {code.co_qualname: code.co_firstlineno for code in codes.values()}
        self._known: dict[int, object] = {}  # by id: what was looked at
        self._changes: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self._look_at_class(cls)

    def apply(self) -> None:
        """Change the class. Cannot fail, and may be repeated."""
        for change, arguments in self._changes:
            change(*arguments)

    def _look_at_class(self, cls: type) -> None:
        # Annotations that run late hold the class's own dictionary, which must not be looked at past the class.
        (own,) = gc.get_referents(class_names(cls))
        self._known[id(own)] = own
        path = carried_name(cls)
        for name, value in list(class_names(cls).items()):
            if is_class(value):
                if carried_module(value) == carried_module(cls) and carried_name(value) == f"{path}.{name}":
                    self._look_at_class(value)
            elif name == "__firstlineno__":  # since 3.13 (python/cpython#118465)
                if path in self._lines:
                    self._changes.append((type.__setattr__, (cls, name, self._lines[path])))
            else:
                self._look_at(value)

    def _look_at(self, value: Any) -> None:
        """Note the functions in `value`, which may hold itself."""
        if id(value) in self._known:
            return
        self._known[id(value)] = value
        kind = type(value)
        if kind is FunctionType:
            self._look_at_function(value)
        elif kind is staticmethod or kind is classmethod:
            self._look_at(value.__func__)
        elif kind is property:
            self._look_at_all((value.fget, value.fset, value.fdel))
        elif kind is functools.partial:
            self._look_at(value.func)
        elif kind is functools._lru_cache_wrapper:
            self._look_at(value.__wrapped__)
        elif kind is tuple or kind is list:
            self._look_at_all(value)
        elif kind is dict:
            self._look_at_all(value.values())
        elif issubclass(kind, HOLDERS):
            self._look_at_all(_attributes(value))
        elif sys.version_info >= (3, 14):
            self._look_at_type(value)

    def _look_at_all(self, values: Any) -> None:
        if len(values) <= MOST_ELEMENTS:
            for value in list(values):
                self._look_at(value)

    def _look_at_type(self, value: Any) -> None:
        """Note the references in a type, a dataclass's field's say, to a name that was not bound yet."""
        if sys.version_info >= (3, 14) and type(value) is annotationlib.ForwardRef:
            if getattr(value, "__globals__", None) is self._old:
                self._changes.append((setattr, (value, "__globals__", self._new)))
        else:
            for part in typing.get_args(value):
                self._look_at_type(part)

    def _look_at_function(self, function: FunctionType) -> None:
        if function.__globals__ is self._old:  # else a wrapper made elsewhere: what it wraps may be ours
            code = self._codes.get(function.__code__)
            if code is None and self._is_of_the_module(function):
                return  # put into the class by somebody: it is old code, and stays that
            self._changes.append((Renewal(function, code, self._new).apply, ()))  # a dataclass writes some of its own
        for cell in function.__closure__ or ():
            try:
                value = cell.cell_contents
            except ValueError:  # it is empty
                continue
            if issubclass(type(value), IN_CELLS):
                self._look_at(value)
        self._look_at_all(function.__defaults__ or ())
        self._look_at_all((function.__kwdefaults__ or {}).values())
        self._look_at_all(vars(function).values())
        if sys.version_info >= (3, 14):  # functools.wraps has given a wrapper that of what it wraps
            self._look_at(function.__annotate__)

    def _is_of_the_module(self, function: FunctionType) -> bool:
        return self._old.get(function.__qualname__) is function


def _attributes(value: Any) -> list[Any]:
    names: Iterable[str] = value.__slots__ if isinstance(value, Field) else vars(value)
    return [getattr(value, name) for name in names]
