"""The search for the objects that refer to functions of older versions, after a load has answered.

To ask the interpreter for all referrers stops everybody: 34 ms for a million objects. So the search goes from what is
named, modules, processes, tasks and frames, through what those refer to, in slices of half a millisecond between which
all others run, and ends when all references are found that were counted.

Law: it keeps no function of an old version alive, and runs no code of anybody's objects.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import itertools
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from types import FrameType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from midflight.code.report.held import Holder
from midflight.code.source.look import is_class
from midflight.code.version.in_place import WEAKLY_HELD
from midflight.collection import stacks_of_threads
from midflight.kernel import Process, is_kernel_frame, schedulers

__all__ = ["NOTHING", "WHERE_ELSE", "After", "Found", "Search", "Wanted"]

SLICE_SECONDS = 0.0005
PAUSE_SECONDS = 0.001
MOST_OBJECTS = 3_000_000
WHERE_ELSE = (
    "atexit, or a library in C" if sys.version_info >= (3, 13) else "atexit, a function that runs, or a library in C"
)
PART = 500  # elements of a long container that are looked at together

PLAIN = frozenset({dict, list, tuple, set, frozenset})


_MRO = type.__dict__["__mro__"].__get__

# Before 3.13, to ask for the locals of a frame copies them one by one. What that frees may let the frame's own thread
# run on, and the frame end meanwhile: then memory is read that is no longer its own.
CAN_READ_LOCALS = sys.version_info >= (3, 13)
WHERE_ELSE = "atexit, or a library in C" if CAN_READ_LOCALS else "atexit, a function that runs, or a library in C"


class Wanted(NamedTuple):
    """A function, or the code of closures, whose holders are wanted: its name, version, and how many there are."""

    value: weakref.ref[Any]
    name: str
    version: int
    references: int


class After(NamedTuple):
    """The types of objects that are collected on the way, and a function that is called with those when all is found.

    It yields objects with what it has done to each.
    """

    types: tuple[type, ...]
    finish: Callable[[list[Any]], Iterable[tuple[object, str]]]


NOTHING = After((), lambda _: ())


class Found(NamedTuple):
    """A reference to a function, in `container`; `owner` is the nearest object that is not a list, dict or the like."""

    function: Any
    container: Any
    owner: Any


class _Item(NamedTuple):
    """An object to look into; `root` says how it is reached, `owner` is the nearest object that is not a container."""

    value: Any
    root: str
    owner: Any


# Modules are roots by their names. To ask for the referents of `_asyncio` itself does not end (CPython 3.12: it walks
# a list of free objects, which grows by that). The others are those of a search.
NOT_ENTERED = (ModuleType, _Item, Wanted)


class Search:
    """One search. `own` are the identities of the objects of old versions: those are not looked into.

    `renew` is called with each reference that is found, and says what it has done to it, "" for nothing. Objects of
    `types` that are met on the way are given to `finish`, which yields holders with what it has done to them.
    """

    def __init__(
        self, wanted: Sequence[Wanted], own: Iterable[int], renew: Callable[[Found], str], after: After
    ) -> None:
        self._wanted = list(wanted)
        self._renew = renew
        self._seen: set[int] = set(own)
        self._left = {id(each): each.references for each in self._wanted}
        self._by_id: dict[int, Wanted] = {}
        self._codes: dict[int, Wanted] = {}
        for each in self._wanted:
            value = each.value()
            if type(value) is FunctionType:
                self._by_id[id(value)] = each
            elif value is not None:
                self._codes[id(value)] = each
            del value
        self._after = after
        self._is_met: dict[type, bool] = {}  # by type: is an object of it given to `finish`?
        self._met: list[Any] = []
        self._holders: list[tuple[Holder, Any]] = []  # each with its owner
        self._is_whole = True
        self._is_given_up = False

    def give_up(self) -> None:
        """Have the search end soon, with what it has found. From any thread."""
        self._is_given_up = True

    def run(self, *, pauses: bool = True) -> list[Holder]:
        """Search, and return the holders: in the thread that calls, which pauses after each slice."""
        steps = self._steps()
        while True:
            end = time.perf_counter() + SLICE_SECONDS
            for _ in steps:
                if time.perf_counter() > end:
                    break
            else:
                break
            if self._is_given_up:
                self._is_whole = False
                break
            if pauses:
                time.sleep(PAUSE_SECONDS)
        done = {id(owner): text for owner, text in self._after.finish(self._met)} if self._met else {}
        holders = [
            replace(holder, renewed=done[id(owner)]) if id(owner) in done else holder for holder, owner in self._holders
        ]
        owners = {id(owner) for _, owner in self._holders}
        others = [Holder("", 0, text, text) for key, text in done.items() if key not in owners]
        self._holders, self._met, self._after = [], [], NOTHING  # which keep the version before
        return [*holders, *others, *self._hidden()]

    def _hidden(self) -> Iterator[Holder]:
        """Yield a holder for each function of which not all references were found."""
        for each in self._wanted:
            left = self._left[id(each)]
            if left > 0 and each.value() is not None:
                where = WHERE_ELSE if self._is_whole else "not all objects were looked at"
                yield Holder(each.name, each.version, f"{left} that Python does not show ({where})")

    def _steps(self) -> Iterator[None]:
        """Look at one root after the other and at its referents; yield often."""
        self._seen |= {id(self), id(self.__dict__), id(self._by_id), id(self._codes), id(self._wanted)}
        self._seen |= {id(vars(module)) for module in list(sys.modules.values()) if type(module) is ModuleType}
        for name, value in self._roots():
            if not any(self._left.values()):
                return
            self._note(value)
            if gc.is_tracked(value) and not issubclass(type(value), NOT_ENTERED):
                yield from self._walk(_Item(value, name, None))
            if len(self._seen) >= MOST_OBJECTS:
                self._is_whole = False
                return

    def _walk(self, root: _Item) -> Iterator[None]:
        if self._meet(root, None):
            return
        level = [root]
        while level and len(self._seen) < MOST_OBJECTS:
            following: list[_Item] = []
            own = {id(level), id(following)}  # it may come to them by the frames of its own thread
            self._seen |= own
            for item in level:
                for part in _parts(item.value):
                    for each in part:
                        self._look(each, item, following)
                    yield
            self._seen -= own
            level = following

    def _look(self, value: Any, item: _Item, following: list[_Item]) -> None:
        if not gc.is_tracked(value) or issubclass(type(value), NOT_ENTERED):
            return
        owner = item.owner if type(item.value) in PLAIN else item.value
        child = _Item(value, item.root, owner)
        self._note(value)
        if self._meet(child, item.value) or id(value) in self._seen:
            return
        self._seen.add(id(value))
        following.append(child)

    def _note(self, value: Any) -> None:
        """Collect a value of one of `types`, when it is met for the first time."""
        if not self._after.types or id(value) in self._seen:
            return
        kind = type(value)
        is_met = self._is_met.get(kind)
        if is_met is None:  # `issubclass` would run the code of a metaclass, abc's for one
            is_met = self._is_met[kind] = any(each in self._after.types for each in _MRO(kind))
        if is_met:
            self._met.append(value)

    def _meet(self, item: _Item, container: Any) -> bool:
        """Take note of a reference to a function that is wanted; say whether it is one."""
        if type(item.value) is not FunctionType:
            return False
        wanted = self._by_id.get(id(item.value)) or self._codes.get(id(item.value.__code__))
        if wanted is None or wanted.value() not in (item.value, item.value.__code__):
            return False
        self._left[id(wanted)] -= 1
        renewed = self._renew(Found(item.value, container, item.owner))
        self._holders.append((Holder(wanted.name, wanted.version, _place(item), renewed), item.owner))
        return True

    def _roots(self) -> Iterator[tuple[str, Any]]:
        """Yield objects with names for people: modules of the program first, Python's own last."""
        modules = [(name, module) for name, module in list(sys.modules.items()) if type(module) is ModuleType]
        own = [each for each in modules if not _is_library(each[1])]
        yield from _names_in(own)
        for scheduler in schedulers():
            for process in list(scheduler.processes.values()):
                name = f" ({process.name})" if process.name else ""
                yield f"process {process.pid!r}{name}", process
            loop = scheduler.loop
            if isinstance(loop, asyncio.AbstractEventLoop):
                tasks: list[Any] = list(asyncio.all_tasks(loop))
                for task in tasks:
                    if not isinstance(task, Process):
                        yield f"asyncio task {task.get_name()!r}", task
            yield "the event loop", loop
        for number in signal.valid_signals():
            handler = signal.getsignal(number)
            if callable(handler):
                yield f"the handler of {signal.Signals(number).name}", handler
        if CAN_READ_LOCALS:
            for thread, stack in stacks_of_threads().items():
                if thread != threading.get_ident():
                    yield from _frames(thread, stack)
        libraries = [each for each in modules if _is_library(each[1])]
        yield from _names_in(libraries)


def _names_in(modules: Iterable[tuple[str, ModuleType]]) -> Iterator[tuple[str, Any]]:
    for module, value in modules:
        for name, each in list(vars(value).items()):
            if name == WEAKLY_HELD:
                yield "a weak reference of others", each
            elif isinstance(name, str) and not name.startswith("__midflight"):
                yield f"{module}.{name}", each


def _frames(thread: int, stack: list[FrameType]) -> Iterator[tuple[str, Any]]:
    for frame in stack:
        place = f"{frame.f_code.co_qualname}:{frame.f_lineno}"
        if not is_kernel_frame(frame) and frame.f_code.co_flags & inspect.CO_OPTIMIZED:  # else its names are a module's
            for name, value in list(frame.f_locals.items()):
                yield f"thread {thread}, at {place}, as {name}", value


def _is_library(module: ModuleType) -> bool:
    file = vars(module).get("__file__")
    return not isinstance(file, str) or file.startswith((sys.prefix, sys.base_prefix)) or "site-packages" in file


def _parts(value: Any) -> Iterator[Sequence[Any]]:
    """Yield the referents of an object; those of a long container in parts."""
    kind = type(value)
    if kind in PLAIN and len(value) > PART:
        elements = itertools.chain(value.keys(), value.values()) if kind is dict else iter(value)
        for _ in range(0, 2 * len(value), PART):  # not without end, if it grows meanwhile
            try:
                part = list(itertools.islice(elements, PART))
            except RuntimeError:  # somebody has changed it: the rest is not looked at
                return
            if not part:
                return
            yield part
    else:
        yield gc.get_referents(value)


def _place(item: _Item) -> str:
    """Say where a reference is: the root, and the kind of object that has it."""
    kind = type(item.owner)
    if item.owner is None or kind is FunctionType:
        return item.root
    if kind is MethodType:
        return f"{item.root}, as a bound method"
    if is_class(item.owner):
        return f"{item.root}, in class {item.owner.__qualname__}"
    return f"{item.root}, in an object of {kind.__qualname__}"
