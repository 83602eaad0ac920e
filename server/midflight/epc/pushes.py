"""What the server says unasked: output of shell sessions, loads by others, crashes. With flow control.

The life of a push: text or an event is added (by the runtime's thread, which never waits), the outbox finds
the channel due, the push leaves as an ordinary EPC call, and the peer's answer to it opens the window for the
next. A peer that does not answer gets a few pushes and no more; what waits for it is bounded.

    000031(call 3 shell/output (1 "Sum is 3\\nSum is 0\\n"))
    00000d(return 3 t)
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Protocol, TextIO

from midflight.epc.backlog import Backlog
from midflight.epc.outbox import Outbox
from midflight.errors import ConnectionLost

__all__ = ["Events", "Output", "Pusher"]

_WINDOW = 4
_BATCH_CHARACTERS = 4096
_BATCH_SECONDS = 0.05
_PUSH_CHARACTERS = 32 * 1024
_HEAD_CHARACTERS = 64 * 1024
_TAIL_CHARACTERS = 192 * 1024
_EVENTS = 64


class Pusher(Protocol):
    """What a channel needs of its connection."""

    outbox: Outbox

    def push(self, method: str, arguments: list[object], answered: Callable[[object], object]) -> None:
        """Send a call; `answered` is called with whatever answer comes, once, or when the peer is lost."""


class _Windowed:
    """Count the pushes of one channel that the peer has not answered."""

    def __init__(self, connection: Pusher) -> None:
        self._connection = connection
        self._outbox = connection.outbox
        self._unanswered = 0

    def _push(self, method: str, *arguments: object) -> None:
        self._unanswered += 1
        self._connection.push(method, list(arguments), self._answered)

    def _answered(self, _answer: object) -> None:
        with self._outbox.lock:
            self._unanswered -= 1
            self._outbox.lock.notify_all()


class Output(_Windowed):
    """The group leader of one shell session: what its processes print becomes `shell/output` pushes.

    A push leaves 50 ms after its first character, or at 4096 characters, or before the answer of the
    evaluation. When the session is closed, text of processes that live on goes to `afterwards`.
    """

    def __init__(self, connection: Pusher, session: int, afterwards: TextIO) -> None:
        super().__init__(connection)
        self._session = session
        self._afterwards = afterwards
        self._backlog = Backlog(_HEAD_CHARACTERS, _TAIL_CHARACTERS)
        self._due_at = math.inf
        self._is_open = True
        self.owner = ""  # whose shell it is, for people: the history of versions names it
        self._outbox.attach(self)

    def __repr__(self) -> str:
        return f"<shell {self._session}{'' if self._is_open else ', closed'}>"

    def write(self, text: str) -> None:
        """Add `text` to what waits. Callable from any thread; never waits for the peer."""
        if not text:
            return
        with self._outbox.lock:
            if self._is_open:
                self._backlog.add(text)
                was_due_at = self._due_at
                self._due_at = min(was_due_at, self._outbox.clock() + _BATCH_SECONDS)
                if len(self._backlog) >= _BATCH_CHARACTERS:
                    self._due_at = -math.inf
                if self._due_at != was_due_at:
                    self._outbox.lock.notify_all()
                return
        self._write_afterwards(text)

    def flush(self) -> None:
        """Let what waits leave as soon as the peer has room, without the 50 ms."""
        with self._outbox.lock:
            if len(self._backlog):
                self._due_at = -math.inf
                self._outbox.lock.notify_all()

    def drain(self) -> None:
        """Put all that waits into the outbox now, window or not: the answer that follows must come after it.

        It is bounded by the backlog's limits, so a slow peer gets at most that much ahead of an answer.
        """
        with self._outbox.lock:
            try:
                while len(self._backlog):
                    self.push()
            except ConnectionLost:
                # The answer that was to follow is lost the same way; its sender hears of it.
                self.close()

    def close(self) -> None:
        """Push no more. What is still waiting, and all that is written from now on, goes to `afterwards`."""
        with self._outbox.lock:
            self._is_open = False
            self._outbox.detach(self)
            left = []
            while len(self._backlog):
                left.append(self._backlog.take(_PUSH_CHARACTERS))
        self._write_afterwards("".join(left))

    def _write_afterwards(self, text: str) -> None:
        try:
            self._afterwards.write(text)
        except OSError:
            # The log is gone, a closed pipe perhaps; a process must not crash because it printed.
            pass

    def due_at(self) -> float | None:
        """See `Channel`."""
        if not len(self._backlog) or self._unanswered >= _WINDOW:
            return None
        return self._due_at

    def push(self) -> None:
        """See `Channel`."""
        text = self._backlog.take(_PUSH_CHARACTERS)
        if not len(self._backlog):
            self._due_at = math.inf
        self._push("shell/output", self._session, text)


class Events(_Windowed):
    """Reports to one connection: who loaded what, which process crashed. In order, the oldest 64 waiting.

    When more come than the peer takes, the newest are dropped, and the next that fits says how many under
    `dropped`.
    """

    def __init__(self, connection: Pusher) -> None:
        super().__init__(connection)
        self._waiting: deque[tuple[str, dict[str, object]]] = deque()
        self._dropped = 0
        self._outbox.attach(self)

    def add(self, method: str, plist: dict[str, object]) -> None:
        """Push `method` with `plist` when its turn comes. Callable from any thread; never waits."""
        with self._outbox.lock:
            if len(self._waiting) >= _EVENTS:
                self._dropped += 1
                return
            if self._dropped:
                plist = {**plist, "dropped": self._dropped}
                self._dropped = 0
            self._waiting.append((method, plist))
            self._outbox.lock.notify_all()

    def due_at(self) -> float | None:
        """See `Channel`."""
        return -math.inf if self._waiting and self._unanswered < _WINDOW else None

    def push(self) -> None:
        """See `Channel`."""
        self._push(*self._waiting.popleft())
