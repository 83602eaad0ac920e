"""One load at a time in this interpreter, and the way from any thread to the runtime's thread.

Laws:
1. A load that waits for another one on the runtime's thread does that one's commit: else each would wait for the other.
2. The body of a version, and an `on_unload`, cannot load: the load they are a part of is not done. An `on_load` can:
   its version is current.
3. An upgrade waits for processes. A load that waits for it on a thread that runs them has it give way.
Two threads that import and load each other's modules in their bodies wait for each other as two imports would; the
import system finds out about imports, and nobody about this.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, TypeVar

from midflight.kernel import Scheduler, schedulers

__all__ = ["LoadLock", "NestedLoad", "runtime_thread"]

Result = TypeVar("Result")

LOOK_SECONDS = 0.1  # between two looks whether the runtime that should act is still there


class NestedLoad(Exception):
    """A load was asked for by what a load runs."""


def runtime_thread() -> Scheduler | None:
    """Return the scheduler on whose thread a commit runs: this thread's, else the oldest; None if none runs."""
    running = schedulers()
    return next((each for each in running if each.is_own_thread()), running[0] if running else None)


class _Job:
    """A function to be called on the runtime's thread, by whoever is there first."""

    def __init__(self, thread: int, function: Callable[[], Any]) -> None:
        self.thread = thread
        self.future: Future[Any] = Future()
        self._context = copy_context()  # so what it prints goes where its caller's output goes
        self._function = function

    def run(self) -> None:
        """Call the function, unless somebody did or it was taken back."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self._context.run(self._function))
        except BaseException as error:
            self.future.set_exception(error)


class LoadLock:
    """The lock that a load holds from its first change to its last. Made once; `code.load` has it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._owner: int | None = None
        self._actor: int | None = None  # the thread that commits for the owner
        self._open = False  # whether what runs now may load
        self._give_way: Callable[[], object] | None = None
        self._jobs: deque[_Job] = deque()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock while the block runs. Raises: NestedLoad inside a body or an `on_unload`."""
        me = threading.get_ident()
        with self._changed:
            nested = me in (self._owner, self._actor)
            if nested and not self._open:
                raise NestedLoad
            outer = (self._owner, self._actor, self._open)
            while not nested and self._owner is not None:
                if self._give_way is not None and any(each.is_own_thread() for each in schedulers()):
                    self._give_way()
                self._wait(me)
            self._owner, self._actor, self._open = me, None, False
        try:
            yield
        finally:
            with self._changed:
                self._owner, self._actor, self._open = outer if nested else (None, None, False)
                self._changed.notify_all()

    def is_mine(self) -> bool:
        """Say whether this thread is in the midst of a load."""
        return threading.get_ident() in (self._owner, self._actor)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Let what the block runs load in its turn."""
        self._open = True
        try:
            yield
        finally:
            self._open = False

    @contextmanager
    def giving_way(self, give_way: Callable[[], object]) -> Iterator[None]:
        """Call `give_way` if, while the block runs, a thread that runs processes waits for the lock, or does by then.

        It is called with the lock's own one held, perhaps several times, and is to have the block end soon.
        """
        with self._changed:
            self._give_way = give_way
            self._changed.notify_all()
        try:
            yield
        finally:
            self._give_way = None

    def call(self, function: Callable[[], Result]) -> Result:
        """Call `function` on the runtime's thread, between two turns, and return what it returns or raises.

        Called here if this is that thread, or none runs, or the one that does ends before it comes to it. What is
        interrupted before the function was begun has done nothing.
        """
        scheduler = runtime_thread()
        if scheduler is None or scheduler.is_own_thread():
            return function()
        is_owner = self.is_mine()

        def act() -> Result:
            if is_owner:
                self._actor = threading.get_ident()
            try:
                return function()
            finally:
                if is_owner:
                    self._actor = None

        job = _Job(scheduler.thread, act)
        with self._changed:
            self._jobs.append(job)
            self._changed.notify_all()
        try:
            scheduler.call_threadsafe(self._run_job, job)
            while True:
                try:
                    result: Result = job.future.result(LOOK_SECONDS)
                    return result
                except TimeoutError:
                    if job.future.done():
                        raise  # it is the function's own
                    if scheduler not in schedulers() and job.future.cancel():
                        return function()
        except BaseException:
            if not job.future.cancel():
                job.future.exception()  # it was begun: let it end before the caller unwinds
            raise
        finally:
            self._forget(job)

    def _run_job(self, job: _Job) -> None:
        job.run()
        self._forget(job)

    def _forget(self, job: _Job) -> None:
        with self._changed:
            if job in self._jobs:
                self._jobs.remove(job)

    def _wait(self, me: int) -> None:
        """Wait for a change, or run a job that is meant for this thread. The condition is held."""
        job = next((job for job in self._jobs if job.thread == me), None)
        if job is None:
            self._changed.wait()
            return
        self._jobs.remove(job)
        self._changed.release()
        try:
            job.run()
        finally:
            self._changed.acquire()
