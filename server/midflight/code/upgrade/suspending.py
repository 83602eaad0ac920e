"""`suspending`: the part of an upgrade between its two halves, while servers are held; the errors that end it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from midflight.code.load.attempt import Attempt
from midflight.code.load.new_version import NewVersion
from midflight.code.loading.lock import load_lock
from midflight.code.loading.under_way import Doing
from midflight.code.report.load_report import Diagnostic, LoadReport, summary
from midflight.code.report.of_many import summary_of_many
from midflight.code.report.upgrade_report import UpgradeReport
from midflight.code.upgrade.account import problems_of, servers_of, state_of, with_servers
from midflight.code.upgrade.in_thread import Stopped, Ticket
from midflight.code.upgrade.plan import Terms
from midflight.code.upgrade.suspend import Busy, Suspension
from midflight.code.upgrade.suspended import SuspendedServer
from midflight.errors import UpgradeError

__all__ = ["Problems", "as_asked", "refuse_failed", "report_with_servers", "suspending"]

Problems = dict[NewVersion, list[Diagnostic]]


@contextmanager
def suspending(load: Attempt, ticket: Ticket, terms: Terms) -> Iterator[Suspension]:
    """Have servers suspended and changed in the block, by the Suspension that it gets; then let them go on.

    Raises: UpgradeError if they do not obey in time, or the work is stopped; KeyboardInterrupt.
    """
    servers = Suspension(load.new, ticket, terms)
    load.load.enter(Doing.HOLDING)
    load.load.on_end.append(lambda by: ticket.stop(f"it was broken off by {by}"))
    ticket.is_holding = True
    give_way = partial(ticket.stop, "a load on the runtime's own thread had to go first")
    try:
        with load_lock.giving_way(load.load, give_way):
            yield servers
    except Busy as error:
        raise _busy(load, servers, error) from None
    except Stopped as error:
        load.load.check()
        first = as_asked(load)[0]
        raise _error(load, servers, {first: [first.problem(str(error), "stopped")]}, []) from None
    finally:
        servers.release()
        ticket.is_holding = False


def refuse_failed(load: Attempt, servers: Suspension) -> None:
    """Raise UpgradeError if a code_change has raised."""
    failed = servers.failed
    if failed:
        raise _error(load, servers, failures(load, failed), failed)


def failures(load: Attempt, failed: Sequence[SuspendedServer]) -> Problems:
    """Return for each module, in the order of the request, the errors of its servers."""
    return {each: list(problems_of(servers_of(each, failed), each, load.new)) for each in as_asked(load)}


def as_asked(load: Attempt) -> list[NewVersion]:
    """Return the new versions in the order of the request."""
    return [new for unit in load.units for new in load.new if new.unit is unit]


def report_with_servers(report: LoadReport, servers: Suspension) -> UpgradeReport:
    """Return the report of a load as that of an upgrade."""
    changes = servers.changes.get(report.module, ())
    return with_servers(report, changes, (servers.seconds or 0.0) * 1000 if changes else 0.0)


def _busy(load: Attempt, servers: Suspension, error: Busy) -> UpgradeError:
    found: Problems = {each: [] for each in as_asked(load)}
    by_name = {each.unit.name: each for each in found}
    for server, why, code in error.late:
        assert server.plan is not None
        new = by_name[server.plan.module]
        found[new].append(new.problem(why, code))
    return _error(load, servers, found, [late.server for late in error.late])


def _error(
    load: Attempt,
    servers: Suspension,
    found: Mapping[NewVersion, Sequence[Diagnostic]],
    culprits: Sequence[SuspendedServer],
) -> UpgradeError:
    """Return the exception, with a report for each module that has problems, that of the first culprit first."""
    at_fault = sorted(filter(found.get, found), key=lambda new: not servers_of(new, culprits[:1]))
    reports = [
        report_with_servers(
            LoadReport(new.unit.name, None, new.unit.path, refusals=tuple(found[new]), current=new.number_before),
            servers,
        )
        for new in at_fault
    ]
    said = summary(reports[0]) if len(load.new) == 1 else summary_of_many(reports)
    if not culprits:
        return UpgradeError(said, *reports)
    error = UpgradeError(said, *reports, pid=culprits[0].pid, state=state_of(culprits[0]) or None)
    error.__cause__ = culprits[0].error
    return error
