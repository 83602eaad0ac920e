"""`States`: which states of a runtime are pickled when, and which crash makes a server begin by init.

The life of a change: a server is between two messages -> its state is pickled at once if there is time, else it is
`dirty` until a timer rings -> it is put to the writer if it differs from the one before.

Laws:
1. All runs on the scheduler's thread. Pickling takes at most a twentieth of its time; "sync" servers pay their own.
2. Once there is no time a server waits for its turn; each has one before any has a second one.
3. A server that is handling a message is passed over, and pickled as soon as it is between two.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakSet

from midflight.code.lowlevel import keep_texts_by, note_journal, unrestored
from midflight.durable.journal import StoreJournal
from midflight.durable.kept import Kept
from midflight.durable.last_run import LastRun
from midflight.durable.reading import Reader
from midflight.durable.refusals import Refusals
from midflight.durable.store import Store
from midflight.durable.store_error import StoreError
from midflight.errors import AlreadyStarted, NotDurable
from midflight.kernel import Life, Process, Scheduler, trouble
from midflight.otp import GenServer
from midflight.text import short

__all__ = ["SHARE", "States"]

SLICE_SECONDS = 0.002  # for which others wait at a time
SHARE = 20  # one part of so many is for pickling
LEAST_CRASHES = 2
CHOICES = ("disk", "last")

logger = logging.getLogger("midflight.durable")


class States:
    """The states of the durable servers of `scheduler`, in the store at `path`.

    `code` says what a start runs: the files, "disk", or what ran last, "last"; see `choose_code`.
    The scheduler's `on_store_trouble` are called, on its thread, when the store can't be written, and when it can.
    Raises: StoreError; ValueError for another `code`.
    """

    def __init__(self, path: str | os.PathLike[str], scheduler: Scheduler, code: str = "disk") -> None:
        if code not in CHOICES:
            raise ValueError(f'code must be "disk" or "last", not {code!r}; nothing was started')
        self.code = code
        self.refusals = Refusals()
        self.store = Store(path, self._tell)
        self.life = Life(scheduler.processes, self.store.creation)
        self.reader = Reader(self.life)
        self.scheduler = scheduler
        self.kept: dict[str, Kept] = {}  # by key, also of servers that have ended
        self.crashes: dict[str, deque[float]] = {}
        self.dirty: dict[Kept, float] = {}  # since when, by the scheduler's clock; the oldest first
        self.work_seconds: Callable[[], float] = time.perf_counter  # by which pickling is measured
        self._paid_at = 0.0  # when the time that was spent on pickling is a twentieth of what has passed
        self.longest_seconds = 0.0  # that a change has waited to be looked at
        self._timer: Any = None
        self._leave_journals = note_journal(StoreJournal(self))
        self._warned: WeakSet[type[Any]] = WeakSet()
        self.last_run = LastRun(self.store)
        self._leave_texts = keep_texts_by(self.store.texts)
        self.puts = 0  # states that were put to the writer

    def choose_code(self) -> None:
        """Say which files differ from what ran last, and have that run if `code` is "last". Raises: LoadError."""
        self.last_run.begin(self.code)

    # --- Servers that start ---------------------------------------------------------------------------------

    def keep(self, cls: type[Any], args: tuple[Any, ...], process: Process) -> Kept:
        """Return the keeping of a server that starts in `process`. Raises: NotDurable; AlreadyStarted."""
        if cls.begin is not GenServer.begin:
            raise NotDurable(f"{cls.__qualname__} is durable, and only a plain GenServer can be; it was not started")
        key = self._key_of(cls, args, process)
        before = self.kept.get(key)
        if before is not None and before.process.pid.process is before.process:
            raise AlreadyStarted(before.process.pid)
        if before is not None:
            before.save_last()
        self._warn_once(cls)
        found = self.kept[key] = Kept(self, key, cls, process)
        return found

    def _warn_once(self, cls: type[Any]) -> None:
        """Log what a class lacks after a restart, at the first start of a server of it."""
        if cls not in self._warned:
            self._warned.add(cls)
            for each in unrestored(cls):
                trouble.log(logger, logging.WARNING, each)

    def _key_of(self, cls: type[Any], args: tuple[Any, ...], process: Process) -> str:
        key = process.name if process.name is not None else cls.durable_key(*args)
        if key is None:
            raise NotDurable(
                f"{cls.__qualname__} is durable and has no key; it was not started. Start it with a name, or define "
                "durable_key(cls, *args)"
            )
        if not isinstance(key, str) or not key:
            raise NotDurable(f"{cls.__qualname__}.durable_key returned {short(key)}, not a name; it was not started")
        return str(key)

    def note_left_out(self) -> None:
        """Note that a supervisor goes on without a child whose state was refused."""
        self.refusals.note_left_out()

    # --- Crashes ----------------------------------------------------------------------------------------------

    def note_crash(self, kept: Kept) -> None:
        """Count a crash of a server, against the restarts that its supervisor allows."""
        self.crashes.setdefault(kept.key, deque(maxlen=100)).append(self.scheduler.clock.now())

    def begins_anew(self, kept: Kept) -> str | None:
        """Return why a server does not go on from its last state, None if it does."""
        times = self.crashes.get(kept.key)
        if not times:
            return None
        most, period = self._limits_of(kept.process)
        while times and times[0] < self.scheduler.clock.now() - period:
            times.popleft()
        if times and kept.cls.restart_from == "init":
            return "it crashed, and its class says restart_from = 'init'"
        return f"{len(times)} crashes in {period:g} s" if len(times) >= most else None

    def _limits_of(self, process: Process) -> tuple[int, float]:
        """Return how many crashes in how many seconds are too many: what the supervisor of `process` says, if any."""
        parent = None if process.parent is None else process.parent.process
        supervisor = None if parent is None else getattr(parent.behaviour, "server", None)
        flags = getattr(supervisor, "flags", None)
        if flags is None:
            return LEAST_CRASHES, 5.0
        return max(LEAST_CRASHES, flags.intensity), flags.period

    # --- Changes ----------------------------------------------------------------------------------------------

    def note(self, kept: Kept) -> None:
        """Have the state of a server, which is between two messages, pickled: now if there is time, else soon."""
        if kept in self.dirty:
            return
        begun = self.work_seconds()
        if self.dirty or self._paid_at > begun + SLICE_SECONDS * SHARE:
            self.dirty[kept] = self.scheduler.clock.now()
            if self._timer is None:
                self._ring_after(self._paid_at - begun)
            return
        kept.save()
        self._pay(begun)

    def _pay(self, begun: float) -> None:
        """Put down the time since `begun` to pickling."""
        now = self.work_seconds()
        self._paid_at = max(self._paid_at, begun) + (now - begun) * SHARE

    def unmark(self, kept: Kept) -> None:
        """Forget that a server is to be looked at."""
        self.dirty.pop(kept, None)

    def window_seconds(self) -> float:
        """Return for how long the oldest change has not been looked at; 0 if all have been."""
        since = min(self.dirty.values(), default=None)
        return 0.0 if since is None else self.scheduler.clock.now() - since

    def _ring_after(self, seconds: float) -> None:
        scheduler = self.scheduler
        self._timer = scheduler.timers.set(scheduler.clock.now() + max(seconds, SLICE_SECONDS), self._look)

    def _look(self) -> None:
        """Pickle states for a slice of time."""
        self._timer = None
        begun = self.work_seconds()
        for kept in list(self.dirty):
            if kept.is_busy:
                kept.is_wanted = True  # it comes back by itself
            else:
                kept.save()
            self.longest_seconds = max(self.longest_seconds, self.scheduler.clock.now() - self.dirty.pop(kept))
            if self.work_seconds() - begun > SLICE_SECONDS:
                break
        self._pay(begun)
        if self.dirty:
            self._ring_after(self._paid_at - self.work_seconds())

    # --- The store ----------------------------------------------------------------------------------------------

    def _tell(self, error: BaseException | None) -> None:
        if error is None:
            text = f"The store {self.store.path} is written again, with all states that waited."
        else:
            text = (
                f"The store {self.store.path} cannot be written: {error}. The servers run on, and "
                "their states wait in memory. Make room; it is tried again each second."
            )
        trouble.log(logger, logging.WARNING if error is None else logging.ERROR, text)
        for tell in list(self.scheduler.on_store_trouble):
            self.scheduler.on_own_thread(partial(tell, text))

    def close(self) -> None:
        """Write all that waits, and let go of the store; what could not be written is logged."""
        self.last_run.close()
        self._leave_texts()
        self._leave_journals()
        for kept in list(self.dirty):
            kept.save_last()
        self.dirty.clear()
        if self._timer is not None:
            self.scheduler.timers.cancel(self._timer)
            self._timer = None
        try:
            self.store.close()
        except StoreError as error:
            trouble.log(logger, logging.ERROR, str(error))
