"""The pickle of a state: project objects as class name and fields, enum members by name, pids with their creation.

What pickle itself does with an object of the project would bind the state to the text of today: it asks for the class
by its name, has a superseded object migrate itself, and writes a member of an enum by its value.
"""

from __future__ import annotations

import enum
import io
import pickle
from collections import OrderedDict, deque
from collections.abc import Mapping
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary

from midflight.code import Gone
from midflight.code.lowlevel import fields_of, is_project_module, shape_of
from midflight.durable import marks
from midflight.errors import NotDurable
from midflight.kernel import Client, Life, Pid, Ref
from midflight.text import exception_said, short

__all__ = ["MOST_BYTES", "dumps"]

MOST_BYTES = 900_000_000
"""The largest state: a value of SQLite holds a billion bytes."""

_FROM_PYTHON = 1 << 9
_BY_NEW = (int, float, complex, str, bytes, frozenset, set, bytearray)
_ITEMS = (list, deque)
_PAIRS = (dict, OrderedDict)
_OWN_WAYS = ("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__getnewargs__", "__getnewargs_ex__")


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, life: Life) -> None:
        super().__init__(file, protocol=5)
        self.life = life

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        way = _ways.get(kind) or _way_of(kind)
        return NotImplemented if way is _usual else way(value, self.life)


def dumps(cls: type[Any], attributes: Mapping[str, Any], life: Life, key: str) -> bytes:
    """Return the class and the attributes of a server as they are stored. `key` is the server's, for the error.

    Raises: NotDurable, which names the attribute that cannot be stored.
    """
    try:
        found = _pickled((cls, dict(attributes)), life)
    except Exception as error:
        path, value, cause = _culprit(cls, attributes, life, error)
        raise NotDurable(
            f"{short(key)} ({cls.__qualname__}): {path} cannot be stored: {short(value)} of class "
            f"{_class_name(value)}: {cause}"
        ) from error
    if len(found) > MOST_BYTES:
        raise NotDurable(
            f"{short(key)} ({cls.__qualname__}): its state has {len(found):,} bytes, and a store takes {MOST_BYTES:,}"
        )
    return found


def _pickled(value: Any, life: Life) -> bytes:
    file = io.BytesIO()
    _Pickler(file, life).dump(value)
    return file.getvalue()


# --- What is done with an object, by its class -----------------------------------------------------------


def _usual(_value: Any, _life: Life) -> Any:
    """Leave it to pickle."""


def _pid(value: Any, life: Life) -> Any:
    if value.node:
        raise pickle.PicklingError("it is of another node, which is known by a number for this run only; keep a name")
    return marks.pid, tuple(life.address(value))


def _ref(value: Any, life: Life) -> Any:
    if value.node:
        raise pickle.PicklingError("it is of another node, which is known by a number for this run only")
    return marks.ref, tuple(life.address(value))


def _client(value: Any, life: Life) -> Any:
    if value.node:
        raise pickle.PicklingError("it is of a call from another node, which ends with this run")
    return marks.client, tuple(life.address(value))


def _member(value: Any, _life: Life) -> Any:
    if isinstance(value, enum.Flag):
        return marks.member, (type(value), tuple(str(each.name) for each in value), value.value)
    return marks.member, (type(value), value.name, value.value)


def _class(value: Any, _life: Life) -> Any:
    stored = vars(value).get("__stored__") if issubclass(value, Gone) else None
    if stored is not None:
        return marks.project_class, stored
    if not is_project_module(value.__module__):
        return NotImplemented
    if "<locals>" in value.__qualname__:
        raise pickle.PicklingError(f"the class {value.__qualname__} was made in a function, so no name leads to it")
    shape = shape_of(value)
    return marks.project_class, (value.__module__, value.__qualname__, shape.digest, shape.fields)


def _function(value: Any, _life: Life) -> Any:
    if value.__name__ == "<lambda>" or "<locals>" in value.__qualname__:
        raise pickle.PicklingError("it was made in passing, so no name leads to it; define it in the module")
    return (
        (marks.function, (value.__module__, value.__qualname__))
        if is_project_module(value.__module__)
        else NotImplemented
    )


def _method(value: Any, _life: Life) -> Any:
    return getattr, (value.__self__, value.__func__.__name__)


def _gone_member(value: Any, _life: Life) -> Any:
    return marks.member, (type(value), value.name, value.value)


def _plain(value: Any, _life: Life) -> Any:
    return marks.blank, (type(value), "object"), (fields_of(value), None, None), None, None, marks.fill


def _of_builtin(value: Any, _life: Life) -> Any:
    """Reduce an object of a project class that is of a builtin type: what that holds, and the fields."""
    cls = type(value)
    items = pairs = None
    values: tuple[Any, ...] = ()
    fields = fields_of(value)
    if isinstance(value, BaseException):
        base, values = "exception", value.args
    elif isinstance(value, tuple):
        base, values = "tuple", tuple(value)
        fields = {name: each for name, each in fields.items() if name not in getattr(cls, "_fields", ())}
    else:
        kind: Any = next(each for each in cls.__mro__ if not each.__flags__ & _FROM_PYTHON)
        base = kind.__name__
        if issubclass(kind, _ITEMS):
            items, values = list(value), ((value.maxlen,) if isinstance(value, deque) else ())
        elif issubclass(kind, _PAIRS):
            pairs = list(dict.items(value))
        else:
            values = (kind(value),)
    return marks.blank, (cls, base, *values), (fields, items, pairs), None, None, marks.fill


_ways: WeakKeyDictionary[type[Any], Any] = WeakKeyDictionary()


def _way_of(kind: type[Any]) -> Any:
    """Return the function that reduces objects of class `kind`; kept, for the question is asked for each object."""
    if issubclass(kind, Client):
        way: Any = _client
    elif issubclass(kind, Pid):
        way = _pid
    elif issubclass(kind, Ref):
        way = _ref
    elif issubclass(kind, enum.Enum):
        way = _member
    elif issubclass(kind, type):
        way = _class
    elif issubclass(kind, Gone) and "__is_member__" in vars(kind):
        way = _gone_member
    elif kind is FunctionType:
        way = _function
    elif kind is MethodType:
        way = _method
    elif not (is_project_module(kind.__module__) or issubclass(kind, Gone)) or _has_own_way(kind):
        way = _usual
    else:
        base = next(each for each in kind.__mro__ if not each.__flags__ & _FROM_PYTHON)
        if base is object:
            way = _plain
        else:
            builtin = issubclass(base, BaseException) or base is tuple or issubclass(base, (*_BY_NEW, *_ITEMS, *_PAIRS))
            way = _of_builtin if builtin and base.__module__ in ("builtins", "collections") else _usual
    _ways[kind] = way
    return way


def _has_own_way(kind: type[Any]) -> bool:
    """Say whether a class says itself how its objects pickle. What dataclasses and superseded classes have is ours."""
    for cls in kind.__mro__:
        if not cls.__flags__ & _FROM_PYTHON:
            continue
        for name in _OWN_WAYS:
            own = vars(cls).get(name)
            module = getattr(own, "__module__", None)
            if own is not None and module != "dataclasses" and not str(module).startswith("midflight.code."):
                if name == "__getnewargs__" and hasattr(cls, "_fields"):  # of a named tuple
                    continue
                return True
    return False


# --- What cannot be stored ---------------------------------------------------------------------------------


def _culprit(cls: type[Any], attributes: Mapping[str, Any], life: Life, error: Exception) -> tuple[str, Any, str]:
    """Return the path, the value and the cause of what keeps attributes from being stored, as far in as can be seen."""
    path, value, cause = "self", dict(attributes), exception_said(error)
    inner = [("its class", cls), *((f"self.{name}", each) for name, each in attributes.items())]
    for _ in range(20):
        for where, each in inner:
            try:
                _pickled(each, life)
            except Exception as found:
                path, value, cause = where, each, exception_said(found)
                break
        else:
            break
        inner = _parts(path, value)
    return path, value, cause


def _class_name(value: Any) -> str:
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _parts(path: str, value: Any) -> list[tuple[str, Any]]:
    kind = type(value)
    if isinstance(value, dict):
        return [(f"{path}[{short(key)}]", each) for key, each in value.items()]
    if isinstance(value, (list, tuple, deque)):
        return [(f"{path}[{index}]", each) for index, each in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        return [(f"an element of {path}", each) for each in value]
    if isinstance(value, (type, FunctionType, MethodType)) or not kind.__flags__ & _FROM_PYTHON:
        return []
    return [(f"{path}.{name}", each) for name, each in fields_of(value).items()]
