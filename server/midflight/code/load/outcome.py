"""`Commit`, the findings of a commit, version by version, and `report_of`, which makes a report of them.

Laws:
1. Nothing in a `Commit` decides anything: it is what reports are made of.
2. What is not known, because a step after the swap failed, is a warning here, and its traceback is in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from typing import Any

from midflight.code.checks.stale_imports import said_of
from midflight.code.load.new_version import NewVersion
from midflight.code.report.held import Held, Holders, NotForwarded, StaleSubclass
from midflight.code.report.load_report import Diagnostic, Lingering, LoadReport, MoveReport
from midflight.code.report.state_report import StateChange
from midflight.kernel import Pid, trouble
from midflight.text import exception_said

__all__ = ["Commit", "log_failure", "report_of"]

_log = logging.getLogger("midflight.code")


@dataclass(slots=True)
class Learned:
    """The part of a Commit about one version.

    `lingering` are processes in other ones, `held` functions of those that others hold, with the search for who,
    `subclasses` classes elsewhere that inherit from its old ones, `forwarded` and `not_forwarded` as in a LoadReport,
    `seconds` its time, `settled` the words of warnings that are not so any more.
    """

    moves: MoveReport
    warnings: list[Diagnostic] = field(default_factory=list)
    lingering: Sequence[Lingering] = ()
    state: Sequence[StateChange] = ()
    seconds: float = 0.0
    held: tuple[Held, ...] = ()
    holders: Holders | None = None
    subclasses: tuple[StaleSubclass, ...] = ()
    forwarded: tuple[str, ...] = ()
    not_forwarded: tuple[NotForwarded, ...] = ()
    settled: tuple[str, ...] = ()


class Commit:
    """The commit of `new`, from its last look on. `is_moved` if it has moved the idle processes.

    `supervisors` are all that there were at that look, each with its pid.
    """

    def __init__(self, new: Sequence[NewVersion]) -> None:
        self.new = tuple(new)
        self.is_moved = False
        self.supervisors: list[tuple[Pid, Any]] = []
        self._learned = {each: Learned(MoveReport(each.unit.name, None)) for each in new}

    def __getitem__(self, new: NewVersion) -> Learned:
        return self._learned[new]

    def warn(self, new: NewVersion, warnings: Iterable[Diagnostic]) -> None:
        """Add warnings to the report on a version, all of them or, if one raises, none."""
        self._learned[new].warnings += tuple(warnings)

    def note_moves(self, new: NewVersion, moves: MoveReport) -> None:
        """Take out the processes that were moved: they linger no more."""
        learned = self._learned[new]
        moved = frozenset(moves.moved)
        if moved:
            learned.lingering = tuple(row for row in learned.lingering if row.pid not in moved)
        learned.moves = moves

    def note_failure(self, unknown: str, error: BaseException) -> None:
        """Warn in each report of the unknown part, and write `error` into the log."""
        for each in self.new:
            self._learned[each].warnings.append(_warning(each, unknown, error))
        names = ", ".join(f"{each.unit.name} version {each.version.number}" for each in self.new)
        log_failure(f"{names}: current and whole, but {unknown}", error)


def log_failure(text: str, error: BaseException) -> None:
    """Write `text` into the log, with the traceback of `error`. Raises nothing."""
    trouble.log_raised(_log, text, error)


def _warning(new: NewVersion, unknown: str, error: BaseException) -> Diagnostic:
    text = f"version {new.version.number} is current and whole, but {unknown}: {exception_said(error)}"
    return replaced(new.problem(text, "afterwards"), severity="warning")


def report_of(new: NewVersion, commit: Commit) -> LoadReport:
    """Return the report on a version that has become current; a short one if the whole cannot be made."""
    try:
        return whole_report(new, commit)
    except Exception as error:
        learned, number = commit[new], new.version.number
        unknown = "what changed and who lingers is not known"
        learned.warnings.append(_warning(new, unknown, error))
        log_failure(f"{new.unit.name} version {number}: current and whole, but {unknown}", error)
        return LoadReport(new.unit.name, number, new.unit.path, warnings=tuple(learned.warnings), current=number)


def whole_report(new: NewVersion, commit: Commit) -> LoadReport:
    """Return the report on a version, as if it were current."""
    learned, number = commit[new], new.version.number
    added, changed, removed = new.differences
    return LoadReport(
        module=new.unit.name,
        version=number,
        path=new.unit.path,
        added=added,
        changed=changed,
        removed=removed,
        warnings=(*[each for each in new.warnings if each.message not in learned.settled], *learned.warnings),
        lingering=learned.lingering,
        stale_imports=said_of(new.stale, new.state.is_kept if new.state is not None else _nothing_is_kept),
        prepare_ms=new.seconds * 1000,
        commit_ms=learned.seconds * 1000,
        current=number,
        kept=new.identity.kept if new.identity is not None else (),
        superseded=new.identity.superseded if new.identity is not None else (),
        moved=learned.moves.moved,
        not_moved=learned.moves.not_moved,
        held=learned.held,
        holders=learned.holders,
        subclasses=learned.subclasses,
        state=tuple(learned.state),
        forwarded=learned.forwarded,
        not_forwarded=learned.not_forwarded,
    )


def _nothing_is_kept(_: object) -> bool:
    return False
