"""Threads for work that may wait: started when they are needed, ended when they have been idle for a while.

An idle connection has no thread. A request that runs has one, for as long as it runs, so a request that never ends
takes no thread from another. Few begin at once, and the next when one of them has ended or has run for a moment:
threads that compute all at the same time would take the interpreter from each other, and from the I/O thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from midflight.kernel import trouble

__all__ = ["Workers"]

_AT_ONCE = 8
_PATIENCE_SECONDS = 0.02
_IDLE_SECONDS = 5.0
_log = logging.getLogger("midflight.epc")


class Workers:
    """A set of daemon threads that run jobs. Any thread may hand over a job; it never waits.

    Jobs begin in the order they came: at once if fewer than `at_once` have begun within `patience_seconds` and run.
    """

    def __init__(
        self,
        name: str,
        *,
        at_once: int = _AT_ONCE,
        patience_seconds: float = _PATIENCE_SECONDS,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self._name = name
        self._at_once = at_once
        self._patience_seconds = patience_seconds
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._jobs: deque[Callable[[], object]] = deque()
        self._begun: dict[int, float] = {}  # by thread: when the job that it runs began
        self._idle_count = 0
        self._is_watching = (
            False  # one thread alone looks when it is the next job's turn: a herd of them takes its time
        )
        self._is_stopping = False

    @property
    def is_behind(self) -> bool:
        """True if jobs wait: one that can be divided lets them begin first."""
        return bool(self._jobs)

    def run(self, job: Callable[[], object]) -> None:
        """Run `job` in a thread, soon. What it raises is logged.

        If the system gives no further thread, the job waits until one of those that there are is idle.
        """
        with self._changed:
            self._jobs.append(job)
            if self._idle_count:
                if not self._is_watching:
                    self._changed.notify()
                return
        self._start()

    def stop(self) -> None:
        """Let threads that are idle, or will be, end at once."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    def _start(self) -> None:
        try:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        except RuntimeError as error:
            text = "The system gave no further thread; a request waits until another is done."
            trouble.log_raised(_log, text, error, logging.WARNING)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except BaseException as error:
                # An exception that was sent to the thread for a request that had ended, SystemExit included: the
                # thread goes on, for what it was sent for is over.
                trouble.log_raised(_log, "a request failed outside its method", error)
            del job  # else an idle thread keeps the last one's connection

    def _next(self) -> Callable[[], object] | None:
        thread = threading.get_ident()
        with self._changed:
            self._begun.pop(thread, None)
            self._idle_count += 1
            try:
                job = self._wait()
            finally:
                self._idle_count -= 1
            if job is None:
                return None
            self._begun[thread] = time.monotonic()
            is_short = bool(self._jobs) and not self._idle_count
            if self._jobs and self._idle_count:
                self._changed.notify()
        if is_short:
            self._start()  # one that waits for the turn of the next
        return job

    def _wait(self) -> Callable[[], object] | None:
        """Return the next job when it is its turn; None if none comes for long."""
        end = time.monotonic() + self._idle_seconds
        while True:
            now = time.monotonic()
            fresh = [began for began in self._begun.values() if now - began < self._patience_seconds]
            if self._jobs and len(fresh) < self._at_once:
                return self._jobs.popleft()
            if self._jobs and not self._is_watching:
                self._is_watching = True
                try:
                    self._changed.wait(min(fresh) + self._patience_seconds - now)
                finally:
                    self._is_watching = False
            elif now >= end or (self._is_stopping and not self._jobs):
                return None
            else:
                self._changed.wait(end - now)
