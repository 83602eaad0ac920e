"""One row a process, as lists of them show it, and which of many rows a list is to show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from types import FrameType, FunctionType
from typing import Any, NamedTuple

from midflight.kernel import (
    Pid,
    Process,
    Scheduler,
    function_name,
    globals_of,
    is_kernel_frame,
    message_count,
    module_of,
    server_of,
    status_of,
    version_of,
)
from midflight.observer.looking import look_at, parts_of
from midflight.otp import StateMachine, Supervisor
from midflight.outside import is_from_outside
from midflight.text import short, type_name

__all__ = ["COLUMNS", "KINDS", "ROWS_A_LOOK", "Choice", "ProcessLocation", "Row", "place_of", "row_of", "rows_of"]

ROWS_A_LOOK = 100  # a millisecond

KINDS = ("module", "name", "text")
_LAST = "\U0010ffff"


class ProcessLocation(NamedTuple):
    """The place of a process: its innermost frame in a module with versions, else its innermost frame.

    `others` are the (module, version) of its frames in other versions. `behaviour` is "server" or "supervisor" for
    one whose state is an object: then the place is the object's class, with the state of a state machine in
    parentheses.
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
    place: ProcessLocation
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
        message_count(scheduler, process),
        len(links) if links else 0,
        next(iter(links)).pid.number if links else None,
    )


def rows_of(scheduler: Scheduler, pids: Iterable[Pid]) -> list[Row]:
    """Return the rows of those of `pids` who are alive. Looks in parts; not to be called on the runtime's thread."""
    alive = [process for pid in pids if (process := pid.process) is not None]

    def look(part: Iterable[Process]) -> list[Row]:
        return [row_of(scheduler, each) for each in part if each.pid.process is not None]

    looks = (partial(look, part) for part in parts_of(alive, ROWS_A_LOOK))
    return [row for rows in look_at(scheduler, looks) for row in rows]


def place_of(scheduler: Scheduler, process: Process) -> ProcessLocation:
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
            found[str(dict.get(each.f_globals, "__name__")), number] = None
    frame = versioned or innermost
    if versioned is None and (server := server_of(process)) is not None:
        return _place_of_server(server)
    if frame is None:
        start = process.start[0] if process.start is not None else None
        module = module_of(start) or "?"
        return ProcessLocation(
            module, version_of(globals_of(start)), function_name(start).removeprefix(f"{module}."), 0
        )
    namespace = frame.f_globals
    module, number = str(dict.get(namespace, "__name__", "?")), version_of(namespace)
    others = tuple(pair for pair in found if pair != (module, number))
    return ProcessLocation(module, number, frame.f_code.co_qualname, frame.f_lineno, None, others)


def _place_of_server(server: Any) -> ProcessLocation:
    cls = type(server)
    try:
        return _place_in_class(server, cls)
    except BaseException as error:  # of a class that says nothing of itself: a list is for all the others, too
        if is_from_outside(error):
            raise
        return ProcessLocation("?", None, type_name(server), 0, "server")


def _place_in_class(server: Any, cls: type[Any]) -> ProcessLocation:
    line, number = _of_class(cls)
    function = cls.__qualname__
    if isinstance(server, StateMachine):
        function += f" ({server.state if type(server.state) is str else short(server.state)})"
    return ProcessLocation(
        cls.__module__, number, function, line, "supervisor" if isinstance(server, Supervisor) else "server"
    )


def _of_class(cls: type[Any]) -> tuple[int, int | None]:
    """Return the first line of a class that is known of its methods, 0 for none, and the version they are of."""
    lines = [
        (value.__code__.co_firstlineno, version_of(value.__globals__))
        for value in list(vars(cls).values())
        if type(value) is FunctionType and value.__module__ == cls.__module__
    ]
    return min(lines, key=lambda pair: pair[0], default=(0, None))


def _place_text(row: Row) -> str:
    place = row.place
    return place.function if place.line == 0 or place.behaviour else f"{place.function}:{place.line}"


COLUMNS: Mapping[str, Callable[[Row], Any]] = {
    "pid": lambda row: row.number,
    "name": lambda row: row.name or _LAST,  # those without one come last
    "module": lambda row: row.place.module,
    "version": lambda row: row.place.version or 0,
    "place": _place_text,
    "messages": lambda row: row.messages,
    "status": lambda row: row.status,
    "links": lambda row: row.links,
}
"""What rows can be sorted by; those that are equal in it are by pid."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of rows for a list: of the rows that pass all `filters`, the first `limit` in an order.

    A filter is a kind and a text: "module" is the whole name, "name" a part of the name, "text" one of the line, both
    in any case. Editors with all rows do the same by themselves.
    """

    limit: int | None = None
    filters: tuple[tuple[str, str], ...] = ()
    is_only_old: bool = False
    is_old_first: bool = False
    column: str = "pid"
    is_descending: bool = False

    @property
    def is_plain(self) -> bool:
        """True if it can be made by the pids alone."""
        return self.column == "pid" and not (self.filters or self.is_only_old or self.is_old_first)

    def of(self, rows: Iterable[Row], current: Callable[[str], int | None]) -> tuple[list[Row], int]:
        """Return the rows to show, in order, and how many have passed the filters.

        `current` returns the current version of a module.
        """
        current = cache(current)
        found = [row for row in rows if self._passes(row, current)]
        column = COLUMNS[self.column]
        found.sort(key=lambda row: (column(row), row.number), reverse=self.is_descending)
        if self.is_old_first:
            found.sort(key=lambda row: not _is_old(row, current))
        return found[: self.limit], len(found)

    def _passes(self, row: Row, current: Callable[[str], int | None]) -> bool:
        if self.is_only_old and not _is_old(row, current):
            return False
        return all(_has(row, kind, text) for kind, text in self.filters)


def _has(row: Row, kind: str, text: str) -> bool:
    match kind:
        case "module":
            return text == row.place.module or any(text == module for module, _ in row.place.others)
        case "name":
            return row.name is not None and text.casefold() in row.name.casefold()
        case _:
            line = f"<0.{row.number}.0> {row.name or ''} {row.place.module} {_place_text(row)} {row.status}"
            return text.casefold() in line.casefold()


def _is_old(row: Row, current: Callable[[str], int | None]) -> bool:
    """Say whether a process is in an old version. A server between two messages takes the current one by itself."""
    place = row.place
    if place.behaviour is not None:
        return False
    pairs = ((place.module, place.version), *place.others)
    return any(version is not None and version != current(module) for module, version in pairs)
