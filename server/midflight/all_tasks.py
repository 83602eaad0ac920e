"""asyncio.all_tasks() with the processes in it, at no cost to a process that nobody asks for.

asyncio looks through a WeakSet of all tasks, and then asks each for its loop and whether it is done. To put every
process into that set would make a spawn dearer by a weak reference and two calls. So the set itself is given a class,
while a runtime runs, that adds the living processes when it is looked through. Tasks go in and out as before.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain
from types import FrameType
from typing import Any
from weakref import WeakSet, getweakrefs

from midflight.collection import stacks_of_threads
from midflight.kernel import Process, schedulers

__all__ = ["event_loops", "processes_in_all_tasks", "tasks_alone"]

_lock = threading.Lock()
_is_for_tasks_alone = ContextVar("_is_for_tasks_alone", default=False)
_users = 0  # runtimes that run in this interpreter


class TasksAndProcesses(WeakSet[Any]):
    """asyncio's set of tasks; with the processes of each running loop when it is looked through."""

    def __iter__(self) -> Iterator[Any]:
        return super().__iter__() if _is_for_tasks_alone.get() else chain(super().__iter__(), _processes())


def tasks_alone(loop: asyncio.AbstractEventLoop) -> list[asyncio.Task[Any]]:
    """Return the tasks of `loop` that are not done, without the processes. It costs the same with many of these."""
    token = _is_for_tasks_alone.set(True)
    try:
        found: set[Any] = set(asyncio.all_tasks(loop))
        return [task for task in found if not isinstance(task, Process)]
    finally:
        _is_for_tasks_alone.reset(token)


def event_loops() -> list[asyncio.AbstractEventLoop]:
    """Return the event loops that run in this interpreter: those of runtimes, of tasks, and, from 3.14 on, of threads.

    From there on a task is known to the thread of its loop alone, which is seen by the functions that run it.
    """
    found = {scheduler.loop: None for scheduler in schedulers()}
    tasks = _asyncios_set()
    token = _is_for_tasks_alone.set(True)
    try:
        found |= {task.get_loop(): None for task in list(tasks if tasks is not None else ())}
    finally:
        _is_for_tasks_alone.reset(token)
    if sys.version_info >= (3, 14):
        found |= {loop: None for stack in stacks_of_threads().values() for loop in _loops_below(stack)}
    return [loop for loop in found if loop is not None and loop.is_running()]


def _loops_below(stack: list[FrameType]) -> Iterator[asyncio.AbstractEventLoop]:
    for frame in stack:
        if frame.f_globals.get("__name__") in ("asyncio.base_events", "asyncio.runners"):
            owner = frame.f_locals.get("self")
            loop = getattr(owner, "_loop", owner)
            if isinstance(loop, asyncio.AbstractEventLoop):
                yield loop


def _processes() -> Iterator[Process]:
    """Yield the living processes of each event loop that runs.

    A loop that has stopped is being closed: asyncio.run then cancels all tasks, and of ours only the one that runs the
    runtime should get that cancellation. It ends the processes in order.
    """
    for scheduler in schedulers():
        if scheduler.loop.is_running():
            yield from list(scheduler.processes.values())


class _Probe:
    """A task that is done, and nobody's."""

    def done(self) -> bool:
        return True

    def get_loop(self) -> None:
        return None


def _asyncios_set() -> Any:
    """Return the set that asyncio.all_tasks looks through, None if this Python has it otherwise.

    It has no name that all versions know. But by the documented `_register_task` a probe gets into it, and the weak
    reference that the set then holds has a callback, which knows the set.
    """
    probe = _Probe()
    asyncio._register_task(probe)  # type: ignore[arg-type]  # typed for Task; meant for what is like one
    try:
        for reference in getweakrefs(probe):
            for default in getattr(reference.__callback__, "__defaults__", None) or ():
                found = default()
                if isinstance(found, WeakSet):
                    return found
        return None
    finally:
        asyncio._unregister_task(probe)  # type: ignore[arg-type]  # as above


def _change_class(old: type, new: type) -> None:
    """Make `new` the class of the set that asyncio.all_tasks looks through, if `old` is."""
    tasks = _asyncios_set()
    if type(tasks) is old:
        tasks.__class__ = new


@contextmanager
def processes_in_all_tasks() -> Iterator[None]:
    """Have asyncio.all_tasks() return the processes, too, while the block runs."""
    global _users
    with _lock:
        _users += 1
        _change_class(WeakSet, TasksAndProcesses)
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _change_class(TasksAndProcesses, WeakSet)
