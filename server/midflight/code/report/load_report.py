"""`LoadReport` and `MoveReport`: a load as plain data, and its words. Nothing here looks at the running system.

`summary` is the one line that both editors show as it is; `text` is the whole report.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Literal

from midflight.code.report.held import Held, Holders, NotForwarded, StaleSubclass, forward_lines, held_lines
from midflight.code.report.state_report import StateChange, kept_lines, kept_state, told_lines
from midflight.code.report.who_lingers import Lingering, count_in, versions_of
from midflight.kernel import Pid

__all__ = [
    "LEFT_BEHIND",
    "RUNS_ONCE",
    "TRACE",
    "Diagnostic",
    "Lingering",
    "LoadReport",
    "MoveReport",
    "NotMoved",
    "StaleImport",
    "Superseded",
    "summary",
    "text",
]

Severity = Literal["error", "warning", "note"]

SHOWN = 3  # names or pids in the one line
LISTED = 50  # processes in the whole text, which people read; the report itself has all of them

# The codes whose message is about one place in the text. The others are about the file or the system, so the one
# line does not say "line 1" for them.
AT_A_LINE = frozenset(
    {
        "syntax",
        "body",
        "import",
        "undefined-name",
        "not-awaited",
        "awaited-loop",
        "loop-ends",
        "code-change",
        "runs-once",
    }
)

LEFT_BEHIND = "left-behind"  # of a note on what a body did before its load was refused, and what stays
TAKEN_BACK = "taken-back"  # of one on what was undone
RUNS_ONCE = "runs-once"  # of a body whose statement has met what it made when it ran before
TRACE = "traceback"
"""The code of a diagnostic that is a step on the way to the error of another one, and not a fault of its own."""
NO_FAULTS = (TRACE, LEFT_BEHIND, TAKEN_BACK)

# What to do, where it is not to mend a line of the module.
REMEDY = {
    **dict.fromkeys("name not-found no-file refused nested not-purged replaced snapshot fresh".split(), ""),
    "read": "Check the file, load again.",
    "encoding": "Mend the encoding line at the top, load again.",
    "broken-off": "Load again.",
    "overtaken": "Load again.",
    "runs-once": (
        "Load the other definitions alone, each at point, and leave that one as it runs; or let `once` or `@on_load` "
        "do what must be done once."
    ),
    "loader": "Mend what that loader needs, load again.",
    "live-state": (
        "Keep what the state needs until no process is in it, or `upgrade` with a code_change that sets another, or "
        "load with force=True."
    ),
    "live-call": "Keep what the old code calls, or load with force=True.",
    "undefined-name": "Fix the line, or load with force=True.",
    "not-awaited": "Fix the line, or load with force=True.",
    "program-runs": 'Put that below `if __name__ == "__main__":` and start the program again, or load with force=True.',
    "other-file": "Load that file under its own name, or load with force=True.",
}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault at one place. `line` counts from 1, `column` in characters from 0.

    `end_line` and `end_column` are those of the end, where nothing is known equal to the start. `code` is a short
    word for the kind: "syntax", "body", "import", "undefined-name"...
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    severity: Severity
    message: str
    code: str


@dataclass(frozen=True, slots=True)
class StaleImport:
    """A name in another module that keeps an object of an older version, by `from ... import`."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """A class that a new one replaced, or that is gone, and why it was not kept: "its text differs"."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotMoved:
    """A process that could not be moved: its place, as in Lingering, and the reason: "a live local: total"."""

    pid: Pid
    name: str | None
    version: int
    function: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class MoveReport:
    """The outcome of moving the idle processes of a module to `version`, its current one; None if it has none.

    `moved` and `not_moved` are all that were in older versions, each oldest first.
    """

    module: str
    version: int | None
    moved: tuple[Pid, ...] = ()
    not_moved: tuple[NotMoved, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The outcome of a load, or of its refusal.

    `version` is the number that was loaded, None if the load was refused; `current` the number that is current now,
    None if there is none. `added`, `changed` and `removed` are names of definitions, methods as Class.method, in
    the order of the text. `lingering` holds the processes in older versions, oldest first; of a load that was
    refused, all that run the module. Times are in milliseconds; `prepare_ms` held up no process, `commit_ms` did.
    `moved` and `not_moved` are those of a MoveReport, if the load was asked to move. `kept` are the classes, sentinels
    and the like that are the same objects as before; `superseded` the classes that are not. `held` are functions of
    older versions that others have, `holders` the search for those, awaited or `wait`ed for, None if there is nothing
    to look for; `subclasses` are classes of other modules that inherit from a superseded class. `forwarded` are
    functions that others hold and that are the current ones now, `not_forwarded` the others, if that was asked for.
    """

    module: str
    version: int | None
    path: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    refusals: tuple[Diagnostic, ...] = ()
    lingering: Sequence[Lingering] = ()
    stale_imports: tuple[StaleImport, ...] = ()
    prepare_ms: float = 0.0
    commit_ms: float = 0.0
    current: int | None = None
    moved: tuple[Pid, ...] = ()
    not_moved: tuple[NotMoved, ...] = ()
    kept: tuple[str, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    held: tuple[Held, ...] = ()
    holders: Holders | None = None
    subclasses: tuple[StaleSubclass, ...] = ()
    state: tuple[StateChange, ...] = ()
    forwarded: tuple[str, ...] = ()
    not_forwarded: tuple[NotForwarded, ...] = ()

    @property
    def can_be_forced(self) -> bool:
        """Say whether only checks refused the load, so that `force=True` would do it."""
        faults = [each.code for each in self.refusals if each.code not in NO_FAULTS]
        return bool(faults) and all("force=True" in REMEDY.get(code, "") for code in faults)


@singledispatch
def summary(report: LoadReport | MoveReport) -> str:
    """Return the summary for an echo area, in one line.

    Example:

        report = code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        code.summary(report).partition(" (")[0]  # -> 'shop v2 loaded: PRICE changed'
    """
    if isinstance(report, MoveReport):
        said = _moves(report, f" to v{report.version}")
        return f"{report.module}: {said or 'no process runs an older version'}"
    if report.version is None:
        return _refusal(report)
    return loaded_line(report, "loaded", "", report.prepare_ms + report.commit_ms)


def loaded_line(report: LoadReport, loaded: str, servers: str, milliseconds: float) -> str:
    """Return the summary of a load that was done; `servers` are the words about those, "" for none."""
    parts = [
        _changes(report),
        servers,
        kept_state(report.state),
        _count(report.warnings, "warning"),
        _count(report.stale_imports, "stale import"),
        _count(report.held, "held function"),
        _moves(report),
    ]
    said = "; ".join(part for part in parts if part)
    return f"{report.module} v{report.version} {loaded}{': ' if said else ''}{said} ({milliseconds:.1f} ms)"


def _changes(report: LoadReport) -> str:
    if report.version == 1:
        return ""
    groups = ((report.changed, "changed"), (report.added, "added"), (report.removed, "removed"))
    said = [
        f"{', '.join(names) if len(names) <= SHOWN else f'{len(names)} definitions'} {verb}"
        for names, verb in groups
        if names
    ]
    is_known = all(each.code != "unknown-text" for each in report.warnings)
    return ", ".join(said) or ("no definition changed" if is_known else "what changed is not known")


def _count(found: Sequence[object], word: str) -> str:
    return f"{len(found)} {word}{'s' if len(found) > 1 else ''}" if found else ""


def _moves(report: LoadReport | MoveReport, to: str = "") -> str:
    """Name the moved processes and the others: "3 processes moved, 1 still runs v1: <0.37.0> at loop:9"."""
    moved, still = len(report.moved), _still(report)
    said = [f"{processes(moved)} moved{to}"] if moved else []
    if still:
        count = str(len(still)) if moved else processes(len(still))
        versions = _join(f"v{number}" for number in sorted(_versions(report)))
        places = ", ".join(
            f"{each.pid!r} at {each.function}:{each.line}{f' ({reason})' if reason else ''}"
            for each, reason in _with_reasons(report, SHOWN)
        )
        more = f" and {len(still) - SHOWN} more" if len(still) > SHOWN else ""
        said.append(f"{count} still {verb(len(still), 'run')} {versions}: {places}{more}")
    return ", ".join(said)


def _still(report: LoadReport | MoveReport) -> Sequence[Lingering | NotMoved]:
    """Return the processes in older versions, in words."""
    return report.not_moved if isinstance(report, MoveReport) else report.lingering


def _versions(report: LoadReport | MoveReport) -> set[int]:
    """Return the older versions that are run."""
    if isinstance(report, MoveReport):
        return {each.version for each in report.not_moved}
    return versions_of(report.lingering)


def _with_reasons(report: LoadReport | MoveReport, most: int) -> list[tuple[Lingering | NotMoved, str]]:
    """Return the first of them, each with the reason why it was not moved, "" if nobody tried."""
    reasons = {each.pid: each.reason for each in report.not_moved}
    return [(each, reasons.get(each.pid, "")) for each in _still(report)[:most]]


def _refusal(report: LoadReport) -> str:
    """Say what happened, what is unchanged, and what to do."""
    remedy = REMEDY.get(report.refusals[0].code, "Fix the line, load again.")
    return f"{report.module} not loaded: {refused_because(report)}. {_unchanged(report)} {remedy}".rstrip()


def refused_because(report: LoadReport) -> str:
    """Return the first refusal with its place, and how many more there are, without a full stop."""
    first, more = report.refusals[0], sum(each.code not in NO_FAULTS for each in report.refusals[1:])
    other = os.path.basename(first.path) + " " if first.path != report.path else ""
    place = f"{other}line {first.line}, " if first.code in AT_A_LINE else ""
    return f"{place}{first.message.rstrip('.')}{f' (and {more} more)' if more else ''}"


def _unchanged(report: LoadReport) -> str:
    if report.current is None and not report.lingering:
        return "It was not loaded before either."
    count = count_in(report.lingering, report.current)
    older = len(report.lingering) - count
    parts = ["No version is current" if report.current is None else f"Version {report.current} stays current"]
    if count:
        parts.append(f"{processes(count)} {verb(count, 'keep')} running it")
    if older:
        parts.append(f"{processes(older)} {verb(older, 'run')} older versions")
    return "; ".join(parts) + "."


@singledispatch
def text(report: LoadReport | MoveReport) -> str:
    """Return the whole report, several lines, each diagnostic as path:line:column.

    Example:

        report = code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        "changed: PRICE" in code.text(report)  # -> True
    """
    lines = [summary(report)]
    if isinstance(report, MoveReport):
        return "\n".join([*lines, *_moved_line(report), *_still_lines(report)]) + "\n"
    for title, names in (("changed", report.changed), ("added", report.added), ("removed", report.removed)):
        if names:
            lines.append(f"  {title + ':':9}{', '.join(names)}")
    if report.version is not None:
        lines.append(f"  {'file:':9}{report.path}")
        lines += _identity_lines(report)
        lines += kept_lines(report.state)
        lines.append(
            f"  {'time:':9}prepared in {report.prepare_ms:.1f} ms, processes held for {report.commit_ms:.1f} ms"
        )
    lines += _moved_line(report)
    for title, found in (("Refused because", report.refusals), ("Warnings", report.warnings)):
        if found:
            lines += [
                "",
                title,
                *(f"  {each.path}:{each.line}:{each.column}: {each.message}" for each in found),
            ]
    lines += told_lines(report.state)
    if report.stale_imports:
        lines += ["", "Names that other modules imported, and keep from an older version"]
        lines += [f"  {each.name} in {each.module}" for each in report.stale_imports]
        together = [report.module, *dict.fromkeys(each.module for each in report.stale_imports)]
        lines.append(f"  Call them as {report.module}.NAME, or load those modules too, to have the current ones:")
        lines.append(f"  load_many({together!r})")
    lines += forward_lines(report.forwarded, report.not_forwarded)
    lines += held_lines(report.module, report.held, report.subclasses)
    return "\n".join([*lines, *_still_lines(report)]) + "\n"


def _identity_lines(report: LoadReport) -> list[str]:
    """Name the kept classes, and the others with a reason. One whose own text changed needs none."""
    lines = [f"  {'kept:':9}{', '.join(report.kept)}"] if report.kept else []
    if report.superseded:
        reasons = [f"{each.name} ({each.reason})" for each in report.superseded]
        lines.append(f"  {'superseded: '}{', '.join(reasons)}")
    return lines


def _moved_line(report: LoadReport | MoveReport) -> list[str]:
    if not report.moved:
        return []
    more = f" and {len(report.moved) - LISTED} more" if len(report.moved) > LISTED else ""
    return [f"  {'moved:':9}{', '.join(map(repr, report.moved[:LISTED]))}{more}"]


def _still_lines(report: LoadReport | MoveReport) -> list[str]:
    still = _still(report)
    if not still:
        return []
    rows = [
        f"  {each.pid!r}{f' ({each.name})' if each.name else ''}  v{each.version}  at {each.function}:{each.line}"
        f"{f', not moved: {reason}' if reason else ''}"
        for each, reason in _with_reasons(report, LISTED)
    ]
    if len(still) > LISTED:
        rows.append(f"  and {len(still) - LISTED} more")
    asked = bool(report.not_moved)
    if isinstance(report, LoadReport) and report.version is None:
        return ["", "Processes that run it, and go on as they were", *rows]
    module = report.module
    offer = "" if asked else f"move({module!r}) moves those that only wait for a message; "
    return [
        "",
        "Processes in older versions",
        *rows,
        f"  Each goes on there until it calls a function of the module by its full name: `return {module}.f(...)`",
        "  moves it, with the state that it passes on. Which message makes it do so is up to the program.",
        f"  {offer}purge({module!r}) ends them.",
    ]


def processes(count: int) -> str:
    """Return `count` with its noun."""
    return f"{count} process{'' if count == 1 else 'es'}"


def verb(count: int, word: str) -> str:
    """Return `word` as it goes with `count` of them."""
    return f"{word}{'s' if count == 1 else ''}"


def _join(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
