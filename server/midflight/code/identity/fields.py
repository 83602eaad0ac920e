"""The fields of an object, however its class stores them, and the fields that a class asks for."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, deque
from collections.abc import Callable
from types import MemberDescriptorType
from typing import Any

__all__ = ["ABSENT", "DECLARED", "declared", "fields_of", "made", "new_slots", "put", "with_class"]

ABSENT: Any = object()
DECLARED = "__midflight_declared__"

FROM_PYTHON = 1 << 9  # Py_TPFLAGS_HEAPTYPE: not so for the types that are written in C and never go

# Builtin types that a class may have as its base, with what they need to hold the same; object holds nothing.
FILLED_BY_NEW = (int, float, complex, str, bytes, tuple, frozenset)
FILLED_BY_INIT = (list, dict, set, bytearray, deque, OrderedDict)


def _slots(cls: type) -> dict[str, MemberDescriptorType]:
    """Return the descriptors of the slots of a class and its bases by name, private names as Python mangles them."""
    return {
        name: value
        for base in reversed(cls.__mro__)
        if base.__flags__ & FROM_PYTHON
        for name, value in list(vars(base).items())
        if isinstance(value, MemberDescriptorType)
    }


def _is_named_tuple(cls: type) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


def fields_of(value: Any) -> dict[str, Any]:
    """Return the fields of an object: the elements of a named tuple, slots that are set, then its `__dict__`."""
    found: dict[str, Any] = dict(zip(value._fields, value, strict=True)) if _is_named_tuple(type(value)) else {}
    for name, slot in _slots(type(value)).items():
        try:
            found[name] = slot.__get__(value)
        except AttributeError:  # it is not set
            continue
    found.update(getattr(value, "__dict__", {}))
    return found


def put(value: Any, fields: dict[str, Any]) -> None:
    """Replace all fields of an object by `fields`; a named tuple keeps its own, which cannot be set later.

    No `__setattr__`, property or frozen dataclass is asked.
    Raises: AttributeError, before anything is changed, if there is no slot for one.
    """
    slots, own = _slots(type(value)), getattr(value, "__dict__", None)
    fixed = value._fields if _is_named_tuple(type(value)) else ()
    plain = {name: each for name, each in fields.items() if name not in slots and name not in fixed}
    if plain and own is None:
        raise AttributeError(f"{type(value).__qualname__} has no slot for {', '.join(plain)}")
    for name, slot in slots.items():
        if name in fields:
            slot.__set__(value, fields[name])
        else:
            try:
                slot.__delete__(value)
            except AttributeError:
                continue
    if own is not None:
        for name in [name for name in own if name not in plain]:
            del own[name]
        own.update(plain)


def declared(cls: type) -> dict[str, Callable[[], Any]] | None:
    """Return the fields that a class declares for its objects, each with the factory of its default, or ABSENT.

    None for a class that says nothing: neither dataclass nor named tuple nor pydantic model. A class that stands for
    another one, which was read from a store, has the names that that one declared in DECLARED.
    """
    if (stored := vars(cls).get(DECLARED)) is not None:
        return dict.fromkeys(stored, _constant(ABSENT))
    if dataclasses.is_dataclass(cls):
        return {field.name: _default_of(field) for field in dataclasses.fields(cls)}
    if _is_named_tuple(cls):
        known: Any = cls
        return {name: _constant(known._field_defaults.get(name, ABSENT)) for name in known._fields}
    models: Any = getattr(cls, "__pydantic_fields__", None)
    if isinstance(models, dict):
        return {name: _default_of_model(field) for name, field in models.items()}
    return None


def new_slots(old: type, new: type) -> dict[str, Callable[[], Any]]:
    """Return the slots that class `new` has and `old` had not, which have no default, as `declared` does."""
    return dict.fromkeys(_slots(new).keys() - _slots(old).keys(), _constant(ABSENT))


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value


def _default_of(field: dataclasses.Field[Any]) -> Callable[[], Any]:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory
    return _constant(ABSENT if field.default is dataclasses.MISSING else field.default)


def _default_of_model(field: Any) -> Callable[[], Any]:
    return lambda: ABSENT if field.is_required() else field.get_default(call_default_factory=True)


def with_class(value: Any, cls: type) -> Any:
    """Return `value` with class `cls` and the fields it has; another object if the two classes differ in their slots.

    Raises: AttributeError if `cls` has no slot for one of the fields.
    """
    try:
        object.__setattr__(value, "__class__", cls)
    except TypeError:
        return made(value, cls, fields_of(value))
    return value


def made(value: Any, cls: type, fields: dict[str, Any]) -> Any:
    """Return a new object of class `cls` with these fields, and with the items or the number that `value` is itself.

    Raises: TypeError for a class that cannot be made so; AttributeError if it has no slot for one of the fields.
    """
    new = _bare(value, cls, fields)
    put(new, fields)
    return new


def _bare(value: Any, cls: type, fields: dict[str, Any]) -> Any:
    """Return a new object of class `cls` without fields, for the place of `value`; a named tuple has its `fields`.

    Its `__init__` does not run. Raises: TypeError for a class that cannot be made so.
    """
    if _is_named_tuple(cls):
        known: Any = cls
        return known._make(fields[name] for name in known._fields)
    base = next(each for each in cls.__mro__ if not each.__flags__ & FROM_PYTHON)
    made: Any
    if base is object:
        return object.__new__(cls)
    if isinstance(value, BaseException) and issubclass(cls, BaseException):
        made = cls.__new__(cls, *value.args)
        made.__cause__, made.__context__, made.__traceback__ = value.__cause__, value.__context__, value.__traceback__
        made.__suppress_context__ = value.__suppress_context__
        return made
    if not isinstance(value, base):
        raise TypeError(f"{type(value).__qualname__} was no {base.__name__}, and {cls.__qualname__} is one")
    kind: Any = base
    if kind in FILLED_BY_NEW:
        return kind.__new__(cls, *((value,) if kind is frozenset else kind.__getnewargs__(value)))
    if kind in FILLED_BY_INIT:
        made = kind.__new__(cls)
        kind.__init__(made, value, *((value.maxlen,) if isinstance(value, deque) else ()))
        return made
    raise TypeError(f"{cls.__qualname__} is a {base.__name__}, of which nobody here knows what it holds")
