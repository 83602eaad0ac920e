"""Refs in Python: what `refs` offers in the kernel of that name."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from midflight.kernel.core import Process

__all__ = ["Ref", "TimerRef", "ref_numbers"]

Message = TypeVar("Message")

ref_numbers = count(1)


class Ref:
    """A reference: equal to itself only. OTP: reference().

    `owner` (the pid of the process that made it) and `mark` let a receive that waits for this ref skip all that
    was in the mailbox when the ref was made: no message that old can hold it. `alias` is the process that takes
    what is sent to the ref, or None; with `once` the alias closes after its first message. `node` and `creation` are
    0 for one of this life of this node; `lives` says what others mean.
    """

    __slots__ = ("__weakref__", "alias", "mark", "number", "once", "owner")

    node = creation = 0

    def __init__(self, owner: Process | None = None) -> None:
        self.number = next(ref_numbers)
        self.owner = owner.pid if owner is not None else None  # not the record: a ref may be kept after the end
        self.mark = owner.arrived if owner is not None else 0
        self.alias: Process | None = None
        self.once = False

    def __lshift__(self, message: Message) -> Message:
        """Send `message` through the alias; it is dropped if the ref is not an alias, or no longer one."""
        process = self.alias
        if process is not None:
            if self.once:
                self.close()
            process.pid << message
        return message

    def close(self) -> None:
        """Take no more messages, and forget the owner."""
        process = self.alias
        self.alias = None
        if process is not None and process.aliases is not None:
            process.aliases.discard(self)

    def __repr__(self) -> str:
        return f"#Ref<{self.node}.{self.number}>"

    def __copy__(self) -> Ref:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Ref:
        return self


class TimerRef(Ref):
    """The fields of a timer's ref, which `messages` fills."""

    __slots__ = ("ahead", "deadline", "dest", "scheduler")
