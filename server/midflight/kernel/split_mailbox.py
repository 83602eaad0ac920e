"""A mailbox in two parts: a long backlog that nobody looks at, and the later messages, which a receive takes from.

A deque is quick at its ends only. A process that waits for messages with a ref takes them from the middle, if much
came before the ref was made and much has come since; so the mailbox is divided there. To others it is one mailbox,
with those methods of a deque that the kernel uses. What has been moved to the front part never moves back, so a
message moves at most once; with the last of the front part the mailbox is a deque again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midflight.kernel.core import Process

__all__ = ["Mailbox", "SplitMailbox", "divided", "part"]

BY_INDEX = 16  # so many messages, or fewer, are read one by one
FAR = 1024  # messages; one that is nearer to an end is in reach of a deque


class SplitMailbox:
    """The messages of `front`, then those of `behind`. `append` is the one of `behind`: a send costs no more."""

    __slots__ = ("append", "behind", "front", "process")

    def __init__(self, process: Process, front: deque[Any], behind: deque[Any]) -> None:
        self.process = process
        self.front = front
        self.behind = behind
        self.append = behind.append

    def __len__(self) -> int:
        return len(self.front) + len(self.behind)

    def __iter__(self) -> Iterator[Any]:
        return chain(self.front, self.behind)

    def __getitem__(self, index: int) -> Any:
        border = len(self.front)
        return self.front[index] if index < border else self.behind[index - border]

    def __delitem__(self, index: int) -> None:
        border = len(self.front)
        if index >= border:
            del self.behind[index - border]
            return
        del self.front[index]
        self._join()

    def popleft(self) -> Any:
        """Take out the oldest message. Raises: IndexError if there is none."""
        if not self.front:  # joined meanwhile
            return self.behind.popleft()
        message = self.front.popleft()
        self._join()
        return message

    def appendleft(self, message: Any) -> None:
        """Put `message` before all others."""
        self.front.appendleft(message)

    def part(self, start: int, stop: int) -> list[Any]:
        """Return the messages from `start` up to `stop`."""
        border = len(self.front)
        if start >= border:
            return part(self.behind, start - border, stop - border)
        if stop <= border:
            return part(self.front, start, stop)
        return part(self.front, start, border) + part(self.behind, 0, stop - border)

    def move_border(self, index: int) -> None:
        """Let the messages before `index` be the front part, if those are more than before."""
        for _ in range(index - len(self.front)):
            self.front.append(self.behind.popleft())

    def _join(self) -> None:
        if not self.front and self.process.mailbox is self:
            self.process.mailbox = self.behind


Mailbox = deque[Any] | SplitMailbox


def divided(process: Process, mailbox: Mailbox, index: int) -> Mailbox:
    """Return the mailbox of `process`, divided at `index` if that is far from both ends, and from where it is divided.

    The shorter part is moved, so it costs no more than to have taken the messages of that part one by one.
    """
    if index < FAR or len(mailbox) - index < FAR:
        return mailbox
    if isinstance(mailbox, SplitMailbox):
        if index - len(mailbox.front) >= FAR:
            mailbox.move_border(index)
        return mailbox
    front, behind = type(mailbox)(), type(mailbox)()
    if index <= len(mailbox) // 2:
        behind = mailbox
        front.extend(mailbox.popleft() for _ in range(index))
    else:
        front = mailbox
        behind.extendleft(mailbox.pop() for _ in range(len(mailbox) - index))
    process.mailbox = found = SplitMailbox(process, front, behind)
    return found


def part(mailbox: Mailbox, start: int, stop: int) -> list[Any]:
    """Return the messages from `start` up to `stop`, read from the nearer end."""
    if stop - start <= BY_INDEX:
        return [mailbox[index] for index in range(start, stop)]
    if isinstance(mailbox, SplitMailbox):
        return mailbox.part(start, stop)
    length = len(mailbox)
    if start < length - stop:
        return list(islice(mailbox, start, stop))
    messages = list(islice(reversed(mailbox), length - stop, length - start))
    messages.reverse()
    return messages
