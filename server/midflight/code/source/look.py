"""Looks at objects of others that run none of their code: no `__class__`, no `__getattr__`, no `__eq__`, no `__bool__`.

`isinstance` asks an object for its `__class__` where its type does not answer, and a lazy proxy answers by doing its
work: a connection is opened, settings are read that are not there yet. A load looks at every value of a module, so it
looks by these.

Law: of a value only the type is asked, by `type`, and of a module, class or function what the interpreter's own
descriptors read. So a look ends, raises nothing, and changes nothing.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any, TypeGuard, TypeVar

__all__ = [
    "OwnReference",
    "carried_module",
    "carried_name",
    "class_names",
    "is_a",
    "is_class",
    "is_from",
    "is_module",
    "module_names",
    "module_value",
    "mro_of",
    "names_of_modules",
    "references_of_others",
]

_names = vars(ModuleType)["__dict__"].__get__
_class_names = vars(type)["__dict__"].__get__
_mro = vars(type)["__mro__"].__get__
_module_of_class = vars(type)["__module__"].__get__
_name_of_class = vars(type)["__qualname__"].__get__


def is_a(value: object, *classes: type) -> bool:
    """Say whether the type of `value` is one of `classes` or made from one; the value is not asked."""
    return issubclass(type(value), classes)


def is_module(value: object) -> TypeGuard[ModuleType]:
    """Say whether `value` is a module, a lazy one too."""
    return issubclass(type(value), ModuleType)


def is_class(value: object) -> TypeGuard[type[Any]]:
    """Say whether `value` is a class."""
    return issubclass(type(value), type)


def module_names(module: ModuleType) -> dict[str, Any]:
    """Return a module's own dictionary, past its class: a look must not import a lazy module."""
    found: dict[str, Any] = _names(module)
    return found


def names_of_modules(modules: Iterable[ModuleType]) -> Iterator[dict[str, Any]]:
    """Yield the own dictionary of each module, as `module_names` returns it: for a thousand of them."""
    return map(_names, modules)


def module_value(module: ModuleType, name: str) -> Any:
    """Return the value of `name` in a module's own dictionary, None if it has none there."""
    return module_names(module).get(name)


def mro_of(cls: type[Any]) -> tuple[type[Any], ...]:
    """Return `cls` and the classes that it inherits from, in the order in which attributes are looked for."""
    found: tuple[type[Any], ...] = _mro(cls)
    return found


def class_names(cls: type[Any]) -> Mapping[str, Any]:
    """Return a class's own dictionary."""
    found: Mapping[str, Any] = _class_names(cls)
    return found


def carried_module(value: object) -> str | None:
    """Return the module's name that a function or a class carries, None for any other value."""
    if type(value) is FunctionType:
        found: object = value.__module__
    elif is_class(value):
        try:
            found = _module_of_class(value)
        except AttributeError:  # one of C that carries none
            return None
    else:
        return None
    return found if type(found) is str else None


def carried_name(value: object) -> str | None:
    """Return the qualified name that a function or a class carries, None for any other value."""
    if type(value) is FunctionType:
        return value.__qualname__
    return str(_name_of_class(value)) if is_class(value) else None


def is_from(package: str, value: object) -> bool:
    """Say whether a function, a method or a class is of `package`, by the module that it carries, which may be none."""
    module = carried_module(value.__func__ if type(value) is MethodType else value)
    return module is not None and (module == package or module.startswith(f"{package}."))


Referent = TypeVar("Referent")


class OwnReference(weakref.ref[Referent]):
    """A weak reference. Of a plain one there is a single object, for all who ask for one; this is not that object."""

    __slots__ = ()


def references_of_others(value: Any) -> list[Any]:
    """Return the weak references to an object that others have; those without a callback are one."""
    found = weakref.getweakrefs(value)
    return [each for each in found if not is_from("midflight", type(each))]
