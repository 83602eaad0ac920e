"""The shell of a connection, and the shells that wait for another one after theirs was lost.

A shell that was opened to be kept is parked when its connection ends without having closed it: its bindings, its jobs,
the evaluation that runs and the output of its processes wait for a connection that takes it up. There is room for
few: the longest waiting one makes room for the next. No shell is taken from a connection that lives, unless that set it
aside; and then only by its number.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque

from midflight.epc.pushes import Output
from midflight.shell import EvalResult, Session

__all__ = ["OpenShell", "ParkedShells"]

_PARKED = 8
_ANSWERS = 20


class OpenShell:
    """A session, its output, and the answers that no connection was there to take.

    `client` is who has it, or had it last, for people. `waits_since` is in seconds since the epoch, None while it does
    not wait; `set_aside_by` the connection that lives and does without it, None if that has ended. `owners` counts the
    connections that have had it.
    """

    def __init__(self, number: int, session: Session, output: Output, *, client: str, is_kept: bool) -> None:
        self.number = number
        self.session = session
        self.output = output
        self.client = client
        self.is_kept = is_kept
        self.owners = 1
        self.waits_since: float | None = None
        self.set_aside_by: object = None
        self._changed = threading.Condition()
        self._running = 0
        self._answers: deque[EvalResult] = deque(maxlen=_ANSWERS)
        output.own = lambda: session.pids

    def taken(self, client: str, *, is_kept: bool) -> None:
        """Note its new owner."""
        self.owners += 1
        self.client, self.is_kept = client, is_kept
        self.waits_since = self.set_aside_by = None

    def close(self) -> None:
        """End the session; what its processes print from now on goes to the server's log."""
        self.session.close()
        self.output.close()

    def begin(self) -> None:
        """Note that an evaluation was asked for."""
        with self._changed:
            self._running += 1

    def end(self) -> None:
        """Note that one is over."""
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def keep(self, result: EvalResult) -> None:
        """Keep an answer whose connection is gone."""
        with self._changed:
            self._answers.append(result)

    @property
    def is_busy(self) -> bool:
        """True while an evaluation runs or waits, no matter whether its connection is gone."""
        with self._changed:
            return self._running > 0

    def take_answers(self) -> list[EvalResult]:
        """Return the kept answers, oldest first, and forget them."""
        with self._changed:
            answers = list(self._answers)
            self._answers.clear()
            return answers

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until nothing is evaluated, at most `seconds`; say whether it came to that."""
        with self._changed:
            return self._changed.wait_for(lambda: self._running == 0, seconds)


class ParkedShells:
    """The shells that wait for a connection, by number. Any thread may ask."""

    def __init__(self, kept: int = _PARKED) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._shells: OrderedDict[int, OpenShell] = OrderedDict()
        self._taken: OrderedDict[int, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._shells)

    def park(self, shell: OpenShell, *, by: object = None) -> None:
        """Let `shell` wait; close the one that has waited longest if there are too many.

        `by` is the connection that sets it aside, None if its connection has ended.
        """
        shell.output.park()
        shell.waits_since, shell.set_aside_by = time.time(), by
        with self._lock:
            self._shells[shell.number] = shell
            too_many = [self._shells.popitem(last=False)[1] for _ in range(len(self._shells) - self._kept)]
        for old in too_many:
            old.close()

    def all(self) -> list[OpenShell]:
        """Return the shells, the longest waiting first."""
        with self._lock:
            return list(self._shells.values())

    def release(self, connection: object) -> None:
        """Note that `connection` has ended: anybody may take up the shells that it had set aside."""
        for shell in self.all():
            if shell.set_aside_by is connection:
                shell.set_aside_by = None

    def take(self, number: int, client: str) -> OpenShell | None:
        """Return shell `number`, which waits no longer; its output does until `resume`. None if it is not here.

        `client` is who takes it, for `taken_by`.
        """
        with self._lock:
            return self._take(self._shells.get(number), client)

    def take_youngest(self, client: str) -> OpenShell | None:
        """Take the shell that has waited least among those whose connection has ended, as `take` does."""
        with self._lock:
            gone = [shell for shell in self._shells.values() if shell.set_aside_by is None]
            return self._take(gone[-1] if gone else None, client)

    def taken_by(self, number: int) -> str | None:
        """Return the name of the client that took shell `number` up, of the last few; None if that is not known."""
        return self._taken.get(number)

    def _take(self, shell: OpenShell | None, client: str) -> OpenShell | None:
        if shell is not None:
            del self._shells[shell.number]
            self._taken[shell.number] = client
            while len(self._taken) > self._kept:
                self._taken.popitem(last=False)
        return shell
