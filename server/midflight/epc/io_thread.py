"""`IoThread`: it alone reads and writes all connections of a server, or the single one of a client.

    io.add(connection)      the thread reads it from now on
    io.wake(connection)     something waits to be sent
    io.remove(connection)   forget it and close its socket

Law: nothing that one connection sends, or does not read, and nothing that its code raises holds the others up. A
turn of one connection is short, one that has sent more than fits into its turn goes on after those that have not, and
sockets do not block.
"""

from __future__ import annotations

import logging
import math
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from midflight.epc.forks import hold
from midflight.kernel import trouble

__all__ = ["IoThread", "Stream"]

_CATCH_UP_SECONDS = 0.002
_log = logging.getLogger("midflight.epc")


class Stream(Protocol):
    """A connection as the thread sees it. All methods are called in the thread."""

    request: socket.socket

    def receive(self) -> bool:
        """Read and handle some of the incoming data; say whether more is there already.

        Raises: EOFError if the peer is gone, OSError if the connection broke; BlockingIOError if nothing has come.
        """

    def transmit(self) -> float:
        """Send some of what waits. Return in how many seconds to come again: 0 when the socket takes more, infinity
        when there is nothing. Raises: OSError.
        """

    def lost(self) -> None:
        """Note that nothing can be read any more; `remove` follows. Called once; must not wait."""


class IoThread:
    """A thread with a selector. The methods may be called from any thread, and do not wait for it, `stop` apart."""

    def __init__(self, name: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._waker, self._woken = socket.socketpair()
        for end in (self._waker, self._woken):
            end.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._asked: deque[Callable[[], object]] = deque()  # no lock: a finalizer may print in the middle of anything
        self._is_woken = False
        self._is_stopping = False
        self._is_over = False
        self._readable: dict[Stream, bool] = {}  # what is read, and whether more of it is there already
        self._behind: dict[Stream, None] = {}  # those that have more than a turn takes: after the others
        self._due: dict[Stream, float] = {}  # when what waits for its time is to be sent
        self._listening: dict[Stream, int] = {}  # what the selector looks for
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        hold(self)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def let_go(self) -> None:
        """Close a forked child's copies, which has no such thread."""
        self._waker.close()
        self._woken.close()
        self._selector.close()

    def stop(self) -> None:
        """End the thread; the connections that it has left are lost."""
        self._is_stopping = True
        self._ask(lambda: None)
        if threading.current_thread() is not self._thread and self._thread.is_alive():
            self._thread.join()

    def add(self, stream: Stream) -> None:
        """Read and write `stream` from now on; its socket does not block any more."""
        stream.request.setblocking(False)
        self._ask(lambda: self._add(stream))

    def wake(self, stream: Stream) -> None:
        """Send the waiting data of `stream`, if that was added."""
        self._ask(lambda: self._transmit(stream))

    def remove(self, stream: Stream) -> None:
        """Forget `stream` and close its socket."""
        self._ask(lambda: self._remove(stream))

    def _ask(self, function: Callable[[], object]) -> None:
        self._asked.append(function)
        if self._is_over:
            self._do_asked()
        if self._is_woken:
            return
        self._is_woken = True
        try:
            self._waker.send(b"\0")
        except OSError:
            pass  # the thread has ended, or has so many of them that it wakes anyway

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                self._turn()
        finally:
            self._is_over = True  # before the last look: what is asked from now on is done by the thread that asks
            self._do_asked()
            for stream in list(self._readable):
                stream.lost()
            for stream in list(self._listening):
                self._listen(stream, 0)
            self._selector.close()
            self._waker.close()
            self._woken.close()

    def _turn(self) -> None:
        now = time.monotonic()
        seconds = min(self._due.values(), default=math.inf) - now
        if any(self._readable.values()):
            seconds = 0.0
        events = self._selector.select(None if math.isinf(seconds) else max(0.0, seconds))
        for key, mask in events:
            stream = key.data
            if stream is None:
                self._answer()
                continue
            if mask & selectors.EVENT_WRITE:
                self._transmit(stream)
            if mask & selectors.EVENT_READ and stream in self._readable:
                self._readable[stream] = True
        for stream in [stream for stream, is_more in self._readable.items() if is_more and stream not in self._behind]:
            self._receive(stream)
        self._catch_up()
        now = time.monotonic()
        for stream in [stream for stream, moment in self._due.items() if moment <= now]:
            self._transmit(stream)

    def _catch_up(self) -> None:
        """Go on with streams that had more than a turn takes, one after another, until it is time for the others."""
        deadline = time.monotonic() + _CATCH_UP_SECONDS
        for _ in range(len(self._behind)):
            stream = next(iter(self._behind))
            del self._behind[stream]
            if self._readable.get(stream):
                self._receive(stream)
            if time.monotonic() > deadline:
                return

    def _answer(self) -> None:
        """Carry out the requests of other threads."""
        try:
            self._woken.recv(4096)
        except BlockingIOError:
            pass
        self._is_woken = False  # before looking: what is asked from now on wakes again
        self._do_asked()

    def _do_asked(self) -> None:
        while True:
            try:
                function = self._asked.popleft()
            except IndexError:
                return
            try:
                function()
            except BaseException as error:
                trouble.log_raised(_log, "a connection failed", error)

    def _add(self, stream: Stream) -> None:
        if stream.request.fileno() < 0 or self._is_over:
            stream.lost()
            return
        self._readable[stream] = True  # what came together with the first frames is there already
        self._due[stream] = math.inf
        self._transmit(stream)

    def _receive(self, stream: Stream) -> None:
        try:
            self._readable[stream] = is_more = stream.receive()
            if is_more:
                self._behind[stream] = None
        except BlockingIOError:
            self._readable[stream] = False
        except BaseException as error:
            # SystemExit and the like included: the other connections are not to end with this one.
            if not isinstance(error, (OSError, EOFError)):
                trouble.log_raised(_log, "a connection failed", error)
            del self._readable[stream]
            self._listen(stream, 0)
            stream.lost()

    def _transmit(self, stream: Stream) -> None:
        if stream not in self._due or self._is_over:
            return
        seconds = math.inf
        is_full = False
        try:
            seconds = stream.transmit()
        except BlockingIOError:
            is_full = True
        except BaseException as error:
            if not isinstance(error, OSError):
                trouble.log_raised(_log, "a connection failed", error)
        self._due[stream] = math.inf if math.isinf(seconds) else time.monotonic() + seconds
        self._listen(stream, selectors.EVENT_WRITE if is_full else 0)

    def _listen(self, stream: Stream, writing: int) -> None:
        wanted = writing | (selectors.EVENT_READ if stream in self._readable else 0)
        before = self._listening.pop(stream, 0)
        if wanted:
            self._listening[stream] = wanted
        if before and not wanted:
            self._selector.unregister(stream.request)
        elif wanted and not before:
            self._selector.register(stream.request, wanted, stream)
        elif wanted != before:
            self._selector.modify(stream.request, wanted, stream)

    def _remove(self, stream: Stream) -> None:
        if not self._is_over:
            self._readable.pop(stream, None)
            self._behind.pop(stream, None)
            self._listen(stream, 0)
            self._due.pop(stream, None)
        stream.request.close()
