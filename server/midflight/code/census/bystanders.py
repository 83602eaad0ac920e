"""Ending the processes that run an old version, finding tasks and threads that run it, and counting all their frames.

Nothing here changes a module: an old version is freed with the last frame or value that can run it.
"""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections import Counter
from collections.abc import Callable, Iterator
from types import CodeType, FrameType

from midflight.all_tasks import tasks_alone
from midflight.code.census.census import Census
from midflight.code.source.program import is_body_of_program
from midflight.code.version.version import Version, version_of
from midflight.collection import callers_of, frames_of_threads, stacks_of_threads
from midflight.kernel import Pid, Scheduler, exit, schedulers, stack_of

__all__ = ["FrameCounts", "bystanders", "forget_typing_caches", "kill"]

OF_A_COROUTINE = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR  # its task has its frame


def kill(pids: list[Pid]) -> None:
    """End the processes, reason "killed". On the runtime's thread; the caller's own comes last, and then raises."""
    for pid in sorted(pids, key=_is_running_here):
        exit(pid, "kill")


def _is_running_here(pid: Pid) -> bool:
    return any(each.is_own_thread() and each.current() is pid.process for each in schedulers())


def bystanders(wanted: Callable[[Version], bool]) -> Iterator[tuple[str, Version, str, int]]:
    """Yield the asyncio tasks and threads that run code of such versions and are not processes.

    Each as what it is, the version, function and line. On the runtime's thread.
    """
    running = schedulers()
    for scheduler in running:
        for who, frames in _tasks(scheduler):
            yield from _first(who, frames, wanted)
    loops = {scheduler.thread for scheduler in running}
    for thread, stack in _others(loops):
        yield from _first(f"thread {thread}", stack[::-1], wanted)
        del stack


class FrameCounts:
    """The number of frames, of processes and others, that run each code object. On the runtime's thread.

    By identity: code of two versions whose text is the same is equal, and only one of them may be run by anybody.
    """

    def __init__(self, census: Census) -> None:
        codes = _codes()
        self._counts = Counter(map(id, codes))
        self._codes = {id(code): code for code in codes}
        for spot, pids in census.by_code():
            self._counts[id(spot.f_code)] += len(pids)
            self._codes[id(spot.f_code)] = spot.f_code

    def __contains__(self, code: CodeType) -> bool:
        return id(code) in self._codes

    def __iter__(self) -> Iterator[CodeType]:
        return iter(self._codes.values())

    def get(self, code: CodeType) -> int:
        """Return how many frames run `code`."""
        return self._counts.get(id(code), 0)


def _codes() -> list[CodeType]:
    """Return the code of each frame of tasks and threads that are not processes. On the runtime's thread."""
    found: list[CodeType] = []
    running = schedulers()
    for scheduler in running:
        for _, frames in _tasks(scheduler):
            found += [frame.f_code for frame in frames]
        if scheduler.current() is None and scheduler.is_own_thread():  # a callback of the loop, a load hook say
            calls = callers_of(frames_of_threads().get(scheduler.thread))
            found += [frame.f_code for frame in calls if not frame.f_code.co_flags & OF_A_COROUTINE]
            del calls
    loops = {scheduler.thread for scheduler in running}
    for _, stack in _others(loops):
        found += [frame.f_code for frame in stack]
        del stack
    return found


def _others(loops: set[int]) -> list[tuple[int, list[FrameType]]]:
    """Return the threads that run no processes, with the frames of each, innermost first.

    Of the stacks nothing may stay: the caller's own frames may be in one, and live until a collection then.
    """
    return [each for each in stacks_of_threads().items() if each[0] not in loops]


def _tasks(scheduler: Scheduler) -> Iterator[tuple[str, list[FrameType]]]:
    """Yield each task of a loop that is not a process, with its frames, outermost first."""
    if isinstance(scheduler.loop, asyncio.AbstractEventLoop) and scheduler.is_own_thread():
        for task in tasks_alone(scheduler.loop):
            yield f"asyncio task {task.get_name()!r}", stack_of(task.get_coro())


def _first(
    who: str, frames: list[FrameType], wanted: Callable[[Version], bool]
) -> Iterator[tuple[str, Version, str, int]]:
    for frame in reversed(frames):
        version = version_of(frame.f_globals)
        if version is not None and wanted(version):
            if is_body_of_program(frame):  # it runs as long as the program does
                return
            yield who, version, frame.f_code.co_qualname, frame.f_lineno
            return


def forget_typing_caches() -> None:
    """Empty the caches of `typing`, which keep the classes of old versions, and so their namespaces."""
    for clean in getattr(typing, "_cleanups", ()):
        clean()
