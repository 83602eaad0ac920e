"""A shell of a connection, and those that wait for another connection after theirs was lost.

A shell that was opened to be kept is parked when its connection ends without having closed it: its bindings, its jobs,
the evaluation that runs and the output of its processes wait for whoever resumes it. There is room for few: the one
that has waited longest makes room for the next.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque

from midflight.epc.pushes import Output
from midflight.shell import EvalResult, Session

__all__ = ["OpenShell", "ParkedShells"]

_PARKED = 8
_ANSWERS = 20


class OpenShell:
    """A session, its output, and the answers that no connection was there to take."""

    def __init__(self, number: int, session: Session, output: Output, *, is_kept: bool) -> None:
        self.number = number
        self.session = session
        self.output = output
        self.is_kept = is_kept
        self._changed = threading.Condition()
        self._running = 0
        self._answers: deque[EvalResult] = deque(maxlen=_ANSWERS)
        output.own = lambda: session.pids

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
        """Whether an evaluation runs, or waits, whose connection is gone or not."""
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

    def __len__(self) -> int:
        return len(self._shells)

    def park(self, shell: OpenShell) -> None:
        """Let `shell` wait; close the one that has waited longest if there are too many."""
        shell.output.park()
        with self._lock:
            self._shells[shell.number] = shell
            too_many = [self._shells.popitem(last=False)[1] for _ in range(len(self._shells) - self._kept)]
        for old in too_many:
            old.close()

    def take(self, number: int) -> OpenShell | None:
        """Return shell `number`, which waits no longer; its output does until `resume`. None if it is not here."""
        with self._lock:
            return self._shells.pop(number, None)
