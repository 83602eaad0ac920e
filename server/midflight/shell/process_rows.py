"""One row a process, as lists of them show it, and what has changed in them since somebody last looked.

A row costs some microseconds on the runtime's thread; so one is made anew only for a process that has run, was sent
something or was linked since, which is known from numbers that any thread may read. When no turn was taken at all, not
even those are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from types import FrameType, FunctionType
from typing import Any, NamedTuple

from midflight import code
from midflight.kernel import Process, Scheduler, is_kernel_frame, messages_of, server_of, status_of, version_of
from midflight.shell.looking import look_at, parts_of

__all__ = ["Changes", "Place", "Row", "Watch", "place_of", "row_of"]

ROWS_A_LOOK = 100  # a millisecond
ROWS_AN_ANSWER = 2000  # which an editor draws in a tenth of a second

_OURS = __name__.partition(".")[0] + "."


class Place(NamedTuple):
    """Where a process is: in its innermost frame of a module with versions, else in its innermost frame.

    `others` are the (module, version) of its frames in other versions. `behaviour` is "server" or "supervisor" for
    one whose state is an object: then the place is the object's class.
    """

    module: str
    version: int | None
    function: str
    line: int
    behaviour: str | None = None
    others: tuple[tuple[str, int], ...] = ()


class Row(NamedTuple):
    """A process in a list. `links` counts them, `link` is the number of the first."""

    number: int
    name: str | None
    place: Place
    status: str
    messages: int
    links: int
    link: int | None


def row_of(scheduler: Scheduler, process: Process) -> Row:
    """Return the row of a process. On the runtime's thread, or while a process does not yield."""
    links = process.links
    return Row(
        process.pid.number,
        process.name,
        place_of(scheduler, process),
        status_of(scheduler, process),
        len(messages_of(scheduler, process)),
        len(links) if links else 0,
        next(iter(links)).pid.number if links else None,
    )


def place_of(scheduler: Scheduler, process: Process) -> Place:
    """Return where `process` is. On the runtime's thread, or while a process does not yield."""
    innermost: FrameType | None = None
    versioned: FrameType | None = None
    found: dict[tuple[str, int], None] = {}
    for each in scheduler.frames(process):
        if is_kernel_frame(each):
            continue
        innermost = each
        number = version_of(each.f_globals)
        if number is not None:
            versioned = each
            found[str(each.f_globals.get("__name__")), number] = None
    frame = versioned or innermost
    if versioned is None and (server := server_of(process)) is not None:
        return _place_of_server(server)
    if frame is None:
        start = process.start[0] if process.start is not None else None
        namespace = getattr(start, "__globals__", {})
        module = str(getattr(start, "__module__", "?"))
        return Place(module, version_of(namespace), str(getattr(start, "__qualname__", None) or repr(start)), 0)
    namespace = frame.f_globals
    module, number = str(namespace.get("__name__", "?")), version_of(namespace)
    others = tuple(pair for pair in found if pair != (module, number))
    return Place(module, number, frame.f_code.co_qualname, frame.f_lineno, None, others)


def _place_of_server(server: Any) -> Place:
    cls = type(server)
    line, number = _of_class(cls)
    is_supervisor = cls.__module__.startswith(_OURS) and hasattr(server, "flags")
    return Place(cls.__module__, number, cls.__qualname__, line, "supervisor" if is_supervisor else "server")


def _of_class(cls: type[Any]) -> tuple[int, int | None]:
    """Return the first line of a class that is known of its methods, 0 for none, and the version they are of."""
    lines = [
        (value.__code__.co_firstlineno, version_of(value.__globals__))
        for value in list(vars(cls).values())
        if isinstance(value, FunctionType) and value.__module__ == cls.__module__
    ]
    return min(lines, key=lambda pair: pair[0], default=(0, None))


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new since the stamp that the asker had.

    `is_all`: it has nothing, and gets everything. `is_more`: there is more than goes into one answer; ask again.
    `current`: the current version of each module in the list, where it is not what was told; None for no such news.
    """

    stamp: int
    is_all: bool
    is_more: bool
    rows: tuple[Row, ...]
    gone: tuple[int, ...]
    current: dict[str, int | None] | None
    total: int


class Watch:
    """What one list has been told of all processes. Not for two threads at a time."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._stamp = 0
        self._told: dict[int, tuple[tuple[Any, ...], Row]] = {}
        self._modules: dict[str, int | None] = {}
        self._quiet_at: int | None = None

    def changes(self, stamp: int | None) -> Changes:
        """Return what has changed since the answer with `stamp`; with any other than the last one, everything."""
        scheduler = self._scheduler
        is_all = stamp is None or stamp != self._stamp
        if is_all:
            self._told.clear()
            self._modules.clear()
            self._quiet_at = None
        turns = scheduler.turns
        if not is_all and turns == self._quiet_at and scheduler.current() is None:
            return self._answer(is_all, False, [], [], None)
        everyone = list(scheduler.processes.values())
        changed = [each for each in everyone if self._has_changed(each)]
        alive = {each.pid.number for each in everyone}
        gone = [number for number in self._told if number not in alive]
        for number in gone:
            del self._told[number]
        if not changed and not gone and not scheduler.awake and scheduler.turns == turns:
            self._quiet_at = turns
        rows: list[Row] = []
        looks = (partial(self._look, part) for part in parts_of(changed[:ROWS_AN_ANSWER], ROWS_A_LOOK))
        for seen in look_at(scheduler, looks):
            for signature, row in seen:
                told = self._told.get(row.number)
                self._told[row.number] = signature, row
                if told is None or told[1] != row:
                    rows.append(row)
        return self._answer(is_all, len(changed) > ROWS_AN_ANSWER, rows, gone, self._current(rows))

    def _has_changed(self, process: Process) -> bool:
        told = self._told.get(process.pid.number)
        return told is None or told[0] != _signature(process)

    def _look(self, some: Iterable[Process]) -> list[tuple[tuple[Any, ...], Row]]:
        return [(_signature(each), row_of(self._scheduler, each)) for each in some if each.pid.process is not None]

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

    def _answer(
        self, is_all: bool, is_more: bool, rows: list[Row], gone: list[int], current: dict[str, int | None] | None
    ) -> Changes:
        if is_all or is_more or rows or gone or current:
            self._stamp += 1
        total = len(self._scheduler.processes)
        return Changes(self._stamp, is_all, is_more, tuple(rows), tuple(gone), current or None, total)


def _signature(process: Process) -> tuple[Any, ...]:
    """Return what is another when the row of `process` may be; any thread may ask."""
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
