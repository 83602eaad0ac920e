"""The fields of what a selective receive yields, in Python."""

from __future__ import annotations

__all__ = ["Request"]


class Request:
    """The patterns of a receive, its limit, and how far it has looked: the fields of `Receive` in `mailbox`.

    `timeout` and `deadline` are seconds; None for no limit. `looked` is how many messages had ever arrived when
    the mailbox was last looked through for it; below zero, it has not been. `cost` counts looks at
    long mailboxes, in receives, until it is taken off what a process may do in a turn.
    """

    __slots__ = ("cost", "deadline", "looked", "patterns", "timeout")

    def __init__(self, patterns: tuple[object, ...], timeout: float | None) -> None:
        self.patterns = patterns
        self.timeout = timeout
        self.deadline = 0.0
        self.looked = -1
        self.cost = 0
