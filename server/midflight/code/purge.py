"""Who runs which version; ending those who run an old one.

A process is in a version if it has a frame of it, running or to be returned to: its own, that of what it awaits, of
what that awaits. One that was spawned and has not begun is in the version of its function. Not so one that only holds
a function of it, and a child task or thread of a process, which is none: `bystanders` finds those that run.
Nothing here changes a module: an old version goes by itself, with the last that can run it.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import typing
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any, NamedTuple

from midflight.code.facade import Namespace
from midflight.code.report import Lingering
from midflight.code.version import Version, version_of
from midflight.kernel import Pid, Process, Scheduler, exit, is_kernel_frame, schedulers, stack_of

__all__ = ["Census", "Spot", "Start", "bystanders", "census_of", "forget_typing_caches", "kill", "take_census"]


class Start(NamedTuple):
    """Where a process will begin that has not begun yet, with the names that a frame has for it."""

    f_code: CodeType
    f_globals: Namespace
    f_lineno: int


Spot = FrameType | Start
Row = tuple[Pid, str | None, int, str, int]  # the fields of a Lingering, which takes longer to make


class Census:
    """All processes at one moment, oldest first, each with the frames that it is in, outermost first.

    Not to be kept: frames hold what is in them, and processes go on. 10,000 processes take 15 ms.
    """

    def __init__(self, residents: list[tuple[Process, Sequence[Spot]]]) -> None:
        self._residents = residents

    def rows(self, name: str, wanted: Callable[[Version], bool] = lambda _: True) -> list[Row]:
        """Return the processes in those versions of module `name`, each once, with its innermost frame there."""
        found = []
        numbers: dict[int, int | None] = {}  # by namespace, as most processes are in few of them
        for process, spots in self._residents:
            for spot in reversed(spots):
                namespace = spot.f_globals
                key = id(namespace)
                if key not in numbers:
                    version = version_of(namespace)
                    is_wanted = version is not None and version.name == name and wanted(version)
                    numbers[key] = version.number if is_wanted and version is not None else None
                number = numbers[key]
                if number is not None:
                    found.append((process.pid, process.name, number, spot.f_code.co_qualname, spot.f_lineno))
                    break
        return found

    def in_module(self, name: str, wanted: Callable[[Version], bool] = lambda _: True) -> list[Lingering]:
        """Return what `rows` does, as it stands in reports."""
        return [Lingering(*row) for row in self.rows(name, wanted)]

    def numbers(self, name: str) -> set[int]:
        """Return the numbers of the versions of module `name` that some process has a frame in."""
        namespaces = {id(spot.f_globals): spot.f_globals for _, spots in self._residents for spot in spots}
        found = map(version_of, namespaces.values())
        return {version.number for version in found if version is not None and version.name == name}

    def by_code(self) -> dict[CodeType, tuple[Spot, list[Pid]]]:
        """Return each piece of code that some process is in, with the pids, oldest first."""
        found: dict[CodeType, tuple[Spot, list[Pid]]] = {}
        for process, spots in self._residents:
            for spot in spots:
                entry = found.get(spot.f_code)
                if entry is None:
                    entry = found[spot.f_code] = (spot, [])
                pids = entry[1]
                if not pids or pids[-1] is not process.pid:
                    pids.append(process.pid)
        return found


def take_census() -> Census:
    """Look at every process of every runtime. Exact on the runtime's thread, elsewhere true of some moment."""
    residents: list[tuple[Process, Sequence[Spot]]] = []
    for scheduler in schedulers():
        current = scheduler.current()
        for process in list(scheduler.processes.values()):
            residents.append((process, _spots(scheduler, process, process is current)))
    return Census(residents)


def census_of(pid: Pid) -> Census:
    """Look at one process only; at none if it is dead."""
    process = pid.process
    return Census([] if process is None else [(process, spots_of(pid))])


def spots_of(pid: Pid) -> Sequence[Spot]:
    """Return where the process is, outermost frame first; nothing for a dead one."""
    process = pid.process
    for scheduler in schedulers():
        if process is not None and scheduler.processes.get(pid.number) is process:
            return _spots(scheduler, process, scheduler.current() is process)
    return ()


def _spots(scheduler: Scheduler, process: Process, is_running: bool) -> Sequence[Spot]:
    frames = scheduler.frames(process)
    if is_running:
        frames = [*frames, *_called_now(scheduler, frames)]
    return frames or list(_start(process.start[0] if process.start is not None else None))


def _called_now(scheduler: Scheduler, frames: list[FrameType]) -> Iterator[FrameType]:
    """Yield the plain functions that the running process is in the midst of, which no coroutine knows of."""
    frame = sys._current_frames().get(scheduler.thread)
    calls: list[FrameType] = []
    while frame is not None:
        calls.append(frame)
        if is_kernel_frame(frame) and frame.f_code.co_name in ("turn", "step"):
            yield from (call for call in reversed(calls) if not is_kernel_frame(call) and call not in frames)
            return
        frame = frame.f_back


def _start(function: Any) -> Iterator[Start]:
    """Yield where a process will begin that has not begun yet."""
    while isinstance(function, (functools.partial, MethodType)):
        function = function.func if isinstance(function, functools.partial) else function.__func__
    if not isinstance(function, FunctionType):
        function = vars(type(function)).get("__call__")
    if isinstance(function, FunctionType):
        yield Start(function.__code__, function.__globals__, function.__code__.co_firstlineno)


def kill(pids: list[Pid]) -> None:
    """End the processes, reason "killed". On the runtime's thread; the caller's own comes last, and then raises."""
    for pid in sorted(pids, key=_is_running_here):
        exit(pid, "kill")


def _is_running_here(pid: Pid) -> bool:
    return any(each.is_own_thread() and each.current() is pid.process for each in schedulers())


def bystanders(wanted: Callable[[Version], bool]) -> Iterator[tuple[str, Version, str, int]]:
    """Yield the asyncio tasks and threads that run code of such versions and are no processes.

    Each as what it is, the version, function and line. On the runtime's thread.
    """
    running = schedulers()
    for scheduler in running:
        if isinstance(scheduler.loop, asyncio.AbstractEventLoop) and scheduler.is_own_thread():
            for task in asyncio.all_tasks(scheduler.loop):
                yield from _first(f"asyncio task {task.get_name()!r}", stack_of(task.get_coro()), wanted)
    loops = {scheduler.thread for scheduler in running}
    for thread, frame in sys._current_frames().items():
        if thread not in loops:
            stack: list[FrameType] = []
            inner: FrameType | None = frame
            while inner is not None:
                stack.append(inner)
                inner = inner.f_back
            yield from _first(f"thread {thread}", stack[::-1], wanted)


def _first(
    who: str, frames: list[FrameType], wanted: Callable[[Version], bool]
) -> Iterator[tuple[str, Version, str, int]]:
    for frame in reversed(frames):
        version = version_of(frame.f_globals)
        if version is not None and wanted(version):
            yield who, version, frame.f_code.co_qualname, frame.f_lineno
            return


def forget_typing_caches() -> None:
    """Empty the caches of `typing`, which keep the classes of old versions, and so their namespaces."""
    for clean in getattr(typing, "_cleanups", ()):
        clean()
