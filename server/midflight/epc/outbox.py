"""The one writer of a connection: everything that leaves it goes through here, whole and in order.

Any thread puts frames; one thread sends them. Nobody who puts a frame ever waits for the peer, so a peer that
does not read holds up neither the runtime nor another connection: past a limit it is cut off instead.

Channels hand over pushes when the writer has nothing else to send and their time has come. The lock is
shared with them, so that "what is still waiting, then the answer" is one step that nothing gets between.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from midflight.errors import ConnectionLost

__all__ = ["Channel", "Outbox"]

_LIMIT_BYTES = 32 * 1024 * 1024
"""Bytes that may wait for a peer: four answers of the largest size. More, and it has stopped reading."""


class Channel(Protocol):
    """A source of pushes. Both methods are called with the outbox's lock held."""

    def due_at(self) -> float | None:
        """Return when the next push wants to leave, by the outbox's clock; None: not before a wake-up."""

    def push(self) -> None:
        """Put the next push into the outbox."""


class Outbox:
    """Send frames over a connection from one thread, which runs `run`.

    `send` sends one whole frame or raises OSError; `cut` ends the connection at once. `lock` is re-entrant.
    """

    def __init__(
        self,
        send: Callable[[bytes], object],
        cut: Callable[[], object],
        *,
        limit_bytes: int = _LIMIT_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lock = threading.Condition(threading.RLock())
        self.clock = clock
        self._send = send
        self._cut = cut
        self._limit_bytes = limit_bytes
        self._frames: deque[bytes] = deque()
        self._waiting_bytes = 0
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
            self.lock.notify_all()

    def attach(self, channel: Channel) -> None:
        """Let `channel` push whenever it is due."""
        with self.lock:
            self._channels.append(channel)
            self.lock.notify_all()

    def detach(self, channel: Channel) -> None:
        """Ask `channel` for no more pushes. One that is not attached is no error."""
        with self.lock:
            self._channels = [other for other in self._channels if other is not channel]

    def run(self) -> None:
        """Send until closed and empty, or until the peer is gone. Runs in the writer's thread."""
        try:
            while (frame := self._next()) is not None:
                self._send(frame)
        except OSError:
            # The peer is gone. The reader of the same socket meets the same end and tidies up.
            pass
        finally:
            with self.lock:
                self._frames.clear()
                self._waiting_bytes = 0
                self._is_sending = False
                self.close()

    def close(self) -> None:
        """Take no more frames and ask no channel any more. What was put before is still sent."""
        with self.lock:
            self.is_closed = True
            self._channels.clear()
            self.lock.notify_all()

    def wait_empty(self, seconds: float) -> bool:
        """Wait until all that was put has been handed to the system, at most `seconds`; say if it was."""
        with self.lock:
            return self.lock.wait_for(lambda: not self._frames and not self._is_sending, seconds)

    def _next(self) -> bytes | None:
        with self.lock:
            self._is_sending = False
            self.lock.notify_all()
            while not self._frames:
                if self.is_closed:
                    return None
                due = [(moment, channel) for channel in self._channels if (moment := channel.due_at()) is not None]
                moment, channel = min(due, key=lambda pair: pair[0], default=(None, None))
                if moment is None or channel is None:
                    self.lock.wait()
                elif moment > (now := self.clock()):
                    self.lock.wait(moment - now)
                else:
                    channel.push()
            self._is_sending = True
            frame = self._frames.popleft()
            self._waiting_bytes -= len(frame)
            return frame
