"""The operations that wait to be sent to one node, and the thread that sends them. It alone waits for the network.

Laws: what is put first is sent first; `size` never counts what is sent; a closed outbox takes nothing and drops what it
has, which its session has lost anyhow.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from midflight.cluster.frames import FrameWriter

__all__ = ["HIGH_BYTES", "LOW_BYTES", "MOST_BYTES", "Outbox"]

HIGH_BYTES = 4 * 1024 * 1024
"""As much waits for a node before who sends to it has to wait. OTP: +zdbbl, one megabyte."""

LOW_BYTES = HIGH_BYTES // 4
"""As little waits when they go on."""

MOST_BYTES = 128 * 1024 * 1024
"""More is not taken of one process, or of one step of it."""

FRAME_BYTES = 64 * 1024  # of one frame, if it holds more than one operation
_OVERHEAD = 64  # of one operation in memory, so that many small ones count, too


class Outbox:
    """The operations that wait. `send` gets each frame and may block; `eased` is called when LOW_BYTES are left.

    Both are called in the outbox's own thread; `failed` too, if `send` raises: nothing is sent after that.
    """

    def __init__(
        self,
        name: str,
        frames: FrameWriter,
        send: Callable[[bytes], object],
        eased: Callable[[], object],
        failed: Callable[[Exception], object],
    ) -> None:
        self._frames, self._send, self._eased, self._failed = frames, send, eased, failed
        self._operations: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._is_high = False
        self.size = 0
        self._thread = threading.Thread(target=self._run, name=f"midflight-to-{name}", daemon=True)
        self._thread.start()

    def put(self, operation: bytes) -> None:
        """Have `operation` sent. Safe from any thread; never blocks."""
        with self._changed:
            if self._is_closed:
                return
            self.size += len(operation) + _OVERHEAD
            self._is_high = self._is_high or self.size > HIGH_BYTES
            self._operations.append(operation)
            if len(self._operations) == 1:
                self._changed.notify_all()

    def wait_for_room(self) -> None:
        """Block the calling thread, which is not the runtime's, until little waits or the outbox is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or not self._is_high)

    def close(self, *, drop: bool = True) -> None:
        """Send no more; without `drop` what waits is sent first. Returns at once."""
        with self._changed:
            self._is_closed = True
            if drop:
                self._operations.clear()
                self.size = 0
            self._changed.notify_all()

    def join(self, seconds: float) -> None:
        """Wait until the thread has ended, `seconds` at the most."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while (operations := self._next()) is not None:
            try:
                self._send(self._frames.frame(operations))
            except Exception as error:
                self.close()
                self._failed(error)
                return

    def _next(self) -> list[bytes] | None:
        """Wait for operations and take as many as a frame holds; None at the end."""
        with self._changed:
            while not self._operations:
                if self._is_closed:
                    return None
                self._changed.wait()
            taken: list[bytes] = []
            length = 0
            while self._operations and (not taken or length + len(self._operations[0]) <= FRAME_BYTES):
                operation = self._operations.popleft()
                length += len(operation)
                taken.append(operation)
            self.size -= length + _OVERHEAD * len(taken)
            has_eased = self._is_high and self.size <= LOW_BYTES
            if has_eased:
                self._is_high = False
                self._changed.notify_all()
        if has_eased:
            self._eased()
        return taken
