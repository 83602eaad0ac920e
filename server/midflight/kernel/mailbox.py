"""Selective receive: what a process waits for, and which message of its mailbox that is.

Laws: the oldest message that any pattern matches is taken; the others keep their place; a pattern that
raises does not match; a message is looked at once for each receive, however often the receiver is woken.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from itertools import islice
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from midflight.kernel.refs import Ref

if TYPE_CHECKING:
    from midflight.kernel.core import Process

__all__ = ["NOT_FOUND", "RECEIVE", "TIMED_OUT", "YIELD", "Receive", "Sleep", "matches"]

BY_INDEX = 8  # messages of a block that are read one by one
PREDICATES = (FunctionType, BuiltinFunctionType, MethodType, functools.partial)


class _Token:
    """A value that stands for itself."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


# asyncio shows the repr of what it cannot await in its RuntimeError: so these say what was done wrong.
OUTSIDE = "{} outside a process (a task or thread started by a process is no process; spawn() one instead)"
RECEIVE = _Token(OUTSIDE.format("receive()"))  # yielded by a receive that takes any message, for any time
YIELD = _Token(OUTSIDE.format("sleep()"))  # yielded by a sleep of 0: others of the run queue go first
TIMED_OUT = _Token("timed out")
NOT_FOUND = _Token("not found")


class Sleep:
    """Yielded by a process that waits for time alone."""

    __slots__ = ("deadline", "timeout")

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.deadline = 0.0

    def __repr__(self) -> str:
        return OUTSIDE.format("sleep()")


class Receive:
    """Yielded by a receive with patterns or a timeout.

    `timeout` and `deadline` are seconds; None is for ever. `looked` is how many messages had ever arrived when
    the mailbox was last looked through for it; below zero, it has not been.
    """

    __slots__ = ("deadline", "looked", "patterns", "timeout")

    def __init__(self, patterns: tuple[object, ...], timeout: float | None) -> None:
        self.patterns = patterns
        self.timeout = timeout
        self.deadline = 0.0
        self.looked = -1  # the receiver's `arrived` when it was last looked through; below 0: never

    def __repr__(self) -> str:
        return OUTSIDE.format("receive()")

    def take(self, process: Process) -> Any:
        """Remove and return the oldest message that matches, or NOT_FOUND."""
        mailbox = process.mailbox
        if not mailbox:
            self.looked = process.arrived
            return NOT_FOUND
        if not self.patterns:
            return mailbox.popleft()
        looked = self.looked if self.looked >= 0 else self._newest_mark(process)
        if looked == 0 and matches(self.patterns[0], mailbox[0]):  # the commonest case, without the loop below
            return mailbox.popleft()
        while True:
            arrived = process.arrived
            # Those that came since; a few more where messages were taken out since, which is harmless.
            start = max(0, len(mailbox) - (arrived - looked))
            for index, message in _since(mailbox, start):
                for pattern in self.patterns:
                    if matches(pattern, message):
                        del mailbox[index]
                        return message
            self.looked = looked = arrived
            if process.arrived == arrived:  # else a predicate sent to its own process meanwhile
                return NOT_FOUND

    def _newest_mark(self, process: Process) -> int:
        """Return how many of all messages so far came before any that could match."""
        marks = []
        for pattern in self.patterns:
            ref = _ref_in(pattern)
            if ref is None or ref.owner is not process:
                return 0
            marks.append(ref.mark)
        return min(marks)


def _since(mailbox: deque[Any], start: int) -> Iterator[tuple[int, Any]]:
    """Pair each message from `start` on with its index; what comes meanwhile is left out.

    Reads ahead in blocks, each twice the one before: a match at the front costs no walk to the end.
    """
    end = len(mailbox)
    size = 1
    while start < end:
        stop = min(end, start + size)
        if size <= BY_INDEX or end - start < start:
            for index in range(start, stop):  # a deque's ends are near
                yield index, mailbox[index]
        else:
            yield from enumerate(list(islice(mailbox, start, stop)), start)
        start, size = stop, size * 2


def _ref_in(pattern: object) -> Ref | None:
    """Return the ref that a message must hold to match `pattern`, if there is one at a glance."""
    if isinstance(pattern, Ref):
        return pattern
    if isinstance(pattern, tuple):
        for element in pattern:
            if isinstance(element, Ref):
                return element
    return None


def matches(pattern: object, message: object) -> bool:
    """Say whether `pattern` takes `message`; never raises.

    A type takes its instances; a tuple a tuple of the same length, element by element (a named tuple takes
    only its own kind); `...` takes anything; a function what it says true of; anything else what equals it.
    """
    if pattern is ...:
        return True
    try:
        if type(pattern) is str:
            return bool(pattern == message)
        if isinstance(pattern, tuple):
            return (
                isinstance(message, tuple)
                and len(pattern) == len(message)
                and (type(pattern) is tuple or isinstance(message, type(pattern)))
                and all(map(matches, pattern, message))
            )
        if isinstance(pattern, type):
            return isinstance(message, pattern)
        if isinstance(pattern, PREDICATES):
            return bool(pattern(message))
        return pattern is message or bool(pattern == message)
    except Exception:  # law: a pattern that raises does not match (Erlang: a guard that fails)
        return False
