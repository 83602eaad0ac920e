"""The processes at each line of a text that is being edited, whatever version they run."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from midflight.code.census.census import take_census
from midflight.code.editing.running import running_at
from midflight.code.source.line_map import LineMap, line_map
from midflight.code.version.modules import known
from midflight.kernel import Pid

__all__ = ["Spot", "waiting", "waiting_at"]

SHOWN = 20  # pids a line

_number = attrgetter("number")


@dataclass(slots=True)
class Spot:
    """A line of the edited text, from 1, and the processes there: their number, versions and first pids."""

    line: int
    count: int = 0
    pids: list[Pid] = field(default_factory=list)
    versions: Counter[int] = field(default_factory=Counter)


def waiting(path: str, source: str) -> tuple[Spot, ...]:
    """Return the lines of `source`, an edited text of the file `path`, at which processes are, in order.

    A process counts at its innermost line in the module. The line of another version is found in `source` by what
    surrounds it; one whose text is not known is at the line of that number. Callable from any thread.
    """
    spots: dict[int, Spot] = {}
    for here, number, pids in _groups(path, source):
        spot = spots.setdefault(here, Spot(here))
        spot.count += len(pids)
        spot.versions[number] += len(pids)
        spot.pids = heapq.nsmallest(SHOWN, [*spot.pids, *pids], key=_number)
    return tuple(spots[line] for line in sorted(spots))


def waiting_at(path: str, source: str, line: int) -> list[Pid]:
    """Return the processes at a line of `source`, as `waiting` has it, oldest first."""
    return sorted((pid for here, _, pids in _groups(path, source) if here == line for pid in pids), key=_number)


def _groups(path: str, source: str) -> Iterator[tuple[int, int, Sequence[Pid]]]:
    """Yield lines of `source`, versions, and the processes there."""
    running = running_at(path)
    record = None if running is None else known(running.name)
    if record is None:
        return
    text = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    last = text.count("\n") + 1
    maps: dict[int, LineMap | None] = {}
    for pids, number, _, line in take_census().rows(record.name).groups:
        if number not in maps:
            version = record.versions.get(number)
            old = None if version is None else version.text
            maps[number] = None if old is None else line_map(old, text)
        found = maps[number]
        yield min(line, last) if found is None else found(line), number, pids
