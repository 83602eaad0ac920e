"""The census of all processes at one moment: which of them is at which place of the code.

A process is in a version if it has a frame of it, running or to be returned to: its own, that of what it awaits, of
what that awaits. One that was spawned and has not begun is in the version of its function. Not so one that only holds
a function of it, and a child task or thread of a process, which is not a process.

Processes are many and places are few, so a place is looked at once, and a census brought up to date looks only at
those who were given a step since: `reductions` says so. The long first look is taken in the thread that prepares a
load, the short last one on the runtime's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress
from operator import attrgetter, ne
from types import CodeType, CoroutineType, FrameType, FunctionType, GeneratorType, MethodType
from typing import Any, NamedTuple, overload

from midflight.code.report.who_lingers import MANY, Group, Lingering, Rows
from midflight.code.version.facade import Namespace
from midflight.code.version.version import Version, version_of
from midflight.collection import callers_of, frames_of_threads
from midflight.kernel import RECEIVE_CODE, RECEIVE_TYPES, Pid, Process, Scheduler, is_kernel_frame, schedulers

__all__ = ["Census", "Pids", "Start", "census_of", "spots_of", "take_census"]

Wanted = Callable[[Version], bool]

BLOCK = 1000  # processes
NOT_BEGUN = -2  # in the place of an instruction

_reductions = attrgetter("reductions")
_number = attrgetter("number")
_pid = attrgetter("pid")


class Start(NamedTuple):
    """A place in the code, with the names that a frame has for it: where a process is, or will begin."""

    f_code: CodeType
    f_globals: Namespace
    f_lineno: int


class Stack:
    """A stack of frames, outermost first, and the processes that are in it."""

    __slots__ = ("_pids", "processes", "spots")

    def __init__(self, spots: tuple[Start, ...]) -> None:
        self.spots = spots
        self.processes: dict[Process, None] = {}
        self._pids: tuple[Pid, ...] | None = None  # known as long as nobody comes or goes

    def add(self, process: Process) -> None:
        """Take in a process that is here now."""
        self.processes[process] = None
        self._pids = None

    def remove(self, process: Process) -> None:
        """Take out a process that is elsewhere now, or nowhere."""
        del self.processes[process]
        self._pids = None

    def pids(self) -> tuple[Pid, ...]:
        """Return the processes here, in no order."""
        if self._pids is None:
            self._pids = tuple(map(_pid, self.processes))
        return self._pids

    def innermost(self, name: str, wanted: Wanted) -> tuple[Version, Start] | None:
        """Return the innermost frame in such a version of module `name`."""
        for spot in reversed(self.spots):
            version = version_of(spot.f_globals)
            if version is not None and version.name == name and wanted(version):
                return version, spot
        return None


class Pids(Sequence[Pid]):
    """The processes of one place or of several, oldest first. They are put in order when somebody looks."""

    def __init__(self) -> None:
        self._places: list[Stack] = []
        self._sorted: tuple[Pid, ...] | None = None

    def add(self, place: Stack) -> None:
        """Add the processes at one place."""
        self._places.append(place)
        self._sorted = None

    def __len__(self) -> int:
        return sum(len(place.processes) for place in self._places)

    @overload
    def __getitem__(self, index: int) -> Pid: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Pid]: ...
    def __getitem__(self, index: int | slice) -> Pid | Sequence[Pid]:
        if self._sorted is None:
            self._sorted = tuple(sorted((pid for place in self._places for pid in place.pids()), key=_number))
        return self._sorted[index]


class Census:
    """All processes at the moment when it was last brought up to date. Exact on the runtime's thread, elsewhere each
    as it was at some moment. With `only`, of that process alone, of none if it is dead.
    """

    def __init__(self, only: Pid | None = None) -> None:
        self._rolls: dict[Scheduler, Roll] = {}
        found = None if only is None else _found(only)
        if found is not None:
            scheduler, process = found
            self._rolls[scheduler] = Roll(scheduler)
            self._rolls[scheduler].look_at(process)

    def update(self) -> None:
        """Look at the processes that have begun, run or ended since the last look."""
        running = schedulers()
        self._rolls = {scheduler: self._rolls.get(scheduler) or Roll(scheduler) for scheduler in running}
        for roll in self._rolls.values():
            roll.update()

    def read_ahead(self) -> None:
        """Know the pids at each place, so that who is asked for them soon need not wait: of 100,000, some 5 ms."""
        for place in self._places():
            place.pids()

    def rows(self, name: str, wanted: Wanted = lambda _: True) -> Rows:
        """Return the processes in those versions of module `name`, each once, with its innermost frame there."""
        groups = []
        names: dict[str, Process] = {}
        for roll in self._rolls.values():
            for place in roll.places():
                found = place.innermost(name, wanted)
                if found is not None:
                    version, spot = found
                    groups.append(Group(place.pids(), version.number, spot.f_code.co_qualname, spot.f_lineno))
            names |= roll.names
        return Rows(groups, names)

    def in_module(self, name: str, wanted: Wanted = lambda _: True) -> Sequence[Lingering]:
        """Return the processes that `rows` finds, as reports name them."""
        rows = self.rows(name, wanted)
        return rows if len(rows) > MANY else tuple(rows)

    def numbers(self, name: str) -> set[int]:
        """Return the numbers of the versions of module `name` that some process has a frame in."""
        namespaces = {id(spot.f_globals): spot.f_globals for place in self._places() for spot in place.spots}
        found = map(version_of, namespaces.values())
        return {version.number for version in found if version is not None and version.name == name}

    def by_code(self) -> list[tuple[Start, Pids]]:
        """Return a place for each code object that some process is in, with the pids.

        Told apart by identity: code of two versions whose text is the same is equal, and calls other functions.
        """
        found: dict[int, tuple[Start, Pids]] = {}
        for place in self._places():
            for key, spot in {id(spot.f_code): spot for spot in reversed(place.spots)}.items():
                entry = found.get(key)
                if entry is None:
                    entry = found[key] = (spot, Pids())
                entry[1].add(place)
        return list(found.values())

    def servers(self) -> Iterator[tuple[Pid, Any]]:
        """Yield the pid and the object of every server there is."""
        for roll in self._rolls.values():
            for process in roll.servers:
                if process.behaviour.server is not None:
                    yield process.pid, process.behaviour.server

    def _places(self) -> Iterator[Stack]:
        for roll in self._rolls.values():
            yield from roll.places()


class Roll:
    """The processes of one scheduler. `names` are the registered ones, `servers` those that handle system messages."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._places: dict[tuple[int, ...], Stack] = {}
        self._place_of: dict[Process, Stack] = {}
        self._processes: list[Process] = []
        self._seen: list[int] = []  # the reductions that each of them had
        self.names: dict[str, Process] = {}
        self.servers: dict[Process, None] = {}

    def places(self) -> list[Stack]:
        """Return the places where somebody is."""
        return [place for place in self._places.values() if place.processes]

    def update(self) -> None:
        """Look at the processes that have begun, run or ended since the last look.

        The loops over all processes are those of the interpreter: 100,000 who only wait take some 5 ms. Blocks of them
        in which nobody ran are told at a glance.
        """
        processes = list(self._scheduler.processes.values())
        # Before the look: one whose step ends in between is then known as changed, and looked at again.
        reductions = list(map(_reductions, processes))
        self.names = self._scheduler.names.copy()
        before: Sequence[int | None] = self._seen
        if processes != self._processes:
            before = list(map(dict(zip(self._processes, self._seen, strict=True)).get, processes))
            for process in set(self._processes).difference(processes):
                self._place_of.pop(process).remove(process)
                self.servers.pop(process, None)
        for start in range(0, len(processes), BLOCK):
            block = slice(start, start + BLOCK)
            if reductions[block] != before[block]:
                self._look_at(compress(processes[block], map(ne, reductions[block], before[block])))
        self._processes, self._seen = processes, reductions
        current = self._scheduler.current()
        if current is not None and current in self._place_of:
            self.look_at(current)

    def look_at(self, process: Process) -> None:
        """Look at `process` alone, which may be the one that runs."""
        frames = _frames(self._scheduler, process, is_running=self._scheduler.current() is process)
        self._put(process, self._place(frames, process))
        if process.name is not None:
            self.names[process.name] = process

    def _look_at(self, processes: Iterable[Process]) -> None:
        """Look at processes that do not run. Most wait in a receive of their own function: that must be quick."""
        places, place_of = self._places, self._place_of
        for process in processes:
            if process.behaviour is not None:
                self.servers[process] = None
            coro = process.coro
            if type(coro) is CoroutineType:
                awaited = coro.cr_await
                if (type(awaited) is GeneratorType and awaited.gi_code is RECEIVE_CODE) or type(
                    awaited
                ) in RECEIVE_TYPES:
                    frame = coro.cr_frame
                    if frame is not None:  # else it has just ended, on the runtime's thread
                        place = places.get((id(frame.f_code), frame.f_lasti, id(frame.f_globals)))
                        if place is None:
                            place = self._place((frame,), process)
                        if process in place_of:
                            self._put(process, place)
                        else:
                            place_of[process] = place
                            place.add(process)
                        continue
            self._put(process, self._place(self._scheduler.frames(process), process))

    def _put(self, process: Process, place: Stack) -> None:
        old = self._place_of.get(process)
        if old is not place:
            if old is not None:
                old.remove(process)
            self._place_of[process] = place
            place.add(process)

    def _place(self, frames: Sequence[FrameType], process: Process) -> Stack:
        frames = [frame for frame in frames if not is_kernel_frame(frame)]
        key: list[int] = []
        for frame in frames:
            key += (id(frame.f_code), frame.f_lasti, id(frame.f_globals))
        starts = () if frames else tuple(_start(process))
        for start in starts:
            key += (id(start.f_code), NOT_BEGUN, id(start.f_globals))
        place = self._places.get(tuple(key))
        if place is None:
            spots = starts or tuple(_spot(frame, key[index * 3 + 1]) for index, frame in enumerate(frames))
            place = self._places[tuple(key)] = Stack(spots)
        return place


def _spot(frame: FrameType, instruction: int) -> Start:
    """Return the place of that instruction. `frame` itself may have gone on, if another thread runs it."""
    code = frame.f_code
    lines = (line for start, end, line in code.co_lines() if start <= instruction < end)
    return Start(code, frame.f_globals, next(lines, None) or code.co_firstlineno)


def take_census() -> Census:
    """Look at every process of every runtime."""
    census = Census()
    census.update()
    return census


def census_of(pid: Pid) -> Census:
    """Look at one process only; at none if it is dead."""
    return Census(pid)


def spots_of(pid: Pid) -> Sequence[FrameType | Start]:
    """Return where the process is, outermost frame first; nothing for a dead one."""
    found = _found(pid)
    if found is None:
        return ()
    scheduler, process = found
    frames = _frames(scheduler, process, is_running=scheduler.current() is process)
    return frames or list(_start(process))


def _found(pid: Pid) -> tuple[Scheduler, Process] | None:
    process = pid.process
    for scheduler in schedulers():
        if process is not None and scheduler.processes.get(pid.number) is process:
            return scheduler, process
    return None


def _frames(scheduler: Scheduler, process: Process, *, is_running: bool) -> list[FrameType]:
    frames = scheduler.frames(process)
    return [*frames, *_called_now(scheduler, frames)] if is_running else frames


def _called_now(scheduler: Scheduler, frames: list[FrameType]) -> Iterator[FrameType]:
    """Yield the plain functions that the running process is in the midst of, which no coroutine knows of."""
    calls: list[FrameType] = []
    for frame in callers_of(frames_of_threads().get(scheduler.thread)):
        calls.append(frame)
        if is_kernel_frame(frame) and frame.f_code.co_name in ("turn", "step", "step_now"):
            yield from (call for call in reversed(calls) if not is_kernel_frame(call) and call not in frames)
            return


def _start(process: Process) -> Iterator[Start]:
    """Yield where a process will begin that has not begun yet."""
    start = process.start
    function: Any = None if start is None else start[0]
    while isinstance(function, (functools.partial, MethodType)):
        function = function.func if isinstance(function, functools.partial) else function.__func__
    if type(function) is not FunctionType:
        function = vars(type(function)).get("__call__")
    if type(function) is FunctionType:
        yield Start(function.__code__, function.__globals__, function.__code__.co_firstlineno)
