"""An upgrade made of its steps: prepare, suspend, change, commit; and the rehearsal of one, without the last."""

from __future__ import annotations

from collections.abc import Sequence

from midflight.code.load.attempt import Attempt, Options
from midflight.code.load.commit import Committed, commit
from midflight.code.load.prepare import prepare
from midflight.code.load.transaction import note_supervisors, transaction, units_in
from midflight.code.report.load_report import LoadReport
from midflight.code.report.upgrade_report import UpgradeReport
from midflight.code.source.unit import Rejection, Unit
from midflight.code.upgrade.in_thread import Ticket
from midflight.code.upgrade.plan import Terms
from midflight.code.upgrade.rehearsed import rehearsed
from midflight.code.upgrade.suspend import Suspension
from midflight.code.upgrade.suspending import as_asked, refuse_failed, report_with_servers, suspending

__all__ = ["rehearse_units", "upgrade_units"]


def upgrade_units(
    found: Sequence[Unit | Rejection], options: Options, ticket: Ticket, terms: Terms
) -> tuple[LoadReport, ...]:
    """Load these units and change the states of their live servers, all of it or nothing.

    Returns: a report for each, in their order; by `terms.only_news` a LoadReport for a module none of whose servers had
    to change. Raises: UpgradeError, LoadError, ValueError.
    """
    units = units_in(found)
    if not units:
        return ()
    with transaction(units, options) as load:
        outcome = Committed.BEHIND
        while outcome is Committed.BEHIND:
            prepare(load)
            load.load.pass_gate()
            with suspending(load, ticket, terms) as servers:
                while (outcome := commit(load, servers)) is Committed.UNREADY:
                    servers.suspend()
                    servers.change()
                    refuse_failed(load, servers)
        if load.commit is not None and load.commit.supervisors:
            note_supervisors(load, are_asked=True)
    return _reports(load, servers, only_news=terms.only_news)


def rehearse_units(
    found: Sequence[Unit | Rejection], options: Options, ticket: Ticket, terms: Terms
) -> tuple[UpgradeReport, ...]:
    """Report on the effects that `upgrade_units` would have. Raises: UpgradeError, LoadError, ValueError."""
    units = units_in(found)
    if not units:
        return ()
    with transaction(units, options) as load:
        prepare(load)
        with suspending(load, ticket, terms) as servers:
            servers.suspend()
            servers.change(is_rehearsal=True)
            return rehearsed(load, servers)


def _reports(load: Attempt, servers: Suspension, *, only_news: bool) -> tuple[LoadReport, ...]:
    """Return the reports with the outcome for each server that has not ended since the commit."""
    commit = load.commit
    assert commit is not None
    if servers.seconds is None:
        return load.reports
    try:
        upgraded = {each.pid for each in servers.servers}
        servers.changes = {
            name: tuple(each for each in changes if each.pid in upgraded) for name, changes in servers.changes.items()
        }
        return tuple(
            report_with_servers(each, servers) if servers.changes.get(each.module) or not only_news else each
            for each in load.reports
        )
    except Exception as error:
        commit.note_failure("what became of each server is not known", error)
        return tuple(
            UpgradeReport(
                new.unit.name,
                new.version.number,
                new.unit.path,
                warnings=(*new.warnings, *commit[new].warnings),
                current=new.version.number,
            )
            for new in as_asked(load)
        )
