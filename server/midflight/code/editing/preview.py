"""`preview`: a load up to its first change, with its effects on definitions, processes and servers.

The body of the new version runs aside and is dropped; so does each `code_change` that the load would bring, on copies
of the states. Any side effect of theirs happens then too, and again when the load is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import NamedTuple

from midflight.code.census.census import take_census
from midflight.code.editing.running import Running, running_at
from midflight.code.load.attempt import Options
from midflight.code.load.load import PathOrName
from midflight.code.load.new_version import NewVersion
from midflight.code.load.prepare import prepare
from midflight.code.load.transaction import transaction, units_in
from midflight.code.loading.lock import load_lock
from midflight.code.move.move import move_idle, read_ahead
from midflight.code.report.load_report import (
    REMEDY,
    LoadReport,
    MoveReport,
    loaded_line,
    processes,
    refused_because,
    summary,
    text,
)
from midflight.code.report.upgrade_report import UpgradeReport, counts
from midflight.code.report.who_lingers import versions_of
from midflight.code.source.compare import lines_of_definitions
from midflight.code.source.definitions import compare, definitions, definitions_of, unified
from midflight.code.source.unit import Rejection, Unit, unit_of
from midflight.code.upgrade.in_thread import Ticket
from midflight.code.upgrade.plan import Terms
from midflight.code.upgrade.rehearsed import rehearsed
from midflight.code.upgrade.suspending import suspending
from midflight.code.upgrade.upgrade import SUSPENDED_SECONDS, check_thread
from midflight.code.version.modules import LOADED
from midflight.errors import LoadError
from midflight.kernel import Pid

__all__ = ["Change", "Preview", "RehearsalReport", "preview"]

MOST = 200  # processes that the text shows
JUDGED = 1000  # processes of which it is found out whether they could be moved
AT_ONCE = 50  # of them between two turns of the runtime: about a millisecond

_text_of_an_upgrade = text.dispatch(UpgradeReport)


@dataclass(frozen=True, slots=True)
class RehearsalReport(UpgradeReport):
    """An UpgradeReport of a load that was not made. `lingering` are all that would go on in older versions.

    `moved` are those of them that a load with `move` would move, `not_moved` the others, each with the reason; of more
    than a thousand only the first ones are looked at.
    """


class Change(NamedTuple):
    """The fate of one definition in a load: "changed", "added" or "removed". `line` is its line in the new text."""

    name: str
    status: str
    line: int | None


class Preview(NamedTuple):
    """A rehearsal: its report, the changed definitions, and the unified diff against the running text.

    `report` is that of a refusal if the text could not even be prepared. `running` is None for a first load, `diff`
    then "", as it is if the text that runs is not known.
    """

    report: LoadReport
    changes: tuple[Change, ...]
    diff: str
    running: Running | None


def _rehearsed(unit: Unit | Rejection) -> LoadReport:
    """Do all of a load but its commit, as an editor makes it. Raises: LoadError."""
    terms = Terms(timeout=SUSPENDED_SECONDS, only_news=True)
    with transaction(units_in([unit]), Options()) as load:
        (new,) = prepare(load)
        read_ahead(new.record, new.unit.text)
        with suspending(load, Ticket(), terms) as servers:
            servers.suspend()
            servers.change(is_rehearsal=True)
            (report,) = rehearsed(load, servers)
            return _with_processes(report, new)


def _with_processes(report: UpgradeReport, new: NewVersion) -> RehearsalReport:
    """Return the report with the processes that would go on in older versions, and which of those could be moved."""
    lingering = take_census().in_module(new.unit.name, lambda version: version is not new.version)
    pids = [each.pid for each in lingering[:JUDGED]]
    moves = [
        move
        for start in range(0, len(pids), AT_ONCE)
        for move in load_lock.call(partial(_judge, new, pids[start : start + AT_ONCE]))
    ]
    known = {field.name: getattr(report, field.name) for field in fields(UpgradeReport)}
    found = {
        "lingering": lingering,
        "moved": tuple(pid for move in moves for pid in move.moved),
        "not_moved": tuple(each for move in moves for each in move.not_moved),
    }
    return RehearsalReport(**known | found)


def _judge(new: NewVersion, pids: Sequence[Pid]) -> list[MoveReport]:
    """Say of each process whether it could be moved if `new` were current. On the runtime's thread."""
    return [move_idle(new.record, new.version, only=pid) for pid in pids]


def preview(path_or_name: PathOrName, source: str | None = None) -> Preview:
    """Rehearse a load as an editor makes it (`lowlevel.load_or_upgrade`): report its effects and change nothing.

    Uses no version number. Servers are suspended for a moment if the new version brings a `code_change` for them, as
    by `upgrade` with `dry_run`. From a thread that runs no runtime. What would be refused is not raised: the report
    says it.

    Example:

        found = await asyncio.to_thread(code.preview, "shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        found.report.version, found.report.changed  # -> (2, ('PRICE',))
        shop.PRICE  # -> 2
    """
    check_thread("preview")
    unit = unit_of(path_or_name, source, LOADED)
    try:
        report = _rehearsed(unit)
    except LoadError as error:
        report = error.report
    running = running_at(unit.path)
    if not isinstance(unit, Unit):
        return Preview(report, (), "", running)
    if running is None or running.text is None:
        lines = lines_of_definitions(unit.tree)
        changes = (Change(name, "added", line) for name, line in lines.items())
        return Preview(report, () if running else tuple(changes), "", running)
    old = running.version or 1  # what was only imported becomes version 1 by the load
    diff = unified(running.text, unit.text, f"{unit.path} (version {old})", f"{unit.path} (as it would be loaded)")
    return Preview(report, tuple(_changes(running.text, unit)), diff, running)


def _changes(old: str, unit: Unit) -> Iterator[Change]:
    added, changed, removed = compare(definitions_of(old), definitions(unit.tree))
    lines = lines_of_definitions(unit.tree)
    for names, status in ((changed, "changed"), (added, "added"), (removed, "removed")):
        for name in names:
            yield Change(name, status, lines.get(name))


# --- The words for it --------------------------------------------------------------------------------------


@summary.register
def _summary(report: RehearsalReport) -> str:
    if report.version is None:
        remedy = REMEDY.get(report.refusals[0].code, "Fix the line.")
        said = f"{report.module} would not be loaded: {refused_because(report)}. Nothing was changed."
        return f"{said} {remedy}".rstrip()
    bare = replace(report, lingering=(), moved=(), not_moved=())
    said = "; ".join(part for part in (counts(report), _going_on(report)) if part)
    return loaded_line(bare, "would be loaded", said, report.prepare_ms + report.held_ms)


def _going_on(report: RehearsalReport) -> str:
    if not report.lingering:
        return ""
    versions = ", ".join(f"v{number}" for number in sorted(versions_of(report.lingering)))
    movable, judged = len(report.moved), len(report.moved) + len(report.not_moved)
    if judged < len(report.lingering):
        can = f"{movable} of the first {judged} can be moved"
    elif judged == 1:
        can = f"it {'can' if movable else 'cannot'} be moved"
    else:
        can = f"{'all' if movable == judged else movable or 'none'} of them can be moved"
    return f"{processes(len(report.lingering))} would go on in {versions}, {can}"


@text.register
def _text(report: RehearsalReport) -> str:
    bare = replace(report, lingering=(), moved=(), not_moved=())
    lines = [summary(report), *_text_of_an_upgrade(bare).splitlines()[1:]]
    if report.lingering:
        lines += ["", "Processes that would go on in older versions", *_rows(report)]
    return "\n".join(lines) + "\n"


def _rows(report: RehearsalReport) -> Iterator[str]:
    reasons = {each.pid: each.reason for each in report.not_moved}
    for each in report.lingering[:MOST]:
        name = f" ({each.name})" if each.name else ""
        can = f"cannot be moved: {reasons[each.pid]}" if each.pid in reasons else "can be moved"
        yield f"  {each.pid!r}{name}  v{each.version}  at {each.function}:{each.line}, {can}"
    if len(report.lingering) > MOST:
        yield f"  and {len(report.lingering) - MOST} more"
