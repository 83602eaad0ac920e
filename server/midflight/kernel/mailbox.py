"""Selective receive: the patterns that a process waits for, and the search of its mailbox for a message that matches.

Laws: the oldest message that any pattern matches is taken; the others keep their place; a pattern that
raises does not match; a message is looked at once for each receive, however often the receiver is woken, and
to look at it costs the same wherever it is in however long a mailbox.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from midflight.kernel.choice import COMPILED
from midflight.kernel.refs import Ref
from midflight.kernel.split_mailbox import Mailbox, divided, part
from midflight.text import Token

if TYPE_CHECKING:
    from midflight.kernel.core import Process

if TYPE_CHECKING or COMPILED is None:
    from midflight.kernel.pure_request import Request
else:
    Request = COMPILED.Request

__all__ = ["HANDED", "NOT_FOUND", "RECEIVE", "TIMED_OUT", "YIELD", "Receive", "Sleep", "drop_first", "matches"]

LOOKS_A_RECEIVE = 6  # as a power of two: so many messages passed over cost what a receive costs
PREDICATES = (FunctionType, BuiltinFunctionType, MethodType, functools.partial)


# asyncio shows the repr of what it cannot await in its RuntimeError: so these say what was done wrong.
OUTSIDE = "{} outside a process (a task or thread started by a process is no process; spawn() one instead)"
RECEIVE = Token(OUTSIDE.format("receive()"))  # yielded by a receive that takes any message, for any time
YIELD = Token(OUTSIDE.format("sleep()"))  # yielded by a sleep of 0: others of the run queue go first
TIMED_OUT = Token("timed out")
NOT_FOUND = Token("not found")
HANDED = Token("handed")  # what a process waits for that has been given a message, and has not had its turn


class Sleep:
    """Yielded by a process that waits for time alone."""

    __slots__ = ("deadline", "timeout")

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout  # None: for as long as it lives
        self.deadline = 0.0

    def __repr__(self) -> str:
        return OUTSIDE.format("sleep()")


class Receive(Request):
    """Yielded by a receive with patterns or a timeout. Its fields are those of `Request` in `pure_request`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return OUTSIDE.format("receive()")

    def take(self, process: Process) -> Any:
        """Remove and return the oldest message that matches, or NOT_FOUND.

        Looks at those that are there when it begins. What a predicate sends to its own process meanwhile is looked
        at the next time, `looked` is less than `arrived` then; so are all, if it took one out (by a flush).
        """
        mailbox = process.mailbox
        arrived, looked = process.arrived, self.looked
        self.looked = arrived
        if not mailbox:
            return NOT_FOUND
        patterns = self.patterns
        if not patterns:
            return mailbox.popleft()
        by_mark = False
        if looked < 0:
            looked = self._newest_mark(process)
            by_mark = looked > 0
        taken = arrived - len(mailbox)  # out of all that ever arrived
        start = looked - taken
        if start >= len(mailbox):
            return NOT_FOUND
        start = max(0, start)
        if by_mark:
            mailbox = divided(process, mailbox, start)
        first = mailbox[start]  # the commonest case, without the blocks below
        for pattern in patterns:
            if matches(pattern, first):
                _take_out(process, mailbox, taken, start, first)
                if by_mark:
                    _count_out(pattern, first)
                return first
        for index, messages in _blocks(mailbox, start + 1):
            for offset, message in enumerate(messages):
                for pattern in patterns:
                    if matches(pattern, message):
                        _take_out(process, mailbox, taken, index + offset, message)
                        if by_mark:
                            _count_out(pattern, message)
                        self.cost += offset >> LOOKS_A_RECEIVE
                        return message
            self.cost += len(messages) >> LOOKS_A_RECEIVE
        if process.arrived - len(mailbox) != taken:  # one may have slipped through
            self.looked = 0
        return NOT_FOUND

    def _newest_mark(self, process: Process) -> int:
        """Return how many of all messages so far came before any that could match."""
        marks = []
        for pattern in self.patterns:
            ref = _ref_in(pattern)
            if ref is None or ref.owner is not process.pid:
                return 0
            marks.append(ref.mark)
        return min(marks)


def drop_first(process: Process, ref: Ref, is_it: Callable[[Any], bool]) -> None:
    """Take the oldest message that holds `ref`, and that `is_it` says true of, out of the mailbox, if there is one.

    `is_it` is the kernel's own and raises nothing.
    """
    mailbox = process.mailbox
    if not mailbox:
        return
    start = max(0, len(mailbox) - process.arrived + ref.mark) if ref.owner is process.pid else 0
    for index, messages in _blocks(mailbox, start):
        for offset, message in enumerate(messages):
            if is_it(message):
                del mailbox[index + offset]
                return


def _take_out(process: Process, mailbox: Mailbox, taken: int, index: int, message: object) -> None:
    """Take `message` out, which was at `index` when `taken` of all that ever arrived had been taken out."""
    if process.arrived - len(mailbox) == taken:
        del mailbox[index]
        return
    for place, found in enumerate(mailbox):  # a predicate took another out
        if found is message:
            del mailbox[place]
            return


def _blocks(mailbox: Mailbox, start: int) -> Iterator[tuple[int, list[Any]]]:
    """Yield the messages from `start` on, in lists, each with the index of its first; what comes meanwhile is left out.

    A deque is quick at its ends only. So each block is four times the one before, and read from the nearer end: what
    is read costs about what is looked at, wherever that is.
    """
    end = len(mailbox)
    size = 1
    while start < end:
        stop = min(end, start + size)
        yield start, part(mailbox, start, stop)
        start, size = stop, size * 4


def _count_out(pattern: object, message: object) -> None:
    """Count `message`, which is taken out, as one that came before the ref in `pattern`, if it holds that.

    So the next receive for that ref begins where this one did, and not one further back for each that was taken.
    """
    ref = _ref_in(pattern)
    if ref is not None:
        for part in message if type(message) is tuple else (message,):
            if part is ref:
                ref.mark += 1
                return


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
