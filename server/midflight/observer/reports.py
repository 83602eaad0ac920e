"""The reports of supervisors that are remembered, so that every front end can list them: what ended, what was done.

A report that something is wrong is always made; that a child was started is reported where the logger
`midflight.supervisor` logs at INFO, as in `midflight serve`. Many starts push no report of the first kind out.

Law: what is kept is text. A child's arguments or its class would stay in memory with it.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from itertools import count

from midflight.kernel import Scheduler, function_name
from midflight.observer.printing import printed
from midflight.otp import ProgressReport, Report, SupervisorReport, on_report

__all__ = ["REPORTS_KEPT", "ReportRow", "Reports"]

REPORTS_KEPT = 200
STARTS_KEPT = 100
CHARACTERS = 500  # of a value


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One report as text. `at` is in seconds since the epoch; `context` OTP's errorContext, "progress" for a start.

    `then` says what the supervisor does about it, `child_pid` is "" for a child that did not start.
    """

    number: int
    at: float
    context: str
    supervisor: str
    name: str | None
    reason: str
    then: str
    child: str
    child_pid: str
    start: str
    arguments: str
    restart: str
    shutdown: str
    type: str
    significant: bool
    text: str


class Reports:
    """The last 200 reports of one runtime, and its last 100 starts, from its making on. Any thread may ask for them."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._rows: deque[ReportRow] = deque(maxlen=REPORTS_KEPT)
        self._starts: deque[ReportRow] = deque(maxlen=STARTS_KEPT)
        self._numbers = count(1)
        on_report(scheduler, self.note)

    def note(self, report: Report) -> None:
        """Keep `report`. Called on the runtime's thread."""
        rows = self._starts if isinstance(report, ProgressReport) else self._rows
        rows.append(_row(next(self._numbers), report))

    def all(self) -> list[ReportRow]:
        """Return the reports, oldest first."""
        return sorted([*self._rows, *self._starts], key=lambda row: row.number)

    def clear(self) -> int:
        """Forget all; return how many there were."""
        count = len(self._rows) + len(self._starts)
        self._rows.clear()
        self._starts.clear()
        return count


def _row(number: int, report: Report) -> ReportRow:
    match report:
        case ProgressReport(started=child):
            context, reason, then = "progress", "", "it was started"
        case SupervisorReport(context=context, offender=child, then=then):
            reason = printed(report.reason, CHARACTERS)
    return ReportRow(
        number=number,
        at=time.time(),
        context=context,
        supervisor=repr(report.supervisor),
        name=report.name,
        reason=reason,
        then=then,
        child=printed(child.id, CHARACTERS),
        child_pid="" if child.pid is None else repr(child.pid),
        start=function_name(child.start),
        arguments=printed(child.args, CHARACTERS),
        restart=child.restart,
        shutdown=printed(child.shutdown, CHARACTERS),
        type=child.type,
        significant=child.significant,
        text=report.text(),
    )
