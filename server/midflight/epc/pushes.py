"""Pushes, which the server sends unasked: output of shell sessions, loads by others, crashes. With flow control.

The life of a push: text or an event is added (by the runtime's thread, which never waits), the outbox finds
the channel due, the push leaves as an ordinary EPC call, and the peer's answer to it opens the window for the
next. A peer that does not answer gets a few pushes and no more; what waits for it is bounded.

    000031(call 3 shell/output (1 "Sum is 3\\nSum is 0\\n"))
    00000d(return 3 t)
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol, TextIO

from midflight.asking import Question
from midflight.epc.backlog import Backlog
from midflight.epc.outbox import Outbox
from midflight.errors import ConnectionLost, NotInProcess
from midflight.kernel import Pid, current_process

__all__ = ["Events", "Output", "Pusher", "Windowed"]

_WINDOW = 4
_BATCH_CHARACTERS = 4096
_BATCH_SECONDS = 0.05
_PUSH_CHARACTERS = 32 * 1024
_HEAD_CHARACTERS = 64 * 1024
_TAIL_CHARACTERS = 192 * 1024
_EVENTS = 64
_GONE = "the front end that started this process is gone; nothing was read. Attach again, and ask again"
_CLOSED = "the shell that started this process was closed; nothing was read. Spawn the process in another shell"


class Pusher(Protocol):
    """The part of a connection that a channel needs."""

    outbox: Outbox

    def push(self, method: str, arguments: list[object], answered: Callable[[object], object]) -> None:
        """Send a call; `answered` is called with whatever answer comes, once, or when the peer is lost."""


class Windowed:
    """Count the pushes of one channel that the peer has not answered."""

    def __init__(self, connection: Pusher) -> None:
        self._connection = connection
        self._outbox = connection.outbox
        self._unanswered = 0

    def _push(self, method: str, *arguments: object) -> None:
        self._unanswered += 1
        self._connection.push(method, list(arguments), partial(self._answered, self._connection))

    def _answered(self, asked: Pusher, _answer: object) -> None:
        with asked.outbox.lock:
            if asked is self._connection:  # else the answer is one of a connection that was lost
                self._unanswered -= 1
                self._was_answered()
                asked.outbox.wake()

    def _was_answered(self) -> None:
        """Forget the oldest push that had no answer. Called with the outbox's lock held."""


class Output(Windowed):
    """The group leader of one shell session: what its processes print becomes `shell/output` pushes.

    A push leaves 50 ms after its first character, or at 4096 characters, or before the answer of the
    evaluation. When the session is closed, text of processes that live on goes to `afterwards`.

    With `tells_writers` a push has one argument more: a list of (LENGTH PID), for each piece of the text in order;
    PID is nil for what the shell's own evaluation printed, or a thread. `own` gives the pids that are the shell's own.
    One that `is_kept` waits for `resume` when its connection is lost.
    """

    def __init__(
        self,
        connection: Pusher,
        session: int,
        afterwards: TextIO,
        *,
        tells_writers: bool = False,
        is_kept: bool = False,
    ) -> None:
        super().__init__(connection)
        self._is_kept = is_kept
        self.own: Callable[[], tuple[Pid, ...]] = tuple
        self._tells_writers = tells_writers
        self._session = session
        self._afterwards = afterwards
        self._backlog: Backlog[Pid] = Backlog(_HEAD_CHARACTERS, _TAIL_CHARACTERS)
        self._sent: deque[list[tuple[str, Pid | None]]] = deque()  # and not answered yet
        self._due_at = math.inf
        self._is_open = True
        self._is_parked = False
        self._questions: dict[int, Question] = {}  # that are not answered
        self.owner = ""  # whose shell it is, for people: the history of versions names it
        self._outbox.attach(self)

    def __repr__(self) -> str:
        return f"<shell {self._session}{'' if self._is_open else ', closed'}>"

    def write(self, text: str) -> None:
        """Add `text` to the backlog. Callable from any thread; never waits for the peer."""
        if not text:
            return
        writer = self._writer() if self._tells_writers else None
        with self._locked():
            if self._is_open:
                self._backlog.add(text, writer)
                was_due_at = self._due_at
                self._due_at = min(was_due_at, self._outbox.clock() + _BATCH_SECONDS)
                if len(self._backlog) >= _BATCH_CHARACTERS:
                    self._due_at = -math.inf
                if self._due_at != was_due_at:
                    self._outbox.wake()
                return
        self._write_afterwards(text)

    def _writer(self) -> Pid | None:
        try:
            pid = current_process("print").pid
        except NotInProcess:
            return None
        return None if pid in self.own() else pid

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of the connection that this channel has, which may be another one by the time it is free."""
        while True:
            outbox = self._outbox
            with outbox.lock:
                if outbox is self._outbox:
                    yield
                    return

    def flush(self) -> None:
        """Let the waiting text leave as soon as the peer has room, without the 50 ms."""
        with self._locked():
            if len(self._backlog):
                self._due_at = -math.inf
                self._outbox.wake()

    def drain(self) -> None:
        """Put all that waits into the outbox now, window or not: the answer that follows must come after it.

        It is bounded by the backlog's limits, so a slow peer gets at most that much ahead of an answer.
        """
        with self._locked():
            try:
                while len(self._backlog) and not self._is_parked:
                    self.push()
            except ConnectionLost:
                # The answer that was to follow is lost the same way; its sender is told.
                if self._is_kept:
                    self.park()
                else:
                    self.close()

    @property
    def connection(self) -> Pusher | None:
        """The connection that takes the output now, None without one."""
        return None if self._is_parked or not self._is_open else self._connection

    def ask(self, question: Question) -> None:
        """Have the front end ask `question`, below all that was printed; refuse it if there is no front end."""
        with self._locked():
            if self._is_open and not self._is_parked:
                self._questions[question.number] = question
                try:
                    while len(self._backlog):
                        self.push()
                    plist = {"id": question.number, "prompt": question.prompt, "secret": question.is_secret}
                    plist |= {"pid": None if question.pid is None else repr(question.pid), "about": question.about}
                    self._connection.push("shell/read", [self._session, plist], partial(self._heard, question))
                except ConnectionLost:
                    question.refuse(_GONE)  # and what it means for the output is seen to where the end is noticed
                return
        question.refuse(_GONE if self._is_open else _CLOSED)

    def _heard(self, question: Question, answer: object) -> None:
        """Take in that the front end shows the question, or an error: it cannot."""
        if isinstance(answer, BaseException):
            question.refuse("the front end that started this process cannot ask for a line; nothing was read")

    def withdraw(self, question: Question) -> None:
        """Have the front end ask `question` no longer."""
        with self._locked():
            if self._questions.pop(question.number, None) is not None and self._is_open and not self._is_parked:
                try:
                    self._connection.push("shell/unread", [self._session, question.number], lambda _: None)
                except ConnectionLost:
                    pass  # it asks nothing any more

    def question(self, number: int | None = None) -> Question | None:
        """Return question `number`, by default the last one, if it is not answered."""
        with self._locked():
            if number is None:
                number = next(reversed(self._questions), None)
            return None if number is None else self._questions.get(number)

    def take_question(self, number: int) -> Question | None:
        """Return question `number`, which counts as answered from now on."""
        with self._locked():
            return self._questions.pop(number, None)

    def _refuse_all(self, why: str) -> None:
        """Refuse what is not answered. Called with the lock held."""
        questions, self._questions = self._questions, {}
        for question in questions.values():
            question.refuse(why)

    def park(self) -> None:
        """Keep all output, within the backlog's limits, until `resume`: the connection was lost."""
        with self._locked():
            self._refuse_all(_GONE)
            self._outbox.detach(self)
            self._is_parked = True
            self._backlog.put_back(run for runs in self._sent for run in runs)
            self._sent.clear()

    @property
    def waiting(self) -> int:
        """The number of characters that have not been pushed yet."""
        with self._locked():
            return len(self._backlog)

    def resume(self, connection: Pusher, *, tells_writers: bool, is_kept: bool) -> None:
        """Push the kept output, and all that comes, to `connection`, as that one wants it."""
        with self._locked(), connection.outbox.lock:
            self._tells_writers, self._is_kept = tells_writers, is_kept
            self._connection, self._outbox = connection, connection.outbox
            self._unanswered = 0
            self._is_parked = False
            self._due_at = -math.inf if len(self._backlog) else math.inf
            self._outbox.attach(self)

    def close(self) -> None:
        """Push no more. The waiting output, and all that is written from now on, goes to `afterwards`."""
        with self._locked():
            self._is_open = False
            self._refuse_all(_CLOSED)
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
        """Return when the next output wants to leave, by the outbox's clock; None if none may leave now."""
        if not len(self._backlog) or self._unanswered >= _WINDOW:
            return None
        return self._due_at

    def push(self) -> None:
        """Put the next run of output into the outbox."""
        runs = self._backlog.take_runs(_PUSH_CHARACTERS)
        if not len(self._backlog):
            self._due_at = math.inf
        self._sent.append(runs)
        writers = (
            [[[len(text), None if pid is None else repr(pid)] for text, pid in runs]] if self._tells_writers else []
        )
        self._push("shell/output", self._session, "".join(text for text, _ in runs), *writers)

    def _was_answered(self) -> None:
        if self._sent:
            self._sent.popleft()


class Events(Windowed):
    """Reports to one connection: loads by other clients, crashes. In order, the oldest 64 waiting.

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
            self._outbox.wake()

    def due_at(self) -> float | None:
        """Return minus infinity, which is at once, if a report waits and the peer takes more; else None."""
        return -math.inf if self._waiting and self._unanswered < _WINDOW else None

    def push(self) -> None:
        """Put the oldest report into the outbox."""
        self._push(*self._waiting.popleft())
