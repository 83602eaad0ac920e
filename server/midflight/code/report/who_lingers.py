"""The processes in versions of a module: a row each for people, or place by place, which is quick for any number.

100,000 processes may run an old version. A row for each would be as many objects, which the garbage collector walks
with all others while everything waits. So rows are made for those that somebody looks at.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple, overload

from midflight.kernel import Pid, Process

__all__ = ["MANY", "Group", "Lingering", "Rows", "count_in", "versions_of"]

MANY = 1000  # more rows than that are made when somebody asks for them only
KEPT = 64  # rows that are kept, being asked for again and again

_number = attrgetter("number")


class Lingering(NamedTuple):
    """A process that runs a version other than the current one, and its place in that version's text."""

    pid: Pid
    name: str | None
    version: int
    function: str
    line: int


class Group(NamedTuple):
    """The processes at one place of a version, in no order."""

    pids: tuple[Pid, ...]
    version: int
    function: str
    line: int


class Rows(Sequence[Lingering]):
    """Processes, each with the version and the place where it is, oldest first. Like a tuple of them."""

    def __init__(self, groups: Sequence[Group], names: dict[str, Process]) -> None:
        self.groups = groups
        self._names = names
        self._oldest: list[Lingering] | None = None  # as many as reports name

    def __len__(self) -> int:
        return sum(len(group.pids) for group in self.groups)

    @overload
    def __getitem__(self, index: int) -> Lingering: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Lingering, ...]: ...

    def __getitem__(self, index: int | slice) -> Lingering | tuple[Lingering, ...]:
        if isinstance(index, slice) and not index.start and index.step is None and (index.stop or -1) >= 0:
            return tuple(self._first(index.stop))
        return tuple(self._first(len(self)))[index]

    def __iter__(self) -> Iterator[Lingering]:
        return iter(self._first(len(self)))

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, (Rows, tuple)) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))

    def _first(self, count: int) -> list[Lingering]:
        """Return the oldest `count`, or all if there are fewer."""
        if count > KEPT:
            return self._make(count)
        if self._oldest is None:
            self._oldest = self._make(KEPT)
        return self._oldest[:count]

    def _make(self, count: int) -> list[Lingering]:
        name = {process.pid: name for name, process in self._names.items()}.get
        rows = [
            Lingering(pid, name(pid), version, function, line)
            for pids, version, function, line in self.groups
            for pid in heapq.nsmallest(count, pids, key=_number)
        ]
        rows.sort(key=lambda row: row.pid.number)
        return rows[:count]


def versions_of(rows: Sequence[Lingering]) -> set[int]:
    """Return the versions that they are in."""
    return {each.version for each in (rows.groups if isinstance(rows, Rows) else rows)}


def count_in(rows: Sequence[Lingering], version: int | None) -> int:
    """Return how many are in that version."""
    if isinstance(rows, Rows):
        return sum(len(group.pids) for group in rows.groups if group.version == version)
    return sum(each.version == version for each in rows)
