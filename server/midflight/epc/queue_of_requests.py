"""The requests of one connection that run in order: one after another, by a worker while there are any.

The life of a request: `put` -> a worker, if the connection has none -> `handle`, which answers it. A request that steps
aside keeps its thread, and another worker goes on with those behind it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from midflight.epc.workers import Workers
from midflight.kernel import trouble

__all__ = ["QueueOfRequests"]

_WAITING_REQUESTS = 1000
_WAITING_BYTES = 4 * 8 * 1024 * 1024
_ASIDE_REQUESTS = 8
_TURN_SECONDS = 0.005
_log = logging.getLogger("midflight.epc")


class QueueOfRequests:
    """Payloads that wait for `handle`, at most a thousand or 32 MiB of them. Callable from any thread; nothing waits.

    `at_end` is called once, when the last request after `end` is handled.
    """

    def __init__(self, workers: Workers, handle: Callable[[bytes], object], at_end: Callable[[], object]) -> None:
        self._workers = workers
        self._handle = handle
        self._at_end = at_end
        self._lock = threading.Lock()
        self._requests: deque[bytes] = deque()
        self._is_working = False
        self._is_over = False
        self._retired: set[int] = set()
        self._waiting_bytes = 0
        self._begun_count = 0
        self.waiting_count = 0  # those that are not answered yet
        self.received_count = 0

    def put(self, payload: bytes) -> bool:
        """Handle `payload` behind all that were put before; say whether there was room for it."""
        with self._lock:
            if self.waiting_count >= _WAITING_REQUESTS or self._waiting_bytes + len(payload) > _WAITING_BYTES:
                return False
            self.waiting_count += 1
            self._waiting_bytes += len(payload)
            self.received_count += 1
            self._requests.append(payload)
            has_worker, self._is_working = self._is_working, True
        if not has_worker:
            self._workers.run(self._work)
        return True

    def step_aside(self) -> None:
        """Let later requests run while the calling one goes on waiting for something.

        Another worker takes the place of the calling thread, which ends with its request. Of too many such
        requests at once the next one keeps its place.
        """
        with self._lock:
            if threading.get_ident() in self._retired or len(self._retired) >= _ASIDE_REQUESTS:
                return
            self._retired.add(threading.get_ident())
            self._is_working = bool(self._requests) or self._is_over
            if not self._is_working:
                return
        self._workers.run(self._work)

    def has_begun(self, count: int) -> bool:
        """Say whether the first `count` requests have been begun."""
        return self._begun_count >= count

    def end(self, *, is_broken: bool) -> None:
        """Call `at_end` behind the last request, which is the one that runs if the connection `is_broken`."""
        with self._lock:
            self._is_over = True
            if is_broken:
                self.waiting_count -= len(self._requests)
                self._waiting_bytes -= sum(map(len, self._requests))
                self._requests.clear()
            if self._is_working:
                return
            self._is_working = True
        self._workers.run(self._work)

    def _work(self) -> None:
        turn_ends = time.monotonic() + _TURN_SECONDS
        while (payload := self._next()) is not None:
            try:
                self._handle(payload)
            except BaseException as error:
                # One that was sent to this thread for a method that had just returned: those behind it are served.
                trouble.log_raised(_log, "a request failed outside its method", error)
            with self._lock:
                self.waiting_count -= 1
                self._waiting_bytes -= len(payload)
                if threading.get_ident() in self._retired:
                    self._retired.remove(threading.get_ident())
                    return
            if self._workers.is_behind and time.monotonic() > turn_ends:  # those of other connections have their turn
                self._workers.run(self._work)
                return

    def _next(self) -> bytes | None:
        with self._lock:
            if self._requests:
                self._begun_count += 1
                return self._requests.popleft()
            self._is_working = False
            is_over = self._is_over
        if is_over:
            self._at_end()
        return None
