"""Moving one process to the current version, and saying in words why it is not moved."""

from __future__ import annotations

from typing import NamedTuple

from midflight import code
from midflight.kernel import Pid, Scheduler
from midflight.observer.looking import look_at
from midflight.observer.process_rows import place_of

__all__ = ["MovedOne", "move_one"]


class MovedOne(NamedTuple):
    """The outcome of a move: the module and the version that the process runs now, or why it stays where it is."""

    is_moved: bool
    module: str | None
    version: int | None
    reason: str | None


def move_one(scheduler: Scheduler, pid: Pid) -> MovedOne:
    """Move `pid` to the current version of its module, if it is idle and that is the same to it; see `code.move`.

    Not to be called on the runtime's thread.
    """
    process = pid.process
    if process is None:
        return MovedOne(False, None, None, "it is dead")
    (place,) = look_at(scheduler, [lambda: place_of(scheduler, process)])
    module = place.module
    if place.behaviour is not None:
        current = code.current_version(module)
        if place.version is None or place.version == current:
            return MovedOne(False, module, place.version, "it runs the current version")
        if current is None:
            return MovedOne(False, module, place.version, f"{module} has no current version")
        return MovedOne(False, module, place.version, f"it is a server: it takes v{current} at its next message")
    versions = ((module, place.version), *place.others)
    old = [(name, number) for name, number in versions if number not in (None, code.current_version(name))]
    if not old:
        return MovedOne(False, module, place.version, "it runs no old version")
    name, number = old[0]
    report = code.move(name, pid)
    if report.moved:
        return MovedOne(True, name, report.version, None)
    reason = report.not_moved[0].reason if report.not_moved else "it has left the old version, or ended"
    return MovedOne(False, name, number, reason)
