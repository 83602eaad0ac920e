"""The hold of a runtime whose thread debugpy has stopped: other front ends see it, and let it go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from midflight.asking import hold_of, stand
from midflight.kernel import Pid, Scheduler

__all__ = ["Standing", "Stop"]


class Stop:
    """A Hold: the debugger has stopped the thread of the runtime in the process `pid`."""

    prompt = "the debugger"
    about: Mapping[str, object] | None = None
    leader: object = None

    def __init__(self, pid: Pid, client: str, resume: Callable[[], object]) -> None:
        self.pid = pid
        self.client = client
        self.since = time.time()
        self._resume = resume
        self.is_over = False

    def go_on(self) -> bool:
        """Have the debugger let all threads go on."""
        if self.is_over:
            return False
        self._resume()
        return True


class Standing:
    """Notes when the runtime stands in the debugger. `resume` lets it go on; `client` is whose debugger it is."""

    def __init__(self, scheduler: Scheduler, client: str, resume: Callable[[], object]) -> None:
        self._scheduler = scheduler
        self._client = client
        self._resume = resume
        self._lock = threading.Lock()
        self._stop: tuple[Stop, Callable[[], None]] | None = None

    def begin(self) -> None:
        """Note that the debugger has stopped threads. The runtime stands with them if a process has its turn."""
        with self._lock:
            process = self._scheduler.current()
            if self._stop is not None or process is None or hold_of(self._scheduler) is not None:
                return
            stop = Stop(process.pid, self._client, self._resume)
            self._stop = stop, stand(self._scheduler, stop)

    def end(self) -> None:
        """Note that the threads are about to go on, before they do: the time is left out of the runtime's clock."""
        with self._lock:
            if self._stop is not None:
                stop, go_on = self._stop
                self._stop = None
                stop.is_over = True
                go_on()
