"""A thread's work with processes: how it starts the work and waits for it, and how it is told to stop waiting.

The life of one `run`: the thread asks -> the process is spawned on its scheduler's thread -> it ends, and the thread
goes on; or the ticket is stopped, the thread goes on at once, and the process is killed.

Laws:
1. What a thread asks of one scheduler happens in the order in which it asked. So a process that is to be killed has
   been spawned by then, and has run nothing if it never came to run.
2. A thread waits no longer than the runtime lives, and no moment after `stop`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future, InvalidStateError
from typing import Any, TypeVar

from midflight.code.loading.runtime_thread import result_of
from midflight.kernel import Process, Scheduler, exit

__all__ = ["Stopped", "Ticket"]

Result = TypeVar("Result")


class Stopped(Exception):
    """The work under way is to be given up; the text says why."""


class Ticket:
    """One thread's work with processes, for callers that may stop it. `is_holding`: something is to be undone."""

    def __init__(self) -> None:
        self.is_holding = False
        self._lock = threading.Lock()
        self._why: str | None = None
        self._future: Future[Any] | None = None

    def stop(self, why: str) -> None:
        """Have the thread raise Stopped, now if it waits, else when it next would. From any thread; twice is once."""
        with self._lock:
            self._why = self._why or why
            future = self._future
        if future is not None:
            future.cancel()

    def check(self) -> None:
        """Raise Stopped if it is to stop."""
        if self._why is not None:
            raise Stopped(self._why)

    def run(
        self, scheduler: Scheduler, function: Callable[..., Coroutine[Any, Any, Result]], *arguments: object
    ) -> Result:
        """Run `function` in a process of `scheduler`, from another thread; return its value or raise its error.

        Raises: Stopped, also if the process or its runtime is ended.
        """
        future: Future[Result] = Future()
        begun: list[Process] = []

        def settle(reason: object, value: Result) -> None:
            try:
                if isinstance(reason, str) and reason == "normal":
                    future.set_result(value)
                elif isinstance(reason, Exception):
                    future.set_exception(reason)
                else:
                    future.set_exception(Stopped(f"the process that sees to it was ended: {reason!r}"))
            except InvalidStateError:  # nobody waits any more
                pass

        def begin() -> None:
            process = scheduler.spawn(function, arguments)
            begun.append(process)
            scheduler.on_result[process] = settle

        def end() -> None:
            for process in begun:
                exit(process.pid, "kill")

        scheduler.on_own_thread(begin)
        try:
            return self._wait(future, scheduler)
        except BaseException:
            scheduler.on_own_thread(end)
            raise

    def _wait(self, future: Future[Result], scheduler: Scheduler) -> Result:
        with self._lock:
            self.check()
            self._future = future
        try:
            return result_of(future, scheduler, self._look)
        except CancelledError:
            self.check()
            raise
        finally:
            with self._lock:
                self._future = None

    def _look(self, is_gone: bool) -> None:
        if is_gone:
            raise Stopped("its runtime has ended") from None
