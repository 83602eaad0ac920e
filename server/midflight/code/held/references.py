"""The functions of an old version that something outside of it refers to, counted by their references.

The interpreter counts the references of every object. From those of a function the ones are taken away that come from
the version itself: its namespace, its classes, its closures, its own containers. What is left comes from elsewhere: a
router, a signal, another module. So the cost is that of the module, however much else there is in memory.

Law: an object is outside if something refers to it that is not inside. So a function in a list of the module's own, or
one that another module's decorator has wrapped, is held if somebody else has the list or the wrapper.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import CellType, CodeType, FrameType, FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any, NamedTuple

from midflight.code.census.bystanders import FrameCounts
from midflight.code.report.held import Held, StaleSubclass
from midflight.code.version.facade import Namespace
from midflight.code.version.hooks import LOAD_HOOKS, UNLOAD_HOOKS
from midflight.code.version.in_place import FORWARDED
from midflight.code.version.modules import Module
from midflight.code.version.version import Version
from midflight.collection import all_referrers

__all__ = [
    "OldVersion",
    "Reads",
    "Reference",
    "VersionObjects",
    "nested_codes",
    "old_versions",
    "stale_subclasses",
    "versions_alive",
    "versions_held",
]

# In a namespace: its definitions when nobody held any, and how many references each had.
NOTHING_HELD = "__midflight_nothing_held__"

MOST_VERSIONS = 5  # older ones that are looked at, newest first
MOST_ELEMENTS = 1000  # of a container that is looked into; what a longer one holds counts as held
MOST_OBJECTS = 20_000  # of a version
MOST_OTHERS = 2_000  # that it refers to; what is further away counts as held elsewhere

SHARED = frozenset({dict, list, tuple, set, frozenset, functools.partial})  # an object of such a type may be another's

CONTAINERS = SHARED | frozenset(
    {
        *(staticmethod, classmethod, property, CellType),
        *(GetSetDescriptorType, MemberDescriptorType, functools.cached_property, functools._lru_cache_wrapper),
    }
)


class Reference(NamedTuple):
    """A function of an old version, or the code of its closures, and how many references come from elsewhere."""

    value: Any
    references: int


class VersionObjects:
    """The objects that belong to a version, with the references to them from elsewhere.

    `new` is the current namespace, whose objects do not count as the old one's. `frames` says how many frames run each
    code: those refer to their function, too. `is_referred_to` says, after `held`, whether something else has one of its
    functions or classes.
    """

    def __init__(self, namespace: Namespace, new: Namespace, frames: FrameCounts) -> None:
        self.namespace = namespace
        self._frames = frames
        self._kept = {id(value) for value in new.values()}
        self._inside: dict[int, Any] = {id(namespace): namespace}  # by identity
        self._others: dict[int, Any] = {}  # objects of others that the version refers to
        self._outer_classes: list[Any] = []
        self.is_referred_to = True
        self._collect()

    def ids(self) -> frozenset[int]:
        """Return the identities of the objects."""
        return frozenset(self._inside)

    def functions(self) -> list[FunctionType]:
        """Return the functions."""
        return [each for each in self._inside.values() if type(each) is FunctionType]

    def definitions(self) -> list[Any]:
        """Return the functions and classes."""
        return [each for each in self._inside.values() if type(each) is FunctionType or issubclass(type(each), type)]

    def held(self) -> list[Reference]:
        """Return the functions that are referred to from elsewhere, in the order of the text."""
        outer = self._references_from_elsewhere()
        self._outer_classes = [each for key in outer if issubclass(type(each := self._inside.get(key)), type)]
        self.is_referred_to = any(type(self._inside.get(key)) is FunctionType for key in outer) or bool(
            self._outer_classes
        )
        held = Counter[int]()
        for each in self.functions():
            if (count := outer.get(id(each), 0) - self._frames.get(each.__code__)) > 0:
                held[id(each)] += count
        seen = {id(self.namespace)}
        for key in outer:
            if key in self._others or type(self._inside[key]) in SHARED:
                held.update(self._functions_in(self._others.get(key, self._inside.get(key)), seen))
        if suspects := self._may_be_in_left_frames(held):
            held -= _from_left_frames(suspects)
        found = [Reference(self._inside[key], count) for key, count in held.items()]
        return sorted(found, key=lambda each: each.value.__code__.co_firstlineno)

    def is_any_referred_to(self, keys: Iterable[int]) -> bool:
        """Say whether anything else may refer to an object of the version, or that it refers to, by identities."""
        outer = self._references_from_elsewhere()
        return any(key in outer or not (key in self._inside or key in self._others) for key in keys)

    def codes(self) -> list[CodeType]:
        """Return the code of all functions, with those inside them."""
        functions = self.functions()
        return [code for each in functions for code in (each.__code__, *nested_codes(each.__code__))]

    def old_methods(self) -> list[FunctionType]:
        """Return the methods of those classes that something else refers to, their objects say. After `held`."""
        methods = []
        for cls in self._outer_classes:
            for value in dict_of_class(cls).values():
                found = getattr(value, "__func__", value) if type(value) in (staticmethod, classmethod) else value
                methods += [found] if type(found) is FunctionType and found.__globals__ is self.namespace else []
        return methods

    def _may_be_in_left_frames(self, held: Iterable[int]) -> list[FunctionType]:
        """Return those of the functions whose code more refers to than functions do: a frame may, live or over."""
        functions = self.functions()
        codes = list({id(each.__code__): each.__code__ for each in functions}.values())
        counts = list(map(sys.getrefcount, codes))
        known = Counter(id(each.__code__) for each in functions)
        known.update(id(nested) for code in codes for nested in nested_codes(code))
        base = _base()
        more = {id(code) for code, count in zip(codes, counts, strict=True) if count - base > known[id(code)]}
        wanted = set(held)
        return [each for each in functions if id(each) in wanted and id(each.__code__) in more]

    def closures(self) -> list[Reference]:
        """Return the code of each function inside a function of which there are closures elsewhere.

        One that a name of the module means is not counted, as that of a decorator in the module.
        """
        functions = self.functions()
        known = Counter(id(each.__code__) for each in functions)
        codes = list({id(code): code for each in functions for code in nested_codes(each.__code__)}.values())
        counts = list(map(sys.getrefcount, codes))
        base = _base() + 1  # the function around it has it
        alive = [
            Reference(code, count - base - known[id(code)] - self._frames.get(code))
            for code, count in zip(codes, counts, strict=True)
        ]
        return [each for each in alive if each.references > 0]

    def _collect(self) -> None:
        """Find the objects of the version, and those of others that it refers to, which may be its alone."""
        forwarded = list(self.namespace.get(FORWARDED, ()))
        self._inside.update((id(each), each) for each in forwarded)
        own = (LOAD_HOOKS, UNLOAD_HOOKS)
        named = [value for name, value in list(self.namespace.items()) if not name.startswith("__") or name in own]
        level: list[Any] = [named, *forwarded]
        del forwarded, named
        known = self._inside.keys() | self._kept
        while level and len(self._inside) < MOST_OBJECTS:
            found = {id(each): each for each in filter(gc.is_tracked, gc.get_referents(*level))}  # most of them often
            level = []
            for key, each in found.items():
                if key in known:
                    continue
                if self._belongs(each):
                    self._inside[key] = each
                    level.append(each)
                elif len(self._others) < MOST_OTHERS and _may_be_its_alone(each):
                    self._others[key] = each
                    level.append(each)
            known |= found.keys()

    def _belongs(self, value: Any) -> bool:
        kind = type(value)
        if kind is FunctionType:
            return value.__globals__ is self.namespace
        if kind is dict:
            return len(value) <= MOST_ELEMENTS and not _is_namespace(value)
        if kind in CONTAINERS:
            return kind not in SHARED or kind is functools.partial or len(value) <= MOST_ELEMENTS
        return issubclass(kind, type) and dict_of_class(value).get("__module__") == self.namespace["__name__"]

    def _references_from_elsewhere(self) -> dict[int, int]:
        """Return how many references each object has that come from none of them, where there are any."""
        objects = [*self._inside.values(), *self._others.values()]
        referents = Counter(map(id, gc.get_referents(*objects)))
        counts = list(map(sys.getrefcount, objects))
        base = _base() + 1  # a mapping has each of them too
        return {
            id(each): count - base - referents[id(each)]
            for each, count in zip(objects, counts, strict=True)
            if count - base > referents[id(each)] and each is not self.namespace
        }

    def _functions_in(self, holder: Any, seen: set[int]) -> Iterator[int]:
        """Yield the identity of each function that an object of somebody else refers to, once for each reference."""
        if id(holder) in seen:
            return
        seen.add(id(holder))
        waiting: list[Any] = [holder]
        for each in waiting:  # grows as it goes
            for value in gc.get_referents(each):
                key = id(value)
                if key in self._others or (key in self._inside and type(value) in CONTAINERS):
                    if key not in seen:
                        seen.add(key)
                        waiting.append(value)
                elif key in self._inside and type(value) is FunctionType:
                    yield key


def _from_left_frames(functions: list[Any]) -> Counter[int]:
    """Return how many references each function has from frames that are over, which nobody runs again.

    A traceback keeps them: that of a crash, say, in a shell's history. This is the only step whose time grows with the
    program: the interpreter does not know the frames of a function. So it is only asked of functions whose code has
    more references than theirs.
    """
    found = Counter[int]()
    wanted = set(map(id, functions))
    for each in all_referrers(*functions):
        if type(each) is FrameType:
            found.update(key for key in map(id, gc.get_referents(each)) if key in wanted)
    return found


def _may_be_its_alone(value: Any) -> bool:
    """Say whether an object that is not of the version is looked into: an application, say, or a wrapper."""
    kind = type(value)
    if kind is dict:
        return len(value) <= MOST_ELEMENTS and not _is_namespace(value)
    if kind in SHARED and kind is not functools.partial:
        return len(value) <= MOST_ELEMENTS
    return not issubclass(kind, (type, ModuleType, FrameType))


def _is_namespace(value: dict[Any, Any]) -> bool:
    """Say whether a dictionary is that of a module: a function refers to the one of its own, and to the builtins."""
    return "__name__" in value and "__spec__" in value


def nested_codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of the functions that are defined inside a function, at any depth."""
    for const in code.co_consts:
        if type(const) is CodeType:
            if not const.co_name.startswith("<") or const.co_name == "<lambda>":
                yield const
            yield from nested_codes(const)


def dict_of_class(cls: type[Any]) -> Mapping[str, Any]:
    """Return the attributes of a class itself, past its metaclass."""
    found: Mapping[str, Any] = type.__dict__["__dict__"].__get__(cls)
    return found


def _base() -> int:
    """Return the count of references that `map(sys.getrefcount, [...])` gives for an object that only that list has."""
    return next(map(sys.getrefcount, [object()]))


class OldVersion(NamedTuple):
    """An older version, and the functions and closures of it that others hold. Not to be kept: it keeps the version."""

    version: Version
    objects: VersionObjects
    functions: list[Reference]
    closures: list[Reference]

    def held(self) -> Iterator[Held]:
        """Yield the held objects, as reports have them."""
        number = self.version.number
        for function, count in self.functions:
            yield Held(function.__qualname__, number, count)
        for code, count in self.closures:
            yield Held(code.co_qualname, number, count, is_closure=True)


def versions_alive(record: Module, new: Namespace) -> list[tuple[Version, Namespace]]:
    """Return the older versions of a module of which somebody may have something, newest first, each by its namespace.

    One that only waits for the garbage collector is left out, once `versions_held` has found it to be so. It can come
    back by a weak reference, and then one of its definitions has more references.
    """
    found = []
    for _, version in sorted(record.versions.items(), reverse=True):
        if version is record.current or (namespace := version.namespace) is None or namespace is new:
            continue
        definitions, counts = namespace.get(NOTHING_HELD, ((), None))
        if list(map(sys.getrefcount, definitions)) != counts:
            namespace.pop(NOTHING_HELD, None)
            found.append((version, namespace))
    return found


def old_versions(record: Module, new: Namespace, frames: FrameCounts) -> Iterator[OldVersion]:
    """Yield the older versions of a module that something keeps, newest first."""
    for version, namespace in versions_alive(record, new)[:MOST_VERSIONS]:
        objects = VersionObjects(namespace, new, frames)
        yield OldVersion(version, objects, objects.held(), objects.closures())


def versions_held(record: Module, new: Namespace, frames: FrameCounts) -> Iterator[OldVersion]:
    """Yield those older versions of a module of which somebody may hold something, newest first.

    One of which nobody does is marked: it is not looked at again while nothing is found to refer to it.
    """
    for old in old_versions(record, new, frames):
        yield old
        if not old.functions and not old.closures and not old.objects.is_referred_to:
            definitions = old.objects.definitions()
            counts = [count - 1 for count in map(sys.getrefcount, definitions)]  # `objects` has each of them till then
            old.objects.namespace[NOTHING_HELD] = definitions, counts


class Reads:
    """The functions of a version that its code reads by their names."""

    def __init__(self, old: OldVersion) -> None:
        self._namespace = old.objects.namespace
        self._seen: set[int] = set()
        self._codes = {
            id(code)
            for function in old.objects.functions()
            for code in (function.__code__, *nested_codes(function.__code__))
        }

    def is_of_version(self, code: CodeType) -> bool:
        """Say whether a code is that of a function of the version."""
        return id(code) in self._codes

    def of(self, code: CodeType) -> Iterator[FunctionType]:
        """Yield the functions that a code, or one inside it, may call by a name of the module."""
        for each in (code, *nested_codes(code)):
            for name in each.co_names:
                value = self._namespace.get(name)
                if type(value) is FunctionType:
                    yield value

    def seen(self, function: FunctionType) -> bool:
        """Say whether this was asked of the function before."""
        known = id(function) in self._seen
        self._seen.add(id(function))
        return known

    def names_from(self, codes: Iterable[CodeType]) -> set[str]:
        """Return the names that these read, and the functions of the version that they read, and so on."""
        waiting = list(codes)
        seen: set[int] = set()
        found: set[str] = set()
        for code in waiting:  # grows as it goes
            for each in (code, *nested_codes(code)):
                found.update(each.co_names)
            for function in self.of(code):
                if id(function) not in seen:
                    seen.add(id(function))
                    waiting.append(function.__code__)
        return found


def stale_subclasses(old: Namespace, new: Namespace) -> Iterator[StaleSubclass]:
    """Yield the classes of other modules that inherit from a class of `old` that `new` does not have any more."""
    module = old.get("__name__")
    for name, cls in list(old.items()):
        if not issubclass(type(cls), type) or dict_of_class(cls).get("__module__") != module or new.get(name) is cls:
            continue
        for each in type.__subclasses__(cls):
            where = dict_of_class(each).get("__module__")
            if isinstance(where, str) and where != module and _is_meant(where, each):
                yield StaleSubclass(where, type.__dict__["__qualname__"].__get__(each), name)


def _is_meant(module: str, cls: type) -> bool:
    """Say whether a module has the class now: else it belongs to an older version of that one."""
    found = sys.modules.get(module)
    return found is not None and any(value is cls for value in list(vars(found).values()))
