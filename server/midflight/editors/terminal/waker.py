"""Waiting for an answer in the main thread, so that no signal is slept through.

Python only notes a signal when it comes, and handles it when the main thread runs next. A main thread that is about to
sleep in a lock, as that of a future, would sleep on; so would one while another thread is given the signal. But the
byte that `signal.set_wakeup_fd` asks for is written at once: here the main thread sleeps until it can read one.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any

__all__ = ["Waker"]


class Waker:
    """A pipe that signals and futures write to, while the block runs: `with Waker() as waker`. For the main thread."""

    def __enter__(self) -> Waker:
        self._lock = threading.Lock()
        self._is_open = True
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._before = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        signal.set_wakeup_fd(self._before)
        with self._lock:
            self._is_open = False
            os.close(self._reading)
            os.close(self._writing)

    def result(self, future: Future[Any]) -> Any:
        """Return `future.result()`. Raises: its exception, or the one of a handler of a signal."""
        self.wait(future, lambda: False)
        return future.result()

    def wait(self, future: Future[Any], is_enough: Callable[[], bool]) -> None:
        """Return when `future` is done, or, after a `wake`, if `is_enough()`. Raises: that of a signal's handler."""
        future.add_done_callback(self.wake)
        while not future.done() and not is_enough():
            os.read(self._reading, 4096)

    def wake(self, _: object = None) -> None:
        """Have the main thread look again. From any thread, and after the block too."""
        with self._lock:
            try:
                if self._is_open:
                    os.write(self._writing, b"\0")
            except BlockingIOError:  # it is full: there is enough to wake up for
                pass
