"""`Started`: the processes, tasks and timers that a piece of code sets going, to be ended if that code is to be undone.

A process, a task and a call that an event loop is to make each keep a copy of the context of who made them. So a mark
in the context tells whose they are, and what they start in their turn has it too. A timer of `send_after` has no
context: it is noted when it is set, but not one that a process of the piece's sets in its turn.

Law: nothing here waits. What ends is ended on the thread of its event loop, and a process there may never yield.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import Context, ContextVar
from types import FunctionType, MethodType
from typing import Any

from midflight.collection import without_collection
from midflight.kernel import (
    MessageTimer,
    Process,
    Scheduler,
    demonitor,
    exit,
    function_name,
    schedulers,
    timer_noter_var,
    unlink,
)
from midflight.text import encodable, short

__all__ = ["Started", "as_others"]

MOST = 5  # of a kind that are named

_started_var: ContextVar[Started | None] = ContextVar("midflight_started", default=None)


class Started:
    """The processes, tasks and timers that the code in its `noting` blocks has started, and those that they have."""

    def __init__(self) -> None:
        self._timers: list[MessageTimer] = []
        self._is_over = False

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Count as its own what the block starts."""
        here = next((each for each in schedulers() if each.is_own_thread()), None)
        mark, noter = _started_var.set(self), timer_noter_var.set(self._note)
        try:
            with nullcontext() if here is None else here.in_python():  # what is done in C notes no timer
                yield
        finally:
            timer_noter_var.reset(noter)
            _started_var.reset(mark)

    def leave(self) -> None:
        """Let all run on, and hold none of it: nothing is to be undone any more."""
        self._is_over = True
        self._timers.clear()

    def end(self) -> list[str]:
        """End all that still lives, or have it ended; return what that is, in words. From any thread.

        The process that calls this gets no exit signal and no message for it.
        """
        found = _some([_timer_in_words(each) for each in self._timers if each.cancel() is not None], "timers")
        self._timers.clear()
        loops = []
        for scheduler in schedulers():
            processes = self._processes(scheduler)
            loops.append(scheduler.loop)
            found += _some([f"process {each.pid!r} ({each.initial_call})" for each in processes], "processes")
            found += self._in_loop(scheduler.loop)
            if scheduler.is_own_thread():
                self._end_in(scheduler)
            else:
                for process in processes:
                    exit(process.pid, "kill")  # it may never let that thread do the rest
                scheduler.on_own_thread(self._end_in, scheduler)
        here = asyncio._get_running_loop()
        if here is not None and all(here is not each for each in loops):
            found += self._in_loop(here)
            self._end_in_loop(here)
        return found

    def _note(self, timer: MessageTimer) -> None:
        if not self._is_over:
            self._timers.append(timer)

    def _has(self, context: Context | None) -> bool:
        return context is not None and context.get(_started_var) is self

    def _processes(self, scheduler: Scheduler) -> list[Process]:
        return [each for each in list(scheduler.processes.values()) if self._has(each.context)]

    def _tasks(self, loop: object) -> list[asyncio.Task[Any]]:
        if not isinstance(loop, asyncio.AbstractEventLoop):
            return []
        tasks: set[Any] = asyncio.all_tasks(loop)  # processes are in it
        return [each for each in tasks if type(each) is not Process and self._has(_context_of(each))]

    def _calls(self, loop: object) -> list[Any]:
        """Return the calls that the loop, one of Python's own, is to make; but a task's steps."""
        lists = [without_collection(list, getattr(loop, name, ())) for name in ("_ready", "_scheduled")]
        return [
            each
            for handles in lists
            for each in handles
            if self._has(getattr(each, "_context", None))
            and not each.cancelled()
            and not asyncio.isfuture(getattr(each._callback, "__self__", None))
            and not _is_of_asyncio(each._callback)
        ]

    def _in_loop(self, loop: object) -> list[str]:
        tasks = [f"task {each.get_name()} ({function_name(each.get_coro())})" for each in self._tasks(loop)]
        calls = [f"a call of {encodable(function_name(each._callback))} to come" for each in self._calls(loop)]
        return [*_some(tasks, "tasks"), *_some(calls, "calls to come")]

    def _end_in(self, scheduler: Scheduler) -> None:
        me = scheduler.current()
        while processes := self._processes(scheduler):
            for process in processes:
                if me is not None:
                    _part(me, process)
                exit(process.pid, "kill")
        self._end_in_loop(scheduler.loop)

    def _end_in_loop(self, loop: object) -> None:
        for call in self._calls(loop):
            call.cancel()
        for task in self._tasks(loop):
            task.cancel()


@contextmanager
def as_others() -> Iterator[None]:
    """Have what the block starts count as nobody's."""
    mark, noter = _started_var.set(None), timer_noter_var.set(None)
    try:
        yield
    finally:
        timer_noter_var.reset(noter)
        _started_var.reset(mark)


def _context_of(task: asyncio.Task[Any]) -> Context | None:
    get_context = getattr(task, "get_context", None)
    if get_context is not None:
        found: Context = get_context()
        return found
    return next((each for each in gc.get_referents(task) if type(each) is Context), None)  # before Python 3.12


def _part(me: Process, process: Process) -> None:
    """Have `me`, the running process, hear nothing of the end of `process`: it is told of that by the refusal."""
    unlink(process.pid)
    for ref, (watcher, _) in list((process.monitored_by or {}).items()):
        if watcher is me:
            demonitor(ref)


def _timer_in_words(timer: MessageTimer) -> str:
    return f"a timer for {encodable(short(timer.dest))}"


def _some(words: Iterable[str], of_what: str) -> list[str]:
    found = list(words)
    return found if len(found) <= MOST else [*found[:MOST], f"{len(found) - MOST} more {of_what}"]


def _is_of_asyncio(callback: object) -> bool:
    """Say whether a function or a method is asyncio's own. Nothing of another callable is looked at: it could run."""
    function = callback.__func__ if type(callback) is MethodType else callback
    module = function.__module__ if type(function) is FunctionType else None
    return type(module) is str and module.startswith("asyncio.")
