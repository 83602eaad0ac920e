"""`rehearsed`: the reports on an upgrade that is prepared, with its servers changed, and that is not committed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from midflight.code.census.census import Census
from midflight.code.load.attempt import Attempt
from midflight.code.load.commit import rehearse_changes
from midflight.code.load.journal import look_into_journals
from midflight.code.load.last_look import take_last_look
from midflight.code.load.outcome import Commit, whole_report
from midflight.code.load.refused import Refused
from midflight.code.loading.lock import load_lock
from midflight.code.report.upgrade_report import UpgradeReport
from midflight.code.upgrade.suspend import Suspension
from midflight.code.upgrade.suspending import failures, report_with_servers

__all__ = ["rehearsed"]


def rehearsed(load: Attempt, servers: Suspension) -> tuple[UpgradeReport, ...]:
    """Take the last look, and report the outcome for each module, in the order of the request.

    `servers` are suspended, and have new states. All modules would be refused if one would.
    """
    found, commit = failures(load, servers.failed), Commit(load.new)
    try:
        load_lock.call(partial(_rehearse, load, commit, servers))
    except Refused as refused:
        by_name = {each.unit.name: problems for each, problems in found.items()}
        for failure in refused.failures:
            by_name[failure.name] += failure.problems
    at_fault = [each.unit.name for each, problems in found.items() if problems]
    reports = []
    for new, problems in found.items():
        if at_fault and not problems:
            why = f"it goes together with {', '.join(at_fault)}, and so would not be either"
            problems.append(new.problem(why, "together"))
        whole = replace(whole_report(new, commit), current=new.number_before, refusals=tuple(problems))
        report = report_with_servers(whole, servers)
        reports.append(replace(report, version=None if problems else report.version, is_rehearsed=True))
    return tuple(reports)


def _rehearse(load: Attempt, commit: Commit, servers: Suspension) -> None:
    """Take the last look, and find out what would become of the modules' state. On the runtime's thread."""
    take_last_look(commit, Census(), load.options, lambda: [each.pid for each in servers.servers])
    look_into_journals(commit)
    rehearse_changes(commit)
