"""The load lock: which load has which modules, and the way from any thread to the runtime's thread.

Loads of different modules run side by side; those that have a module in common come one after the other, in the order
in which they were asked for. A load takes all its modules at once, so no two wait for each other. One that a load hook
asks for, while the load that runs the hook still has its own, could: it is refused if it would.

Laws:
1. A load that waits for another one on the runtime's thread does the commits of others: else each would wait.
2. The body of a version, and an `on_unload`, cannot load: the load they are a part of is not done. An `on_load` can:
   its version is current.
3. An upgrade waits for processes. A load that waits for its modules on a thread that runs them has it give way.
4. From the last checks to the swap one load commits at a time, in the whole interpreter, whatever runtimes there are.
   What was committed since a load began it can ask for then, and repeat what it found out.

Two loads that are prepared side by side touch these things together:
- `sys.modules`, `sys.meta_path`, `sys.path` and the import system. A first load is an import: a body that imports a
  module whose first load is under way waits for that body, as for any import, and its load then waits for the commit
  (`wait_for_first`). The finder offers a module to one thread. What is appended to `sys.path` is counted (`roots`).
- the facade of a module, the namespace in the making, the snapshot of its text, what `once` keeps: each is one
  module's, and a module is one load's.
- the books by module or by name (`modules`, `class_sources`, `hooks`, `snapshots`, `linecache`): one assignment each,
  under the interpreter's lock.
- processes, at which both look and which neither changes before its commit.
Two threads that import each other's modules in bodies are the import system's matter, which finds that out.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, Generic, TypeVar

from midflight.code.loading.runtime_thread import result_of, runtime_thread
from midflight.code.loading.under_way import BrokenOff, Load
from midflight.kernel import schedulers

__all__ = ["LoadLock", "NestedLoad", "load_lock"]

Result = TypeVar("Result")


class NestedLoad(Exception):
    """A load was asked for inside another one; `other` is the load that it would wait for and that waits for it."""

    def __init__(self, other: Load | None = None) -> None:
        super().__init__()
        self.other = other


class _RuntimeEnded(Exception):
    """The runtime that was to call a function has ended, and has not begun to."""


class _Job(Generic[Result]):
    """A function to be called on the runtime's thread, by the first caller that is there."""

    def __init__(self, thread: int, function: Callable[[], Result]) -> None:
        self.thread = thread
        self.future: Future[Result] = Future()
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
    """The loads under way, each with its modules from its first change to its last. `load_lock` is the only one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holding: list[Load] = []
        self._waiting: list[Load] = []  # in the order in which they came
        self._given_up: list[Load] = []  # refused, and their bodies run on
        self._acting: dict[int, list[Load]] = {}  # by thread: those in whose midst it is, the innermost last
        self._jobs: deque[_Job[Any]] = deque()
        self._commits: dict[str, int] = {}  # by module: the number of the commit that it was last a part of
        self._commit_count = 0
        self._committing = threading.Lock()

    # --- Who has which modules -----------------------------------------------------------------------------

    @contextmanager
    def held(self, names: Iterable[str], load: Load | None = None) -> Iterator[Load]:
        """Have the modules `names` while the block runs. `load` is the load, if the caller has made it.

        Raises: NestedLoad inside a body or an `on_unload`, or if it would wait for what waits for it; BrokenOff.
        """
        load = load or Load()
        load.modules = tuple(names)
        me = threading.get_ident()
        try:
            self._take(load, me)
        except BaseException:
            load.ended.set()
            raise
        try:
            yield load
        finally:
            with self._changed:  # no call of ours in here: whatever fails, the modules are let go
                if load in self._holding:
                    self._holding.remove(load)
                if load in self._given_up:
                    self._given_up.remove(load)
                self._acting[me].remove(load)
                if not self._acting[me]:
                    del self._acting[me]
                self._changed.notify_all()
            load.ended.set()

    def _take(self, load: Load, me: int) -> None:
        """Wait until `load` may have its modules, and give it them."""
        with self._changed:
            load.parent = self.current()
            if load.parent is not None and not load.parent.is_open:
                raise NestedLoad
            load.begin()
            self._waiting.append(load)
            try:
                with load.waiting():
                    while (other := self._blocker(load)) is not None:
                        load.check()
                        self._check_circle(load, other)
                        if any(each.is_own_thread() for each in schedulers()):
                            self._have_give_way(load)
                        load.waits_for = other
                        self._wait(me)
                load.check()
            finally:
                self._waiting.remove(load)
                self._changed.notify_all()
            load.began = self._commit_count
            self._holding.append(load)
            self._acting.setdefault(me, []).append(load)

    def current(self) -> Load | None:
        """Return the load that this thread is in, the innermost one."""
        found = self._acting.get(threading.get_ident())
        return found[-1] if found else None

    def loads(self) -> list[Load]:
        """Return the loads under way, and those that were given up while their threads run on; oldest first."""
        with self._changed:
            return sorted((*self._under_way(), *self._given_up), key=lambda load: load.number)

    def given_up(self, names: Iterable[str] | None = None) -> list[Load]:
        """Return the loads of one of these modules that were given up, and whose threads run on."""
        wanted = None if names is None else set(names)
        with self._changed:
            return [load for load in self._given_up if wanted is None or wanted.intersection(load.modules)]

    def give_up(self, load: Load) -> bool:
        """Let go of the modules of `load`, whose body runs on; say whether one does. From any other thread."""
        with self._changed:
            if load not in self._holding or not load.give_up():
                return False
            self._holding.remove(load)
            self._given_up.append(load)
            self._changed.notify_all()
            return True

    def wake(self) -> None:
        """Have the waiting loads look again: one of them may have been told to end."""
        with self._changed:
            self._changed.notify_all()

    def _blocker(self, load: Load) -> Load | None:
        """Return a load that comes first: it has one of the modules, or has waited for longer for one of them."""
        wanted = set(load.modules)
        family = load.family
        for other in self._holding:
            if wanted.intersection(other.modules) and other.family is not family:
                return other
        if load.parent is not None:  # what waits may wait for its parent
            return None
        before = self._waiting[: self._waiting.index(load)]
        return next((other for other in before if wanted.intersection(other.modules)), None)

    def _check_circle(self, load: Load, other: Load) -> None:
        """Raise NestedLoad if `other` waits for the load that `load` is a part of."""
        waits = {each.family: each.waits_for.family for each in self._under_way() if each.waits_for is not None}
        found, seen = other.family, set()
        while found in waits and found not in seen:
            seen.add(found)
            found = waits[found]
            if found is load.family:
                raise NestedLoad(other)

    def _under_way(self) -> list[Load]:
        return [*self._holding, *self._waiting]

    def _have_give_way(self, load: Load) -> None:
        for other in self._holding:
            if other.give_way is not None and set(load.modules).intersection(other.modules):
                other.give_way()

    @contextmanager
    def giving_way(self, load: Load, give_way: Callable[[], object]) -> Iterator[None]:
        """Call `give_way` if, while the block runs, a thread that runs processes waits for `load`, or does by then.

        It is called with the lock's own one held, perhaps several times, and is to have the block end soon.
        """
        with self._changed:
            load.give_way = give_way
            self._changed.notify_all()
        try:
            yield
        finally:
            load.give_way = None

    # --- The commit ----------------------------------------------------------------------------------------

    @contextmanager
    def committing(self, load: Load) -> Iterator[None]:
        """Be the only one that commits while the block runs, or until `opened` begins in it."""
        self._committing.acquire()
        load.holds_commit = True
        try:
            yield
        finally:
            self._end_commit(load)

    def committed_since(self, load: Load, *, is_known: bool = False) -> set[str]:
        """Return the modules that other loads have committed since `load` began; with `is_known`, once only."""
        with self._changed:
            found = {name for name, number in self._commits.items() if number > load.began}
            if is_known:
                load.began = self._commit_count
        return found.difference(load.modules)

    def note_commit(self, load: Load) -> None:
        """Note that the modules of `load` are current. May be repeated."""
        load.note_current()
        with self._changed:
            self._commit_count += 1
            self._commits.update(dict.fromkeys(load.modules, self._commit_count))
            self._changed.notify_all()

    @contextmanager
    def opened(self, load: Load) -> Iterator[None]:
        """Let the code in the block load in its turn: the swap is done. May be repeated."""
        self._end_commit(load)
        load.is_open = True
        try:
            yield
        finally:
            load.is_open = False

    def _end_commit(self, load: Load) -> None:
        if load.holds_commit:
            load.holds_commit = False
            self._committing.release()

    def wait_for_first(self, load: Load, is_used: Callable[[str], bool]) -> set[str]:
        """Wait for the first loads, by others, of modules that `load` uses: they are imported, and not yet current.

        Two that use each other's do not wait. Returns: those modules. Raises: BrokenOff.
        """
        found: set[str] = set()
        with self._changed, load.waiting():
            while (other := self._first_used(load, is_used)) is not None:
                load.check()
                try:
                    self._check_circle(load, other)
                except NestedLoad:
                    break
                found.update(other.first)
                load.waits_for = other
                self._wait(threading.get_ident())
        return found

    def _first_used(self, load: Load, is_used: Callable[[str], bool]) -> Load | None:
        others = [other for other in self._holding if other.family is not load.family and not other.is_current]
        return next((other for other in others if any(is_used(name) for name in other.first)), None)

    # --- To the runtime's thread ---------------------------------------------------------------------------

    def call(self, function: Callable[[], Result]) -> Result:
        """Call `function` on the runtime's thread, between two turns; return its value or raise its exception.

        Called here if this is that thread, or none runs, or the one that does ends before it comes to it. What is
        interrupted before the function was begun has done nothing; so it is if the load of this thread is to end.
        """
        scheduler = runtime_thread()
        if scheduler is None or scheduler.is_own_thread():
            return function()
        load = self.current()

        def act() -> Result:
            if load is None:
                return function()
            me = threading.get_ident()
            with self._changed:
                self._acting.setdefault(me, []).append(load)
            try:
                return function()
            finally:
                with self._changed:
                    self._acting[me].remove(load)
                    if not self._acting[me]:
                        del self._acting[me]

        def look(is_gone: bool) -> None:
            if load is not None and load.is_to_end and job.future.cancel():
                raise BrokenOff
            if is_gone and job.future.cancel():
                raise _RuntimeEnded

        job: _Job[Result] = _Job(scheduler.thread, act)
        with self._changed:
            self._jobs.append(job)
            self._changed.notify_all()
        try:
            scheduler.call_threadsafe(self._run_job, job)
            return result_of(job.future, scheduler, look)
        except _RuntimeEnded:
            return function()
        except BaseException:
            if not job.future.cancel():
                job.future.exception()  # it was begun: let it end before the caller unwinds
            raise
        finally:
            self._forget(job)

    def _run_job(self, job: _Job[Any]) -> None:
        job.run()
        self._forget(job)

    def _forget(self, job: _Job[Any]) -> None:
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


load_lock = LoadLock()
