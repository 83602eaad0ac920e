"""The keepers of an old version in memory, in words: processes, held functions and objects, imports.

Nobody keeps books on who holds what, so the garbage collector is asked: from the functions of the version outwards,
who refers to them, who to those, until something is met that people know by a name (a module, a process, a task).
Each of those questions looks at every object there is, and no process runs meanwhile; nor does one while the garbage is
collected first. Together it takes 0.1 s where there are 100,000 objects, 0.5 s where there are a million. It is for a
person who wonders, never for a program to poll.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import (
    AsyncGeneratorType,
    CellType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    TracebackType,
)
from typing import Any, Literal, NamedTuple

from midflight.code.census.bystanders import bystanders, forget_typing_caches
from midflight.code.census.census import take_census
from midflight.code.census.version_history import module_name
from midflight.code.report.load_report import Lingering
from midflight.code.source.look import is_class, is_module, module_names
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import all_modules, module_of
from midflight.code.version.version import ANCHOR, Version
from midflight.collection import all_referrers
from midflight.kernel import Pid, Process, schedulers

__all__ = ["Keeper", "WhyAlive", "why_alive"]

DEPTH = 8  # questions: a method, its class, an object, a list of those, the dict of the object that has it, ...
WIDTH = 1000  # objects that one question is about
SHOWN = 50

Kind = Literal["current", "process", "task", "instances", "module", "traceback", "held"]
SUSPENDED = (CoroutineType, GeneratorType, AsyncGeneratorType)


@dataclass(frozen=True, slots=True)
class Keeper:
    """One thing that keeps the version, or several alike: their kind, their number, and the words for them."""

    kind: Kind
    count: int
    text: str


@dataclass(frozen=True, slots=True)
class WhyAlive:
    """The keepers of version `version` of `module` in memory. Without keepers, nothing can run it any more.

    `is_whole` is False if there was more to look at than a look may: then the keepers are some of them.
    """

    module: str
    version: int
    is_current: bool
    is_alive: bool
    keepers: tuple[Keeper, ...]
    is_whole: bool

    def text(self) -> str:
        """Return it as lines for people."""
        title = f"{self.module} version {self.version}"
        if not self.is_alive:
            return f"{title} is gone: nothing can run it any more. Its text is kept.\n"
        if not self.keepers:
            return f"{title} is in memory, but nothing that has a name keeps it.\n"
        more = "" if self.is_whole else "  and more: there was too much to look at\n"
        return f"{title} is kept by\n" + "".join(f"  {each.text}\n" for each in self.keepers) + more


class _Node(NamedTuple):
    """An object that keeps the version, directly or by way of the objects that `path` names: "f in a list"."""

    value: Any
    path: str


def why_alive(path_or_name: str, version: int) -> WhyAlive:
    """Find the processes and objects that keep version `version` of a module in memory.

    Looks at all objects, so it takes its time, during which no process runs. Callable from any thread.
    Raises: UnknownModuleError, UnknownVersionError.
    OTP: nothing like it; there only processes keep old code, and check_process_code tells.

    Example:

        held = shop.sell
        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        code.why_alive("shop", 1).is_alive  # -> True
    """
    module = module_of(module_name(path_or_name))
    found = module.version(version)
    if found is not module.current:  # of the current one nothing else is asked
        forget_typing_caches()
        gc.collect()  # what only waits for the collector is not a keeper
    namespace = found.namespace
    is_current = found is module.current
    if namespace is None or is_current:
        keepers = (Keeper("current", 1, "being current: the module itself runs it"),) if is_current else ()
        return WhyAlive(module.name, found.number, is_current, is_current, keepers, is_whole=True)
    rows = take_census().in_module(module.name, lambda each: each is found)
    look = _Look(found, namespace, {row.pid for row in rows})
    look.go()
    told = [*_processes(rows), *_threads(found), *look.keepers()]
    return WhyAlive(module.name, found.number, False, True, tuple(told[:SHOWN]), look.is_whole and len(told) <= SHOWN)


def _processes(rows: Iterable[Lingering]) -> Iterator[Keeper]:
    """Yield the processes with a frame in the version, or spawned and not begun, those at one place together."""
    places: dict[tuple[str, int, bool], list[Lingering]] = {}
    for row in rows:
        process = row.pid.process
        has_begun = process is None or process.start is None
        places.setdefault((row.function, row.line, has_begun), []).append(row)
    for (function, line, has_begun), group in places.items():
        does = f"runs {function}, at line {line}" if has_begun else f"was spawned to run {function}, and has not begun"
        first = _process(group[0].pid, group[0].name)
        more = f", and {len(group) - 1} more at that place" if len(group) > 1 else ""
        yield Keeper("process", len(group), f"{first}, which {does}{more}")


def _process(pid: Pid, name: str | None) -> str:
    return f"process {pid!r} ({name})" if name else f"process {pid!r}"


def _threads(version: Version) -> Iterator[Keeper]:
    for who, _, function, line in bystanders(lambda each: each is version):
        yield Keeper("task", 1, f"{who}, which runs {function}, at line {line}")


class _Look:
    """One walk from the functions of a version outwards. `go` once, then ask for the keepers."""

    def __init__(self, version: Version, namespace: Namespace, residents: set[Pid]) -> None:
        self._version = version
        self._namespace = namespace
        self._residents = residents
        self._globals = _module_globals()
        self._owners = _owners()
        self._told: Counter[tuple[Kind, str]] = Counter()
        self._instances: Counter[type[Any]] = Counter()
        self._seen: set[int] = {id(namespace), id(namespace.get(ANCHOR))}
        self.is_whole = True

    def go(self) -> None:
        """Walk; each round asks once for the referrers of the objects that the round before has found."""
        level = [_Node(each, each.__qualname__) for each in self._functions()]
        self._seen.update(id(each.value) for each in level)
        for _ in range(DEPTH):
            if not level:
                return
            level = self._outwards(level)
        self.is_whole = self.is_whole and not level

    def _functions(self) -> list[FunctionType]:
        found = [each for each in all_referrers(self._namespace) if type(each) is FunctionType]
        return [each for each in found if each.__globals__ is self._namespace]

    def _outwards(self, level: list[_Node]) -> list[_Node]:
        if len(level) > WIDTH:
            level, self.is_whole = level[:WIDTH], False
        ours = {id(level), *(id(node) for node in level)}
        found: list[_Node] = []
        by_id = {id(node.value): node for node in level}
        values = tuple(node.value for node in level)
        referrers = all_referrers(*values)
        ours |= {id(values), id(referrers), id(by_id), id(found), id(sys._getframe())}
        for referrer in referrers:
            if id(referrer) in ours or id(referrer) in self._seen or isinstance(referrer, _Node):
                continue
            children = [by_id[id(each)] for each in gc.get_referents(referrer) if id(each) in by_id]
            if id(referrer) not in self._globals and not isinstance(referrer, Process):
                self._seen.add(id(referrer))
                del children[1:]  # one way to it is enough, where it has no name that people know
            found += [node for child in children if (node := self._met(referrer, child)) is not None]
        return found

    def _met(self, value: Any, child: _Node) -> _Node | None:
        """Note the referrer of `child` if it has a name for people; else return the objects to go on with."""
        if isinstance(value, dict):
            return self._met_dict(value, child)
        if isinstance(child.value, dict) and not is_class(value):
            if _dict_of(value) is not child.value:
                return _Node(value, f"{child.path} in a dict")
            child = child._replace(value=None)  # an attribute: the dict is not a step of its own
        if isinstance(value, Process):
            self._met_process(value, child)
            return None
        if isinstance(value, asyncio.Task):
            self._tell("task", f"asyncio task {value.get_name()!r}, which holds {child.path}")
            return None
        if isinstance(value, SUSPENDED):
            return self._met_suspended(value, child)
        if isinstance(value, TracebackType):
            self._tell("traceback", f"a traceback that somebody keeps, with a call of {child.path} in it")
            return None
        if isinstance(value, FrameType):
            return _Node(value, child.path)
        if type(value) is FunctionType and value.__globals__ is not self._namespace:
            return _Node(value, f"{child.path} in {value.__module__}.{value.__qualname__}")
        if is_class(child.value) and type(value) is child.value:
            return self._met_instance(value, child.value)
        return _Node(value, self._path(value, child))

    def _met_dict(self, value: dict[Any, Any], child: _Node) -> _Node | None:
        where = self._globals.get(id(value))
        if where is None:
            return _Node(value, child.path)
        path = f"{child.path} in a dict" if isinstance(child.value, dict) else child.path
        for name in [name for name, each in list(value.items()) if each is child.value and isinstance(name, str)][:3]:
            if name.startswith("__midflight"):
                self._tell("module", f"{where}, which remembers {child.path} from when it was loaded")
            elif where == self._version.name:
                self._tell("module", f"{where}.{name} of the current version, which is still that of this one")
            elif child.path == name:
                self._tell("module", f"{where}.{name}, which was imported from it")
            else:
                self._tell("module", f"{where}.{name}, which holds {path}")
        return None

    def _met_process(self, process: Process, child: _Node) -> None:
        if process.pid in self._residents and process.coro is child.value:
            return
        start = process.start
        if process.pid in self._residents and start is not None:
            return
        what = "its mailbox" if child.value is process.mailbox else "its state" if start is None else "its arguments"
        self._tell("held", f"{_process(process.pid, process.name)}, which holds {child.path} in {what}")

    def _met_suspended(self, value: Any, child: _Node) -> _Node | None:
        frame = getattr(value, "cr_frame", None) or getattr(value, "gi_frame", None) or getattr(value, "ag_frame", None)
        if frame is None:  # it has ended meanwhile
            return None
        owner = self._owners.get(id(frame))
        if owner is not None and owner.pid in self._residents and frame.f_globals is self._namespace:
            return None  # told already
        place = f"{frame.f_code.co_qualname}:{frame.f_lineno}"
        if frame.f_globals is self._namespace:
            return _Node(value, f"a suspended call of {place}")
        who = f"{_process(owner.pid, owner.name)}, at {place}" if owner is not None else f"a suspended call of {place}"
        local = next((name for name, each in list(frame.f_locals.items()) if each is child.value), None)
        self._tell("held", f"{who}, which holds {child.path}{f' as {local}' if local else ''}")
        return None

    def _met_instance(self, value: Any, cls: type[Any]) -> _Node | None:
        self._instances[cls] += 1
        return _Node(value, f"an object of {cls.__qualname__}") if self._instances[cls] <= 3 else None

    def _path(self, value: Any, child: _Node) -> str:
        """Describe `value` as a holder of the child; a step that means nothing to people adds no words."""
        if type(value) is MethodType:
            return f"the bound method {value.__func__.__qualname__}"
        if isinstance(value, functools.partial):
            return f"a partial of {child.path}"
        if is_class(value):
            return value.__qualname__
        if isinstance(value, CellType) or (isinstance(value, tuple) and isinstance(child.value, (CellType, type))):
            return child.path
        if isinstance(value, (list, tuple, set, frozenset)):
            return f"{child.path} in a {type(value).__name__}"
        is_known = type(value).__module__.partition(".")[0] in ("builtins", "collections", "functools", "midflight")
        if is_known or is_class(child.value):
            return child.path
        return f"{child.path} in an object of {type(value).__qualname__}"

    def _tell(self, kind: Kind, text: str) -> None:
        # Two things that are told alike, two tracebacks say, are one line with a number.
        self._told[kind, text] += 1

    def keepers(self) -> Iterator[Keeper]:
        """Yield the keepers met on the walk."""
        for cls, count in self._instances.most_common():
            objects = "1 object" if count == 1 else f"{count} objects"
            yield Keeper("instances", count, f"{objects} of its class {cls.__qualname__}")
        for (kind, text), count in self._told.items():
            yield Keeper(kind, count, text if count == 1 else f"{text} ({count} times)")


def _module_globals() -> dict[int, str]:
    """Return the names of the modules by their namespaces, versions that are not current included."""
    found = {id(module_names(module)): name for name, module in list(sys.modules.items()) if is_module(module)}
    for module in all_modules():
        for number, version in sorted(module.versions.items()):
            namespace = version.namespace
            if namespace is not None and version is not module.current:
                found[id(namespace)] = f"version {number} of {module.name}: {module.name}"
    return found


def _owners() -> dict[int, Process]:
    """Return the processes by their frames."""
    return {
        id(frame): process
        for scheduler in schedulers()
        for process in list(scheduler.processes.values())
        for frame in scheduler.frames(process)
    }


def _dict_of(value: object) -> object:
    """Return the `__dict__` of an object, past its class's own `__getattribute__`; None if it has none."""
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
