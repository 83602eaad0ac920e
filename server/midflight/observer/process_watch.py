"""Changes in the rows of processes since a list last asked for them.

A row costs some microseconds on the runtime's thread; so one is made again only for a process that has run, was sent
something or was linked since, which is known from numbers that any thread may read. When no turn was taken at all, not
even those are looked at.

News are found in rounds, and told in as many answers as they need: the asker says how many rows it takes at a time,
and no answer looks at more than some thousand processes. A choice by pid alone is told while it is looked at; for any
other all processes are looked at first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from midflight import code
from midflight.kernel import Process, Scheduler
from midflight.observer.looking import look_at, parts_of
from midflight.observer.process_rows import ROWS_A_LOOK, Choice, Row, row_of

__all__ = ["ROWS_AN_ANSWER", "Changes", "Watch"]

ROWS_AN_ANSWER = 2000
LOOKS_AN_ANSWER = 5000

Signature = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes since the stamp that the asker had.

    `is_all`: it has nothing, and gets everything. `is_more`: there is more than goes into one answer; ask again.
    `current`: the current version of each module in the list, where it is not what was told; None for no such news.
    `matching`: how many of the `total` pass the filters, None while it is not known.
    """

    stamp: int
    is_all: bool
    is_more: bool
    rows: tuple[Row, ...]
    gone: tuple[int, ...]
    current: dict[str, int | None] | None
    total: int
    matching: int | None


class Watch:
    """The rows that one list has been told of. Not for two threads at a time."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._stamp = 0
        self._choice = Choice()
        self._seen: dict[int, tuple[Signature, Row]] = {}
        self._told: dict[int, Row] = {}
        self._modules: dict[str, int | None] = {}
        self._quiet_at: int | None = None
        self._counts: tuple[int, int | None] | None = None
        # The round: who is to be looked at, and then which news are to be told.
        self._is_in_round = False
        self._is_to_choose = False
        self._to_look: list[Process] = []
        self._to_drop: list[int] = []
        self._to_tell: list[int] = []
        self._matching: int | None = None

    def changes(self, stamp: int | None, choice: Choice | None = None, most: int = ROWS_AN_ANSWER) -> Changes:
        """Return the changes since the answer with `stamp`; everything, if that is not the last one.

        At most `most` of the rows that `choice` chooses, and of those gone. With another choice than before, those that
        it leaves out are gone; if they are most of what was told, everything is told again.
        """
        scheduler, choice = self._scheduler, choice or Choice()
        is_all = stamp is None or stamp != self._stamp
        if is_all:
            self._seen.clear()
            self._forget_told()
        if is_all or choice != self._choice:
            self._choice = choice
            self._is_in_round, self._is_to_choose = False, True
            self._quiet_at = None
        if not self._is_in_round:
            if scheduler.turns == self._quiet_at and scheduler.current() is None:
                return self._answer(is_all, [], [], None)
            self._begin()
        looked = self._look(most if choice.is_plain else LOOKS_AN_ANSWER)
        if choice.is_plain:
            self._to_tell += looked
        elif self._is_to_choose and not self._to_look:
            self._choose()
        if len(self._to_drop) > max(most, len(self._told) // 2):  # to begin again is shorter
            is_all = True
            kept = self._told.keys() - self._to_drop
            self._forget_told()
            self._to_tell = [*kept, *self._to_tell]
        gone, self._to_drop = self._to_drop[:most], self._to_drop[most:]
        for number in gone:
            del self._told[number]
        rows = self._tell(most)
        self._is_in_round = bool(self._to_look or self._to_drop or self._to_tell)
        return self._answer(is_all, rows, gone, self._current(rows))

    def _forget_told(self) -> None:
        self._told.clear()
        self._modules.clear()
        self._to_drop = []

    def _begin(self) -> None:
        """Find the processes that have changed, and those that are dead or not chosen any more."""
        scheduler, choice = self._scheduler, self._choice
        turns = scheduler.turns
        everyone = self._candidates()
        alive = {each.pid.number for each in everyone}
        dead = [number for number in self._seen if number not in alive]
        for number in dead:
            del self._seen[number]
        self._to_look = [each for each in everyone if self._has_changed(each)]
        self._to_drop = [number for number in self._told if number not in alive]
        self._to_tell = list(self._seen) if choice.is_plain and self._is_to_choose else []
        if choice.is_plain:
            self._is_to_choose = False
        elif self._to_look or dead or choice.is_only_old or choice.is_old_first:  # a load changes who is old
            self._is_to_choose = True
        if not (self._to_look or dead or scheduler.awake) and scheduler.turns == turns:
            self._quiet_at = turns
        if self._is_to_choose or choice.is_plain:
            self._matching = None

    def _candidates(self) -> list[Process]:
        """Return the processes to choose from: all, or the oldest or youngest. Processes are in order of age."""
        everyone = list(self._scheduler.processes.values())
        choice = self._choice
        if not choice.is_plain:
            return everyone
        if choice.is_descending:
            everyone.reverse()
        return everyone[: choice.limit]

    def _has_changed(self, process: Process) -> bool:
        seen = self._seen.get(process.pid.number)
        return seen is None or seen[0] != _signature(process)

    def _look(self, most: int) -> list[int]:
        """Look at the next of the processes to be looked at; return their numbers."""
        some, self._to_look = self._to_look[:most], self._to_look[most:]
        looks = (partial(self._rows, part) for part in parts_of(some, ROWS_A_LOOK))
        found = [pair for pairs in look_at(self._scheduler, looks) for pair in pairs]
        self._seen.update((pair[1].number, pair) for pair in found)
        return [row.number for _, row in found]

    def _rows(self, some: Iterable[Process]) -> list[tuple[Signature, Row]]:
        return [(_signature(each), row_of(self._scheduler, each)) for each in some if each.pid.process is not None]

    def _choose(self) -> None:
        chosen, self._matching = self._choice.of([row for _, row in self._seen.values()], code.current_version)
        numbers = {row.number for row in chosen}
        self._to_drop = [number for number in self._told if number not in numbers]
        self._to_tell = [row.number for row in chosen if self._told.get(row.number) != row]
        self._is_to_choose = False

    def _tell(self, most: int) -> list[Row]:
        """Return the next rows that differ from the last ones told."""
        numbers, self._to_tell = self._to_tell[:most], self._to_tell[most:]
        rows = []
        for number in numbers:
            seen = self._seen.get(number)
            if seen is not None and self._told.get(number) != seen[1]:
                self._told[number] = seen[1]
                rows.append(seen[1])
        return rows

    def _current(self, rows: Iterable[Row]) -> dict[str, int | None]:
        """Return the current versions that have not been told, or have changed."""
        for row in rows:
            for module, number in ((row.place.module, row.place.version), *row.place.others):
                if number is not None:
                    self._modules.setdefault(module, -1)
        now = {module: code.current_version(module) for module in self._modules}
        new = {module: number for module, number in now.items() if self._modules[module] != number}
        self._modules = now
        return new

    def _answer(self, is_all: bool, rows: list[Row], gone: list[int], current: dict[str, int | None] | None) -> Changes:
        counts = len(self._scheduler.processes), self._matching
        if is_all or self._is_in_round or rows or gone or current or counts != self._counts:
            self._stamp += 1
        self._counts = counts
        total, matching = counts
        return Changes(
            self._stamp, is_all, self._is_in_round, tuple(rows), tuple(gone), current or None, total, matching
        )


def _signature(process: Process) -> Signature:
    """Return a value that differs when the row of `process` may differ; any thread may ask."""
    links, mailbox, waiting = process.links, process.mailbox, process.waiting
    return (
        process.reductions,
        process.arrived,
        0 if mailbox is None else len(mailbox),
        None if waiting is None else id(waiting),
        process.name,
        process.exit_reason is None,
        len(links) if links else 0,
        id(process.coro),
    )
