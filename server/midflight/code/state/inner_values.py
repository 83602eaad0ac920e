"""The values that functions and classes of a module hold, each with its place: the state inside of definitions.

They are named "Room.all" for an attribute of a class, "hit.count" for one of a function, "find(cache)" for the default
of a parameter, and "tick(n)" for a variable of the closure that is bound to `tick`. An argument of a partial is named
by its place, "find(0)", or by its name. Asks no object anything.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from functools import partial
from types import CellType, FunctionType
from typing import Any, NamedTuple

from midflight.code.source.look import carried_module, carried_name, class_names
from midflight.code.state.kinds import kind_of

__all__ = ["InnerValue", "definition_at", "inner_values", "put_argument", "put_attribute", "take_attribute"]

Namespace = dict[str, Any]


class InnerValue(NamedTuple):
    """A value inside of `owner`, a function or class. `put` has another value stand in its place."""

    owner: Any
    value: Any
    put: Callable[[Any], object]
    is_of_closure: bool = False


def inner_values(namespace: Namespace) -> dict[str, InnerValue]:
    """Return the values that the functions and classes of a module hold, by name. Classes of enums are left out."""
    module = namespace.get("__name__")
    found: dict[str, InnerValue] = {}
    for name, value in list(namespace.items()):
        if name.startswith("__"):
            continue
        if type(value) is FunctionType:
            if value.__module__ == module and (value.__qualname__ == name or "<locals>" in value.__qualname__):
                found.update(_in_function(name, value))
                found.update(_in_closure(name, value))
        elif issubclass(type(value), type):
            found.update(_in_class(name, value, module))
        elif type(value) is partial:
            found.update(_in_partial(name, value))
    return found


def put_attribute(owner: Any, name: str, value: Any) -> None:
    """Set an attribute of a function or a class, past all that a metaclass may do. Raises TypeError if it cannot be."""
    if issubclass(type(owner), type):
        type.__setattr__(owner, name, value)
    else:
        owner.__dict__[name] = value


def take_attribute(owner: Any, name: str) -> None:
    """Take an attribute of a function or a class off, if it is there."""
    if issubclass(type(owner), type):
        type.__delattr__(owner, name)
    else:
        owner.__dict__.pop(name, None)


def definition_at(namespace: Namespace, path: str) -> Any:
    """Return the function or class with a qualified name, None if there is none."""
    first, *rest = path.split(".")
    found: Any = namespace.get(first)
    for part in rest:
        found = class_names(found).get(part) if issubclass(type(found), type) else None
        found = found.__func__ if type(found) in (staticmethod, classmethod) else found
    return found if type(found) is FunctionType or issubclass(type(found), type) else None


def _in_class(path: str, kind: type, module: object) -> Iterator[tuple[str, InnerValue]]:
    attributes = class_names(kind)
    if carried_module(kind) != module or carried_name(kind) != path or issubclass(kind, enum.Enum):
        return
    for name, value in list(attributes.items()):
        function = value.__func__ if type(value) in (staticmethod, classmethod) else value
        if type(function) is FunctionType:
            if function.__module__ == module:
                yield from _in_function(f"{path}.{name}", function)
        elif name.startswith("_") and name.endswith("_"):
            continue  # a dunder, or a word to a metaclass such as `_fields_`
        elif issubclass(type(value), type):
            yield from _in_class(f"{path}.{name}", value, module)
        elif (found := kind_of(value)) is not None and not (found == "object" and _is_descriptor(value)):
            yield f"{path}.{name}", InnerValue(kind, value, partial(put_attribute, kind, name))


def _in_function(path: str, function: FunctionType) -> Iterator[tuple[str, InnerValue]]:
    code = function.__code__
    for name, value in list(function.__dict__.items()):
        if not name.startswith("__") and kind_of(value) is not None:
            yield f"{path}.{name}", InnerValue(function, value, partial(put_attribute, function, name))
    defaults = function.__defaults__ or ()
    first = code.co_argcount - len(defaults)
    for index, value in enumerate(defaults):
        if kind_of(value) in ("container", "object"):
            name = code.co_varnames[first + index]
            yield f"{path}({name})", InnerValue(function, value, partial(_put_default, function, index))
    named = function.__kwdefaults__ or {}
    for name, value in named.items():
        if kind_of(value) in ("container", "object"):
            yield f"{path}({name})", InnerValue(function, value, partial(named.__setitem__, name))


def _in_closure(path: str, function: FunctionType) -> Iterator[tuple[str, InnerValue]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            value = cell.cell_contents
        except ValueError:  # nothing is bound yet
            continue
        if kind_of(value) is not None:
            yield f"{path}({name})", InnerValue(function, value, partial(_put_into, cell), is_of_closure=True)


def _in_partial(path: str, value: Any) -> Iterator[tuple[str, InnerValue]]:
    """Yield the containers and objects among the arguments of a partial."""
    for index, each in enumerate(value.args):
        if kind_of(each) in ("container", "object"):
            yield f"{path}({index})", InnerValue(value, each, partial(put_argument, value, index), is_of_closure=True)
    for name, each in value.keywords.items():
        if kind_of(each) in ("container", "object"):
            put = partial(value.keywords.__setitem__, name)
            yield f"{path}({name})", InnerValue(value, each, put, is_of_closure=True)


def put_argument(holder: Any, index: int, value: Any) -> None:
    """Give a partial another argument; it stays the same object."""
    function, arguments, keywords, names = holder.__reduce__()[2]
    holder.__setstate__((function, (*arguments[:index], value, *arguments[index + 1 :]), keywords, names))


def _put_default(function: FunctionType, index: int, value: Any) -> None:
    defaults = list(function.__defaults__ or ())
    defaults[index] = value
    function.__defaults__ = tuple(defaults)


def _put_into(cell: CellType, value: Any) -> None:
    cell.cell_contents = value


def _is_descriptor(value: Any) -> bool:
    kind = type(value)
    return any(not {"__get__", "__set_name__"}.isdisjoint(class_names(each)) for each in kind.__mro__)
