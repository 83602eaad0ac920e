"""Threads for what may wait: started when they are needed, ended when they have been idle for a while.

An idle connection has no thread. A request that runs has one, for as long as it runs, so a request that waits for
ever takes no thread from another: there are as many threads as requests run at once.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

__all__ = ["Workers"]

_IDLE_SECONDS = 5.0
_log = logging.getLogger("midflight.epc")


class Workers:
    """A set of daemon threads that run jobs. Any thread may hand over a job; it never waits.

    Jobs begin in the order they came. The set has as many threads as jobs were running at once in the last
    `idle_seconds`.
    """

    def __init__(self, name: str, *, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._name = name
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._jobs: deque[Callable[[], object]] = deque()
        self._idle_count = 0
        self._is_stopping = False

    def run(self, job: Callable[[], object]) -> None:
        """Run `job` in a thread, soon. What it raises is logged.

        If the system gives no further thread, the job waits until one of those that there are is idle.
        """
        with self._changed:
            self._jobs.append(job)
            if len(self._jobs) <= self._idle_count:
                self._changed.notify()
                return
        try:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        except RuntimeError:
            _log.warning("The system gave no further thread; a request waits until another is done.", exc_info=True)

    def stop(self) -> None:
        """Let threads that are idle, or will be, end at once."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except BaseException:
                # An exception that was sent to the thread for a request that had ended, SystemExit included: the
                # thread goes on, for what it was sent for is over.
                _log.error("a request failed outside its method", exc_info=True)
            del job  # else an idle thread keeps the last one's connection

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            self._idle_count += 1
            try:
                if not self._jobs and not self._is_stopping:
                    self._changed.wait_for(lambda: self._jobs or self._is_stopping, self._idle_seconds)
                return self._jobs.popleft() if self._jobs else None
            finally:
                self._idle_count -= 1
