"""Move processes that wait to the current version, without their help: all of a module at once, or in parts.

rule.py says for which processes that is provably the same.
"""

from __future__ import annotations

import math
import time
from functools import partial
from operator import attrgetter

from midflight.code.census.census import Census, census_of, take_census
from midflight.code.loading.lock import LoadLock, load_lock
from midflight.code.move.rule import Elsewhere, Mover
from midflight.code.report.load_report import MoveReport, NotMoved
from midflight.code.source.receive_heads import heads_of
from midflight.code.version.modules import Module, module_of
from midflight.code.version.version import Version
from midflight.kernel import Pid

__all__ = ["Move", "move", "move_idle", "move_in_parts", "read_ahead"]

PART_SECONDS = 0.005  # for so long a part of a move holds processes up

_number = attrgetter("number")


class Move:
    """A move of all idle processes in old versions of a module, in as many parts as its caller likes.

    Between two parts processes run, and move themselves, or end, or are no longer idle: each is judged when its turn
    comes. With `only`, that process alone. Made in the thread that asks, for the first look at many processes is long.
    """

    def __init__(self, record: Module, *, rehearsal: Version | None = None, only: Pid | None = None) -> None:
        self._record = record
        self._rehearsal = rehearsal
        self._only = only
        self._census = Census()
        if only is None:
            self._census.update()
        self._mover: Mover | None = None
        self._waiting: list[Pid] | None = None  # those whose turn is to come
        self._moved: list[Pid] = []
        self._not_moved: list[NotMoved] = []

    def go_on(self, seconds: float = math.inf) -> bool:
        """Move, for about so many seconds; say whether everybody's turn has come.

        To be called on the runtime's thread, between two steps of processes; processes of other threads stay. It runs
        no code of theirs: each goes on at its next turn. Cannot fail.
        """
        deadline = time.perf_counter() + seconds
        current = self._rehearsal or self._record.current
        if self._waiting is None or current is not (None if self._mover is None else self._mover.current):
            self._begin(current)
        assert self._waiting is not None
        while self._waiting:
            self._take(self._waiting.pop())
            if time.perf_counter() > deadline:
                break
        return not self._waiting

    def report(self) -> MoveReport:
        """Return the moved processes, and the others with the reason of each, oldest first."""
        number = None if self._mover is None else self._mover.current.number
        moved = sorted(self._moved, key=_number)
        not_moved = sorted(self._not_moved, key=attrgetter("pid.number"))
        return MoveReport(self._record.name, number, tuple(moved), tuple(not_moved))

    def _begin(self, current: Version | None) -> None:
        """Begin, or begin again: another version has become current since."""
        self._mover = None if current is None else Mover(current, is_rehearsal=self._rehearsal is not None)
        self._not_moved.clear()
        if self._only is None:
            self._census.update()
        else:
            self._census = census_of(self._only)
        rows = self._census.rows(self._record.name, self._is_old)
        self._waiting = [pid for group in rows.groups for pid in group.pids]
        self._waiting.sort(key=_number, reverse=True)
        again = frozenset(self._waiting)
        self._moved = [pid for pid in self._moved if pid not in again]

    def _is_old(self, version: Version) -> bool:
        return self._mover is None or version is not self._mover.current

    def _take(self, pid: Pid) -> None:
        if pid.process is None:  # it has ended, or was killed by what one that was moved has let go of
            return
        try:
            why = "the module has no current version" if self._mover is None else self._mover.move(pid.process)
        except Elsewhere:
            return
        if why is None:
            self._moved.append(pid)
            return
        for row in census_of(pid).rows(self._record.name, self._is_old):
            self._not_moved.append(NotMoved(*row, why))


def move(name: str, pid: Pid | None = None) -> MoveReport:
    """Move the idle processes in older versions of module `name`, or only `pid`, to the current one, unaided.

    One that waits at the receive that its function begins with goes on as `module.f(**parameters)`: mailbox, links,
    monitors, name and timers stay, no message is consumed, a timeout starts again. Only where that is provably the
    same to it; the report says of each of the others why it was not moved. Callable from any thread. Many are moved in
    parts of some milliseconds, between which all run.
    Raises: UnknownModuleError.
    OTP: nothing like it; there a process moves itself.

    Example:

        pid = spawn(shop.sell)
        await sleep(0)
        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        code.move("shop").moved == (pid,)  # -> True
    """
    record = module_of(name)
    read_ahead(record)
    return move_in_parts(record, load_lock, only=pid)


def move_in_parts(record: Module, lock: LoadLock, only: Pid | None = None) -> MoveReport:
    """Move idle processes, from any thread, in parts between which all run; on the runtime's own thread all at once."""
    moving = Move(record, only=only)
    while not lock.call(partial(moving.go_on, PART_SECONDS)):
        pass
    return moving.report()


def move_idle(record: Module, rehearsal: Version | None = None, only: Pid | None = None) -> MoveReport:
    """Move the idle processes in old versions of the module to the current one, all at once; give the others a reason.

    With `rehearsal`, a version in the making: move nobody, and say who could be moved if it were current. As
    `Move.go_on`, on the runtime's thread.
    """
    moving = Move(record, rehearsal=rehearsal, only=only)
    moving.go_on()
    return moving.report()


def read_ahead(record: Module, text: str | None = None) -> None:
    """Do the part of a move that is slow the first time, which is to parse, in the thread that asks for it.

    `text` is that of a version that is about to be current.
    """
    run = take_census().numbers(record.name)
    used = [version for version in list(record.versions.values()) if version.number in run]
    texts = [version.text for version in (*used, record.current) if version is not None]
    for each in (*texts, text):
        if each is not None:
            heads_of(each)
