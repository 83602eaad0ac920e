"""The transaction of an upgrade: what a load does, with servers held, changed and switched between its two halves."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from types import ModuleType

from midflight.code.account import changes_of, problems_of, state_of, with_servers
from midflight.code.afterwards import note_failure
from midflight.code.census import Census
from midflight.code.commit import check
from midflight.code.held import Held
from midflight.code.holding import Busy, Holding
from midflight.code.lock import LoadLock
from midflight.code.planning import Planner, Terms, stragglers
from midflight.code.prepare import Refused
from midflight.code.report import Diagnostic, LoadReport, summary
from midflight.code.source import Unit
from midflight.code.ticket import Stopped, Ticket
from midflight.code.transaction import Transaction
from midflight.code.upgrade_report import ServerChange, UpgradeReport
from midflight.errors import UpgradeError

__all__ = ["Upgrade"]


class _Rehearsed(Exception):
    """All but the commit is done, and that is not wanted."""

    def __init__(self, report: UpgradeReport) -> None:
        super().__init__()
        self.report = report


class Upgrade(Transaction):
    """A load of one module that takes its servers along."""

    def __init__(
        self,
        units: Sequence[Unit],
        lock: LoadLock,
        reload: Callable[[ModuleType], object],
        *,
        force: bool,
        two_versions: bool,
        move: bool,
        ticket: Ticket,
        terms: Terms,
    ) -> None:
        super().__init__(units, lock, reload, force=force, two_versions=two_versions, move=move)
        self._ticket = ticket
        self._terms = terms
        self._since: float | None = None  # when the first server was held
        self._held_seconds = 0.0
        self._changes: tuple[ServerChange, ...] = ()

    def run(self) -> tuple[LoadReport, ...]:
        """Upgrade; return the report. Raises: UpgradeError, LoadError."""
        try:
            (report,) = super().run()
        except _Rehearsed as rehearsed:
            return (rehearsed.report,)
        if self._since is None:
            return (report,)
        try:
            return (self._report(report),)
        except Exception as error:
            note_failure(self._made, "what became of each server is not known", error)
            warnings = tuple(self._made[0].warnings)
            return (
                UpgradeReport(report.module, report.version, report.path, warnings=warnings, current=report.version),
            )

    def _finish(self) -> None:
        """Hold the servers, have them make their states, and make all current."""
        planner = Planner(self._made[0], self._terms)
        planner.read_ahead()
        holding = Holding(planner, self._ticket, self._terms.timeout, self._terms.caller)
        self._ticket.is_holding = True
        try:
            with self._lock.giving_way(lambda: self._ticket.stop("a load on the runtime's own thread had to go first")):
                self._take_and_commit(holding)
        except Busy as error:
            raise self._busy(error) from None
        except Stopped as error:
            raise self._error([self._problem(str(error), "stopped")], []) from None
        finally:
            holding.release()
            self._ticket.is_holding = False
            if self._since is not None:
                self._held_seconds = time.perf_counter() - self._since

    def _take_and_commit(self, holding: Holding) -> None:
        """Go round until no server is left that is not held: while some are held, others start."""
        while self._terms.is_rehearsal or not self._lock.call(partial(self._switch, holding)):
            self._since = self._since or time.perf_counter()
            holding.take()
            self._changes = changes_of(holding.servers, is_whole=self._terms.is_rehearsal)
            failed = [each for each in holding.servers if each.error is not None]
            if self._terms.is_rehearsal:
                raise _Rehearsed(self._rehearsed(failed))
            if failed:
                raise self._error(list(problems_of(failed, self._made[0])), failed)

    def _switch(self, holding: Holding) -> bool:
        """Commit code and states if all servers are held; say whether they were. On the runtime's thread."""
        self._ticket.check()
        if not holding.is_complete():
            return False
        touched = holding.touched()
        if touched:
            raise Stopped(f"somebody else has resumed {touched[0]!r} meanwhile, or replaced its state")
        self._made[0].warnings += stragglers(self._made[0])
        self._commit(states=holding.install)
        try:
            upgraded = {each.pid for each in holding.servers}  # others have ended since
            self._changes = tuple(each for each in self._changes if each.pid in upgraded)
        except Exception as error:
            note_failure(self._made, "which of the servers had ended by then is not known", error)
        return True

    # --- What is said of it -------------------------------------------------------------------------------------

    def _rehearsed(self, failed: Sequence[Held]) -> UpgradeReport:
        made = self._made[0]
        refusals = list(problems_of(failed, self._made[0]))
        try:
            options = {"force": self._force, "two_versions": self._two_versions, "move": self._move}
            self._lock.call(partial(check, self._made, Census(), **options))
        except Refused as refused:
            refusals += [problem for failure in refused.failures for problem in failure.problems]
        report = self._report(replace(made.report(), current=self._current, refusals=tuple(refusals)))
        return replace(report, version=None if refusals else report.version, is_rehearsed=True)

    def _busy(self, error: Busy) -> UpgradeError:
        problems = [self._problem(place, "busy") for place in error.places]
        return self._error(problems, error.servers)

    def _error(self, problems: Sequence[Diagnostic], culprits: Sequence[Held]) -> UpgradeError:
        unit = self._made[0].unit
        base = LoadReport(unit.name, None, unit.path, refusals=tuple(problems), current=self._current)
        report = self._report(base)
        first = culprits[0] if culprits else None
        if first is None:
            return UpgradeError(summary(report), report)
        error = UpgradeError(summary(report), report, first.pid, state_of(first) or None)
        error.__cause__ = first.error
        return error

    @property
    def _current(self) -> int | None:
        before = self._made[0].before
        return None if before is None else before.number

    def _problem(self, message: str, code: str) -> Diagnostic:
        return self._made[0].problem(message, code)

    def _report(self, report: LoadReport) -> UpgradeReport:
        seconds = self._held_seconds
        if self._since is not None and not seconds:  # they are held still
            seconds = time.perf_counter() - self._since
        return with_servers(report, self._changes, seconds * 1000)
