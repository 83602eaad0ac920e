"""The reading of a state: its objects as objects of today's classes, or, for people, as plain fields.

A class of the project is looked up by its name. If it reads as it did when the state was written, its objects are made
directly; else they are read as stand-ins with the old fields, and migrate as live objects do: by the defaults of new
fields, or by `__migrate__`. A class that is gone leaves a `code.Gone`, a member that is gone too.
"""

from __future__ import annotations

import enum
import io
import pickle
import sys
from collections import OrderedDict, deque, namedtuple
from collections.abc import Callable
from importlib import import_module
from typing import Any
from weakref import WeakValueDictionary

from midflight.code import Gone, migrate_state
from midflight.code.lowlevel import DECLARED_FIELDS, fields_of, put_fields, shape_of
from midflight.durable import marks
from midflight.kernel import Address, Client, Life, Pid, Ref, dead_client

__all__ = ["Reader", "peeked"]

_BUILTINS: dict[str, Callable[..., Any]] = {
    kind.__name__: kind for kind in (int, float, complex, str, bytes, frozenset, set, bytearray)
}
_FILLED: dict[str, Any] = {"list": list, "dict": dict, "deque": deque, "OrderedDict": OrderedDict}


class Reader:
    """The reader of the states of one store, in a runtime that has the life `life`."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.clients: WeakValueDictionary[Address, Client] = WeakValueDictionary()

    def loads(self, state: bytes) -> tuple[type[Any], dict[str, Any]]:
        """Return the class of the server, a Gone if its `__migrate__` is due, and the attributes.

        Raises: MigrationError; what importing a module of theirs raises; ValueError.
        """
        reading = _Unpickler(state, self, is_changed=False)
        cls, attributes = _loaded(reading)
        if not reading.targets:
            return cls, attributes
        reading = _Unpickler(state, self, is_changed=True)
        kept, attributes = _loaded(reading)
        targets = reading.targets
        attributes = migrate_state(attributes, lambda each: targets.get(each, each))
        return kept if issubclass(cls, Gone) else cls, attributes

    def pid(self, *numbers: int) -> Pid:
        """Return the pid with that address: a live one only if it is of this life."""
        return self.life.pid(Address(*numbers))

    def ref(self, *numbers: int) -> Ref:
        """Return the ref with that address."""
        return self.life.ref(Address(*numbers))

    def client(self, *numbers: int) -> Client:
        """Return a client that nobody waits in; the same one for the same address."""
        address = Address(*numbers)
        found = self.clients.get(address)
        if found is None:
            self.clients[address] = found = dead_client(*numbers)
        return found


def peeked(state: bytes) -> dict[str, Any]:
    """Return the attributes for people to look at: objects of the project as `Gone`, whatever their classes are now.

    No module of the project is imported. Raises: ValueError if it is not the state of a server.
    """
    return _loaded(_Unpickler(state, Reader(Life({}, 1)), is_changed=True, is_peek=True))[1]


def _loaded(reading: _Unpickler) -> tuple[type[Any], dict[str, Any]]:
    try:
        found = reading.load()
    except (pickle.UnpicklingError, EOFError, IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"it is damaged: {error}") from error
    match found:
        case (type() as cls, dict() as attributes):
            return cls, attributes
    raise ValueError(f"it is not the state of a server but a {type(found).__name__}")


class _Unpickler(pickle.Unpickler):
    def __init__(self, state: bytes, reader: Reader, *, is_changed: bool, is_peek: bool = False) -> None:
        super().__init__(io.BytesIO(state))
        self.is_changed, self.is_peek = is_changed, is_peek
        self.targets: dict[type[Any], type[Any]] = {}  # the current class of a stand-in
        self.stand_ins: dict[Any, type[Any]] = {}
        self.marks: dict[str, Any] = {
            "blank": self.blank,
            "fill": _fill,
            "project_class": self.project_class,
            "function": self.function,
            "member": _member,
            "pid": reader.pid,
            "ref": reader.ref,
            "client": reader.client,
        }

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name in the state means.

        Python's library moves classes into private modules, as pathlib's into pathlib._local in 3.13: a version that
        has no such module has them in the public one.
        """
        if module == marks.MODULE:
            return self.marks[name]
        try:
            return super().find_class(module, name)
        except (ModuleNotFoundError, AttributeError):
            public, _, last = module.rpartition(".")
            if not public or not last.startswith("_"):
                raise
            return super().find_class(public, name)

    def project_class(self, module: str, name: str, digest: str, fields: tuple[str, ...] | None) -> Any:
        """Return the class of today, or a stand-in for it."""
        stored = module, name, digest, fields
        current = None if self.is_peek else _found(module, name)
        if not isinstance(current, type):
            return self.stand_in(stored)
        if issubclass(current, enum.Enum):
            return current
        shape = shape_of(current)
        has_hook = hasattr(current, "__migrate__")
        is_same = shape.digest == digest if digest and shape.digest else shape.fields == fields
        if is_same if has_hook or not self.is_changed else False:
            return current
        if not self.is_changed and shape.fields == fields and not has_hook:
            return current  # only its methods differ
        found = self.stand_in(stored)
        self.targets[found] = current
        return found

    def stand_in(self, stored: tuple[str, str, str, tuple[str, ...] | None], base: type[Any] = Gone) -> type[Any]:
        """Return the class that stands for a class of the state: a subclass of Gone, and of `base`."""
        key = (*stored, base)
        if key not in self.stand_ins:
            module, name, _, _ = stored
            bases: tuple[type[Any], ...] = (Gone,) if base is Gone else (Gone, base)
            names = {"__module__": module, "__qualname__": name, "__stored__": stored, DECLARED_FIELDS: stored[3]}
            self.stand_ins[key] = type(name.rpartition(".")[2], bases, names)
        return self.stand_ins[key]

    def blank(self, cls: Any, base: str, *values: Any) -> Any:
        """Return an object of `cls` without fields."""
        if issubclass(cls, Gone) and base != "object":
            cls = self._with_base(cls, base)
        if base == "object":
            return object.__new__(cls)
        if base == "tuple":
            return tuple.__new__(cls, values)
        if base == "exception":
            made: Any = cls.__new__(cls, *values)
            made.args = values
            return made
        if base in _BUILTINS:
            kind: Any = _BUILTINS[base]
            if base in ("set", "bytearray"):
                made = kind.__new__(cls)
                kind.__init__(made, *values)
                return made
            return kind.__new__(cls, *values)
        made = cls.__new__(cls)
        if base == "deque":
            made.__init__((), *values)
        return made

    def _with_base(self, cls: Any, base: str) -> type[Any]:
        """Return the stand-in `cls` as one that is of a builtin type, too."""
        stored = vars(cls)["__stored__"]
        fields = stored[3]
        if base == "tuple":
            kind: Any = tuple if fields is None else namedtuple(stored[1].rpartition(".")[2], fields, rename=True)
        elif base == "exception":
            kind = Exception
        else:
            kind = _BUILTINS.get(base) or _FILLED[base]
        found = self.stand_in(stored, kind)
        if cls in self.targets:
            self.targets[found] = self.targets[cls]
        return found

    def function(self, module: str, name: str) -> Any:
        """Return the function of today. Raises: ValueError if it is gone."""
        if self.is_peek:
            return f"{module}.{name}"
        found = _found(module, name)
        if found is None:
            raise ValueError(f"it holds the function {module}.{name}, which is gone; define it again")
        return found


def _found(module: str, name: str) -> Any:
    """Return what a dotted name in a module means now, None if nothing."""
    found: Any = sys.modules.get(module)
    if found is None:
        try:
            found = import_module(module)
        except ModuleNotFoundError:
            return None
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _fill(value: Any, state: tuple[dict[str, Any], list[Any] | None, list[tuple[Any, Any]] | None]) -> None:
    """Give an object its items, its pairs and its fields."""
    fields, items, pairs = state
    if items is not None:
        (list if isinstance(value, list) else deque).extend(value, items)
    for key, each in pairs or ():
        dict.__setitem__(value, key, each)
    fields = {name: each for name, each in fields.items() if name not in getattr(type(value), "_fields", ())}
    if fields or fields_of(value):
        put_fields(value, fields)


def _member(cls: Any, name: str | tuple[str, ...], value: Any) -> Any:
    """Return the member, or the flag; what stands for it if the enum has it no more."""
    if issubclass(cls, enum.Enum):
        try:
            if isinstance(name, str):
                return cls[name]
            found: Any = cls(0)
            for each in name:
                found |= cls[each]
            return found
        except (KeyError, ValueError):
            shape = shape_of(cls)
            stored = cls.__module__, cls.__qualname__, shape.digest, shape.fields
            cls = type(
                cls.__name__, (Gone,), {"__module__": stored[0], "__qualname__": stored[1], "__stored__": stored}
            )
    found = object.__new__(cls)
    found.name, found.value = name, value
    cls.__is_member__ = True
    return found
