"""`Outbox`, the writer of a connection: everything that leaves it goes through here, whole and in order.

Any thread puts frames; the I/O thread sends them. Neither waits for the peer, so a peer that does not read holds up
neither the runtime nor another connection: past a limit it is cut off instead.

Channels hand over pushes when nothing else is to be sent and their time has come; code that makes one due calls `wake`.
The lock is shared with them, so that "what is still waiting, then the answer" is one step that nothing gets between.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from midflight.errors import ConnectionLost
from midflight.kernel import trouble

__all__ = ["Channel", "Outbox"]

_TURN_BYTES = 1024 * 1024
_LIMIT_BYTES = 32 * 1024 * 1024
"""Bytes that may wait for a peer: four answers of the largest size. More, and it has stopped reading."""

_log = logging.getLogger("midflight.epc")


class Channel(Protocol):
    """A source of pushes. Both methods are called with the outbox's lock held."""

    def due_at(self) -> float | None:
        """Return when the next push wants to leave, by the outbox's clock; None: not before a wake-up."""

    def push(self) -> None:
        """Put the next push into the outbox."""


class Outbox:
    """Frames that wait to be sent over a connection; one thread, the I/O thread, sends them by `transmit`.

    `wake` asks that thread to come; `cut` ends the connection at once. Neither may wait. `lock` is re-entrant.
    """

    def __init__(
        self,
        wake: Callable[[], object],
        cut: Callable[[], object],
        *,
        limit_bytes: int = _LIMIT_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lock = threading.Condition(threading.RLock())
        self.clock = clock
        self._wake = wake
        self._is_woken = False
        self._cut = cut
        self._limit_bytes = limit_bytes
        self._frames: deque[bytes] = deque()
        self._waiting_bytes = 0
        self.most_bytes = 0  # that have waited at once
        self._rest = memoryview(b"")  # of the frame that is being sent
        self._is_sending = False
        self.is_closed = False
        self._channels: list[Channel] = []

    def put(self, frame: bytes) -> None:
        """Send `frame` after all that were put before; return at once.

        Raises: ConnectionLost if the outbox is closed, or if this frame is one too many for a peer that does
        not read, which also ends the connection.
        """
        with self.lock:
            if self.is_closed:
                raise ConnectionLost("The connection is closed; the message was not sent. Connect again.")
            if self._waiting_bytes + len(frame) > self._limit_bytes:
                self.close()
                self._cut()
                raise ConnectionLost(
                    f"The peer left {self._waiting_bytes} bytes unread; the connection was closed and this "
                    "message not sent. Connect again."
                )
            self._frames.append(frame)
            self._waiting_bytes += len(frame)
            self.most_bytes = max(self.most_bytes, self._waiting_bytes)
        self.wake()

    def wake(self) -> None:
        """Have the waiting data sent. Callable from any thread, at any point of its work."""
        if not self._is_woken:
            self._is_woken = True
            self._wake()

    def attach(self, channel: Channel) -> None:
        """Let `channel` push whenever it is due."""
        with self.lock:
            self._channels.append(channel)
        self.wake()

    def detach(self, channel: Channel) -> None:
        """Ask `channel` for no more pushes. One that is not attached is not an error."""
        with self.lock:
            self._channels = [other for other in self._channels if other is not channel]

    def transmit(self, send: Callable[[memoryview], int]) -> float:
        """Send the waiting data, at most about a megabyte; return in how many seconds to come again.

        `send` sends some of the bytes it gets and says how many, or raises OSError, BlockingIOError while the peer
        takes none. The answer is 0 if more waits, infinity if nothing does. After another OSError nothing is sent any
        more: the peer is gone.
        """
        self._is_woken = False  # before looking: what is put from now on wakes again
        sent_bytes = 0
        try:
            while self._rest or self._begin_next():
                if sent_bytes >= _TURN_BYTES:
                    return 0.0
                count = send(self._rest)
                sent_bytes += count
                self._rest = self._rest[count:]
        except BlockingIOError:
            raise
        except OSError:
            self.close()
            self.forget()
            raise
        return self._seconds_to_wait()

    def close(self) -> None:
        """Take no more frames and ask no channel any more. What was put before is still sent."""
        with self.lock:
            self.is_closed = True
            self._channels.clear()
            self.lock.notify_all()

    def forget(self) -> None:
        """Drop what was put and has not been sent."""
        with self.lock:
            self._frames.clear()
            self._waiting_bytes = 0
            self._rest = memoryview(b"")
            self._is_sending = False
            self.lock.notify_all()

    def wait_empty(self, seconds: float) -> bool:
        """Wait until all that was put has been handed to the system, at most `seconds`; say if it was."""
        with self.lock:
            return self.lock.wait_for(lambda: not self._frames and not self._is_sending, seconds)

    def _begin_next(self) -> bool:
        """Begin with the next frame, one of a channel that is due if none waits; say whether there is one."""
        with self.lock:
            self._is_sending = False
            self.lock.notify_all()
            while not self._frames:
                channel = self._due_channel()
                if channel is None or channel[0] > self.clock():
                    return False
                try:
                    channel[1].push()
                except BaseException as error:
                    trouble.log_raised(_log, "a push failed; its channel is closed", error)
                    self.detach(channel[1])
            self._is_sending = True
            frame = self._frames.popleft()
            self._waiting_bytes -= len(frame)
            self._rest = memoryview(frame)
            return True

    def _due_channel(self) -> tuple[float, Channel] | None:
        due = [(moment, channel) for channel in self._channels if (moment := channel.due_at()) is not None]
        return min(due, key=lambda pair: pair[0], default=None)

    def _seconds_to_wait(self) -> float:
        with self.lock:
            if self._frames:
                return 0.0
            channel = self._due_channel()
            return math.inf if channel is None else max(0.0, channel[0] - self.clock())
