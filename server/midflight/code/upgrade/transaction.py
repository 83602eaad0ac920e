"""The transaction of an upgrade: a load, with servers suspended, changed and switched between its two halves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from types import ModuleType

from midflight.code.census.census import Census
from midflight.code.load.commit import check
from midflight.code.load.prepare import Prepared, Refused
from midflight.code.load.steps import note_failure
from midflight.code.load.transaction import Transaction
from midflight.code.loading.lock import LoadLock
from midflight.code.loading.under_way import Doing
from midflight.code.report.load_report import Diagnostic, LoadReport, summary
from midflight.code.report.of_many import summary_of_many
from midflight.code.report.upgrade_report import ServerChange, UpgradeReport
from midflight.code.source.unit import Unit
from midflight.code.upgrade.account import changes_of, problems_of, state_of, with_servers
from midflight.code.upgrade.in_thread import Stopped, Ticket
from midflight.code.upgrade.plan import Planner, Terms, stragglers
from midflight.code.upgrade.suspend import Busy, Suspension
from midflight.code.upgrade.suspended import SuspendedServer
from midflight.errors import UpgradeError

__all__ = ["Upgrade"]

Problems = dict[Prepared, list[Diagnostic]]


class _Rehearsed(Exception):
    """All but the commit is done, and that is not wanted."""

    def __init__(self, reports: tuple[UpgradeReport, ...]) -> None:
        super().__init__()
        self.reports = reports


class Upgrade(Transaction):
    """A load of one or more modules that takes their servers along."""

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
        self._since: float | None = None  # when the first server was suspended
        self._held_seconds = 0.0
        self._changes: dict[str, tuple[ServerChange, ...]] = {}  # by module

    def run(self) -> tuple[LoadReport, ...]:
        """Upgrade; return a report for each module, in the order they were given. Raises: UpgradeError, LoadError."""
        try:
            reports = super().run()
        except _Rehearsed as rehearsed:
            return rehearsed.reports
        if self._since is None:
            return reports
        try:
            return tuple(
                self._report(each) if self._changes.get(each.module) or not self._terms.only_news else each
                for each in reports
            )
        except Exception as error:
            note_failure(self._made, "what became of each server is not known", error)
            return tuple(map(_short, self._as_asked()))

    def _finish(self) -> None:
        """Suspend the servers, have them make their states, and make all current."""
        planner = Planner(self._made, self._terms)
        planner.read_ahead()
        suspension = Suspension(planner, self._ticket, self._terms.timeout, self._terms.caller)
        self._load.enter(Doing.HOLDING)
        self._load.on_end.append(self._break_off)
        self._ticket.is_holding = True
        try:
            with self._lock.giving_way(self._load, self._give_way):
                self._take_and_commit(suspension)
        except Busy as error:
            raise self._busy(error) from None
        except Stopped as error:
            self._load.check()
            first = self._as_asked()[0]
            raise self._error({first: [first.problem(str(error), "stopped")]}, []) from None
        finally:
            suspension.release()
            self._ticket.is_holding = False
            if self._since is not None:
                self._held_seconds = time.perf_counter() - self._since

    def _break_off(self, by: str) -> None:
        self._ticket.stop(f"it was broken off by {by}")

    def _give_way(self) -> None:
        self._ticket.stop("a load on the runtime's own thread had to go first")

    def _take_and_commit(self, suspension: Suspension) -> None:
        """Go round until no server is left that is not suspended: while some are suspended, others start."""
        while self._terms.is_rehearsal or not self._lock.call(partial(self._switch, suspension)):
            self._since = self._since or time.perf_counter()
            suspension.take()
            servers, is_whole = suspension.servers, self._terms.is_rehearsal
            self._changes = {each.unit.name: changes_of(_of(each, servers), is_whole=is_whole) for each in self._made}
            failed = [each for each in servers if each.error is not None]
            if self._terms.is_rehearsal:
                raise _Rehearsed(self._rehearse(failed))
            if failed:
                raise self._error(self._problems_of(failed), failed)

    def _switch(self, suspension: Suspension) -> bool:
        """Commit code and states if all servers are suspended; say whether they were. On the runtime's thread."""
        self._ticket.check()
        if not suspension.is_complete():
            return False
        touched = suspension.touched()
        if touched:
            raise Stopped(f"somebody else has resumed {touched[0]!r} meanwhile, or replaced its state")
        for made, warning in stragglers(self._made):
            made.warnings.append(warning)
        self._commit(states=suspension.install)
        try:
            upgraded = {each.pid for each in suspension.servers}  # others have ended since
            self._changes = {
                name: tuple(each for each in changes if each.pid in upgraded) for name, changes in self._changes.items()
            }
        except Exception as error:
            note_failure(self._made, "which of the servers had ended by then is not known", error)
        return True

    # --- What is said of it -------------------------------------------------------------------------------------

    def _rehearse(self, failed: Sequence[SuspendedServer]) -> tuple[UpgradeReport, ...]:
        """Take the last look, and report the outcome for each module; all would be refused if one would."""
        found = self._problems_of(failed)
        try:
            options = {"force": self._force, "two_versions": self._two_versions, "move": self._move}
            self._lock.call(partial(check, self._made, Census(), **options))
        except Refused as refused:
            for failure in refused.failures:
                found[self._named(failure.name)] += failure.problems
        at_fault = [each.unit.name for each, problems in found.items() if problems]
        for each, problems in found.items():
            if at_fault and not problems:
                why = f"it goes together with {', '.join(at_fault)}, and so would not be either"
                problems.append(each.problem(why, "together"))
        return tuple(self._rehearsed(each, tuple(problems)) for each, problems in found.items())

    def _rehearsed(self, made: Prepared, refusals: tuple[Diagnostic, ...]) -> UpgradeReport:
        report = self._report(replace(made.report(), current=_current(made), refusals=refusals))
        return replace(report, version=None if refusals else report.version, is_rehearsed=True)

    def _problems_of(self, failed: Sequence[SuspendedServer]) -> Problems:
        return {each: list(problems_of(_of(each, failed), each, self._made)) for each in self._as_asked()}

    def _as_asked(self) -> list[Prepared]:
        """Return the versions in the making, in the order of the request."""
        return [prepared for unit in self._units for prepared in self._made if prepared.unit is unit]

    def _named(self, name: str) -> Prepared:
        return next(each for each in self._made if each.unit.name == name)

    def _busy(self, error: Busy) -> UpgradeError:
        found: Problems = {each: [] for each in self._as_asked()}
        for server, why, code in error.late:
            assert server.plan is not None
            made = self._named(server.plan.module)
            found[made].append(made.problem(why, code))
        return self._error(found, [late.server for late in error.late])

    def _error(self, found: Problems, culprits: Sequence[SuspendedServer]) -> UpgradeError:
        """Return the exception, with a report for each module that has problems, that of the first culprit first."""
        refused = sorted(filter(found.get, found), key=lambda made: not _of(made, culprits[:1]))
        reports = [
            self._report(
                LoadReport(made.unit.name, None, made.unit.path, refusals=tuple(found[made]), current=_current(made))
            )
            for made in refused
        ]
        said = summary(reports[0]) if len(self._made) == 1 else summary_of_many(reports)
        if not culprits:
            return UpgradeError(said, *reports)
        error = UpgradeError(said, *reports, pid=culprits[0].pid, state=state_of(culprits[0]) or None)
        error.__cause__ = culprits[0].error
        return error

    def _report(self, report: LoadReport) -> UpgradeReport:
        seconds = self._held_seconds
        if self._since is not None and not seconds:  # they are suspended still
            seconds = time.perf_counter() - self._since
        servers = self._changes.get(report.module, ())
        return with_servers(report, servers, seconds * 1000 if servers else 0.0)


def _of(made: Prepared, servers: Iterable[SuspendedServer]) -> list[SuspendedServer]:
    """Return the servers of the module that was made."""
    return [each for each in servers if each.plan is not None and each.plan.module == made.unit.name]


def _current(made: Prepared) -> int | None:
    return None if made.before is None else made.before.number


def _short(made: Prepared) -> UpgradeReport:
    number = made.version.number
    warnings = tuple(made.warnings)
    return UpgradeReport(made.unit.name, number, made.unit.path, warnings=warnings, current=number)
