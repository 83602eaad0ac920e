"""Look at live objects without running any of their code: no property, no `__getattr__`, no `__repr__`.

Laws:
1. What an object has is read from its own dictionary and from those of its classes, by the interpreter's own
   descriptors, past whatever its class puts in their place. `isinstance` is not used on what is looked at: it asks the
   object for its `__class__`.
2. Of descriptors, slots and those of the interpreter's own types (`cr_frame`, `__code__`) are read: C code that only
   looks. A property stays a property; what it would give is known by its annotation, if at all.
3. Any thread may look, while processes run: dictionaries are copied before they are walked.
"""

from __future__ import annotations

import builtins
import functools
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, Final

from midflight.code.lowlevel import annotations_of, names_around
from midflight.kernel import Pid, Ref, in_python

__all__ = [
    "ABSENT",
    "Found",
    "Instance",
    "annotated",
    "bases_of",
    "class_name",
    "code_of",
    "find_member",
    "is_a",
    "is_there",
    "item_of",
    "kind_of",
    "members_of",
    "own_names",
    "returned",
    "short_text",
    "unwrapped",
    "version_number",
]

BUILTIN_CALLABLES = (
    BuiltinFunctionType,
    MethodDescriptorType,
    WrapperDescriptorType,
    MethodWrapperType,
    ClassMethodDescriptorType,
)
ABSENT: Final = object()

_SIMPLE = (int, float, complex, bool, str, bytes, type(None), type(Ellipsis), Pid, Ref)
_TEXT_CHARACTERS = 60
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made while the program runs, not built into the interpreter
_WRAPPERS = 50

_mro = type.__dict__["__mro__"].__get__
_class_dict = type.__dict__["__dict__"].__get__
_name = type.__dict__["__name__"].__get__
_qualname = type.__dict__["__qualname__"].__get__


@dataclass(frozen=True, slots=True)
class Instance:
    """Stands for an object that is not there: all that is known of it is its class."""

    cls: type


@dataclass(frozen=True, slots=True)
class Found:
    """The value of a name or an expression. A function that `is_bound` gets its first argument from its owner."""

    value: Any
    is_bound: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", in_python(self.value))  # `receive` and others are in C on the compiled kernel


def is_there(found: Found) -> bool:
    """Say whether what is found is the thing itself: no stand-in, and nothing that its owner would make of it."""
    is_made = found.is_bound or type(found.value) in (property, functools.cached_property)
    return not is_made and type(found.value) is not Instance


def is_a(value: object, *classes: type) -> bool:
    """Say whether the type of `value` is one of `classes` or made from one; the object is not asked."""
    return any(each in classes for each in bases_of(type(value)))


def bases_of(cls: type) -> tuple[type, ...]:
    """Return `cls` and the classes that it inherits from, in the order in which attributes are looked for."""
    found: tuple[type, ...] = _mro(cls)
    return found


def class_name(cls: type, *, is_qualified: bool = False) -> str:
    """Return the name of `cls`, with the names of the classes around it if it `is_qualified`."""
    return str(_qualname(cls) if is_qualified else _name(cls))


def own_names(value: object) -> Mapping[str, Any]:
    """Return a copy of the dictionary of an object, a class or a module; an empty one if it has none."""
    if is_a(value, type):
        return dict(_class_dict(value))
    descriptor = _in_classes(type(value), "__dict__")
    if type(descriptor) not in (GetSetDescriptorType, MemberDescriptorType):
        return {}  # it has none, or its class puts code in its place
    found = descriptor.__get__(value)
    return {key: each for key, each in dict.items(found) if type(key) is str} if is_a(found, dict) else {}


def _in_classes(cls: type, name: str) -> Any:
    for each in bases_of(cls):
        names = _class_dict(each)
        if name in names:
            return names[name]
    return ABSENT


def find_member(owner: object, name: str) -> Found | None:
    """Find `owner.name`, as far as that can be known without running code; None if it is not there."""
    if type(owner) is Instance:
        return _of_class(owner.cls, name, owner)
    if is_a(owner, type):
        found = _in_classes(owner, name)  # type: ignore[arg-type]  # is_a says that it is a class
        if found is not ABSENT:
            return _on_class(found)
        return _of_class(type(owner), name, owner)
    on_class = _in_classes(type(owner), name)
    if type(on_class) in (GetSetDescriptorType, MemberDescriptorType, property):
        return _of_class(type(owner), name, owner)  # such go before the object's own names
    own = own_names(owner)
    return Found(own[name]) if name in own else _of_class(type(owner), name, owner)


def _on_class(found: Any) -> Found:
    """Return an entry of a class's dictionary as a read from the class would give it."""
    if type(found) is staticmethod:
        return Found(found.__func__)
    if type(found) is classmethod:
        return Found(found.__func__, is_bound=True)
    return Found(found)


def _of_class(cls: type, name: str, owner: object) -> Found | None:
    """Return the class's attribute `name`, as `owner`, an object of `cls`, would give it."""
    found = _in_classes(cls, name)
    if found is ABSENT:
        return None
    if type(found) in (FunctionType, property, functools.cached_property, *BUILTIN_CALLABLES):
        return Found(found, is_bound=True)
    if type(found) in (GetSetDescriptorType, MemberDescriptorType) and type(owner) is not Instance:
        return _read(found, owner)
    return _on_class(found)


def _read(descriptor: Any, owner: object) -> Found | None:
    """Return the value of a descriptor written in C for `owner`; itself, if its type is not the interpreter's own."""
    is_known = type(descriptor) is MemberDescriptorType or not descriptor.__objclass__.__flags__ & _HEAP_TYPE
    if not is_known and descriptor.__name__ != "__dict__":
        return Found(descriptor)
    if descriptor.__name__ == "__annotations__":  # from 3.14 on to read them is to run them
        return Found(Instance(dict))
    try:
        return Found(descriptor.__get__(owner))
    except (AttributeError, ValueError, TypeError, RuntimeError):  # a slot that is not set, a frame that is gone
        return None


def members_of(owner: object) -> dict[str, None]:
    """Return the names of the members of `owner`, its own before those of its classes, each once."""
    cls = owner.cls if type(owner) is Instance else type(owner)
    found: dict[str, None] = {}
    if is_a(owner, type):
        cls = owner  # type: ignore[assignment]  # is_a says that it is a class
    elif type(owner) is not Instance:
        found |= dict.fromkeys(own_names(owner))
        if is_a(owner, ModuleType):
            return found
    for each in bases_of(cls):
        found |= dict.fromkeys(name for name in dict(_class_dict(each)) if type(name) is str)
    return found


def item_of(owner: object, key: object) -> Found | None:
    """Return `owner[key]` of a list, tuple, dict or deque; None of any other object, whose code would have to run."""
    if type(owner) not in (list, tuple, dict, deque) or type(key) not in (int, str, bool, type(None), float):
        return None
    try:
        return Found(owner[key])  # type: ignore[index]  # one of the four
    except (LookupError, TypeError):
        return None


def unwrapped(value: Any) -> Any:
    """Return the function behind decorators with a `__wrapped__`, bound methods and partials."""
    for _ in range(_WRAPPERS):
        if type(value) is FunctionType and type(value.__dict__.get("__wrapped__")) is FunctionType:
            value = value.__dict__["__wrapped__"]
        elif type(value) is MethodType:
            value = value.__func__
        elif type(value) is functools.partial:
            value = value.func
        elif type(value) is property and value.fget is not None:
            value = value.fget
        elif type(value) is functools.cached_property:
            value = value.func
        else:
            break
    return value


def code_of(value: Any) -> CodeType | None:
    """Return the code of a function, however it is wrapped; None if it has none in Python."""
    function = unwrapped(value)
    return function.__code__ if type(function) is FunctionType else None


def returned(value: Any) -> Found | None:
    """Return a stand-in for the result of a call of `value`, or of a read of a property, by its annotation."""
    if is_a(value, type):
        return Found(Instance(value))
    function = unwrapped(value)
    if type(function) is not FunctionType or function.__code__.co_flags & 0x80:  # a coroutine is not a result yet
        return None
    return annotated(function, "return")


def annotated(function: FunctionType, name: str) -> Found | None:
    """Return an object of the class that a parameter of `function` is annotated with, or its result, "return".

    None if that is not a class, or is the class of None.
    """
    annotation: Any = annotations_of(function).get(name)
    if type(annotation) is str:
        annotation = _meant(function, annotation)
    return Found(Instance(annotation)) if is_a(annotation, type) and annotation is not type(None) else None


def _meant(function: FunctionType, annotation: str) -> Any:
    """Return the object that a dotted name in an annotation of `function` means; None if that is unknown."""
    first, *rest = annotation.split(".")
    annotate: Any = getattr(function, "__annotate__", None)  # from 3.14 on
    around = names_around(annotate) if type(annotate) is FunctionType else {}
    # "__classdict__" has the names of the class that it is a method of.
    scopes = (around, around.get("__classdict__", {}), function.__globals__, vars(builtins))
    found = next((Found(names[first]) for names in scopes if first in names), None)
    for name in rest:
        found = None if found is None else find_member(found.value, name)
    return None if found is None else found.value


def version_number(value: Any) -> int | None:
    """Return the number of the version that a function, a class or a module is of; None if it has no versions."""
    function = unwrapped(value)
    if type(function) is FunctionType:
        names: Mapping[str, Any] = function.__globals__
    elif is_a(value, ModuleType):
        names = own_names(value)
    elif is_a(value, type):
        methods = (unwrapped(_on_class(each).value) for each in own_names(value).values())
        names = next((each.__globals__ for each in methods if type(each) is FunctionType), {})
    else:
        names = {}
    number = names.get("__midflight_version__")
    return number if type(number) is int else None


def kind_of(found: Found) -> str:
    """Return the kind of a value in a word or two: "module", "class", "async function", "property", "int"."""
    value = found.value
    if type(value) is Instance:
        return class_name(value.cls)
    if is_a(value, ModuleType):
        return "module"
    if is_a(value, type):
        return "class"
    if type(value) in (property, functools.cached_property):
        return "property"
    if type(value) is FunctionType:
        word = "method" if found.is_bound else "function"
        return f"async {word}" if value.__code__.co_flags & 0x280 else word  # a coroutine, or an async generator
    if type(value) is MethodType:
        return "method"
    if type(value) in BUILTIN_CALLABLES:
        return "builtin"
    return class_name(type(value))


def short_text(value: object) -> str:
    """Return a few characters that show `value`: a number, a string or a pid as Python prints it, else its class."""
    if type(value) in _SIMPLE:
        if type(value) is int and value.bit_length() > 4096:  # its digits would take long
            return f"an int of {value.bit_length()} bits"
        text = repr(value[:_TEXT_CHARACTERS] if type(value) in (str, bytes) else value)  # type: ignore[index]
        return text if len(text) <= _TEXT_CHARACTERS else text[: _TEXT_CHARACTERS - 3] + "..."
    if type(value) in (list, tuple, dict, set, frozenset, deque):
        return f"{class_name(type(value))} of {len(value)}"  # type: ignore[arg-type]  # they have a length
    if is_a(value, type):
        return class_name(value)  # type: ignore[arg-type]  # is_a says that it is a class
    return f"<{class_name(type(value))}>"
