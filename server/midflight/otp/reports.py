"""The reports of a supervisor: what its children did, as a log record with the fields that OTP's reports have.

They go to the logger `midflight.supervisor`, a SupervisorReport at ERROR and a ProgressReport at INFO. The record has
it as its attribute `report`, and its text as the message. Listeners of the runtime get it then (`on_report`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakKeyDictionary

from midflight.kernel import Pid, Scheduler, current_process, current_scheduler, trouble
from midflight.otp.child_spec import ChildSpec, Shutdown
from midflight.text import medium, short

__all__ = [
    "ChildFacts",
    "Context",
    "ProgressReport",
    "Report",
    "SupervisorReport",
    "on_report",
    "report",
    "report_progress",
]

logger = logging.getLogger("midflight.supervisor")

Context = Literal["child_terminated", "start_error", "shutdown_error", "shutdown"]


@dataclass(frozen=True, slots=True)
class ChildFacts:
    """A child at the time of a report. OTP: the offender, or who was started."""

    pid: Pid | None
    id: Hashable
    start: Callable[..., Any]
    args: tuple[Any, ...]
    restart: str
    significant: bool
    shutdown: Shutdown | None
    type: str

    def __str__(self) -> str:
        return short(self.id) if self.pid is None else f"{short(self.id)} {self.pid!r}"


@dataclass(frozen=True, slots=True)
class SupervisorReport:
    """A child that ended, did not start or did not stop as it should, or the end of the supervisor because of one.

    `context` is OTP's errorContext: "child_terminated" (it ended by itself, and is restarted or should not have ended),
    "start_error", "shutdown_error" (it ended otherwise than it was told to), "shutdown" (too many restarts: the
    supervisor ends, `reason` is "reached_max_restart_intensity"). `then` says in words what is done.
    """

    supervisor: Pid
    name: str | None
    context: Context
    reason: object
    offender: ChildFacts
    then: str

    def text(self) -> str:
        """Return the report as it is logged, one line."""
        whose = _whose(self.supervisor, self.name)
        match self.context:
            case "child_terminated":
                what = f"child {self.offender} ended with {medium(self.reason)}"
            case "start_error":
                what = f"child {self.offender} did not start: {medium(self.reason)}"
            case "shutdown_error":
                what = f"child {self.offender} was to stop, and ended with {medium(self.reason)}"
            case "shutdown":
                what = f"too many restarts, the last one of child {self.offender}"
        return f"{whose}: {what}; {self.then}"


@dataclass(frozen=True, slots=True)
class ProgressReport:
    """A child that was started. OTP: the report labelled {supervisor, progress}."""

    supervisor: Pid
    name: str | None
    started: ChildFacts

    def text(self) -> str:
        """Return the report as it is logged, one line."""
        return f"{_whose(self.supervisor, self.name)}: child {self.started} was started"


Report = SupervisorReport | ProgressReport

_listeners: WeakKeyDictionary[Scheduler, list[Callable[[Report], object]]] = WeakKeyDictionary()


def on_report(scheduler: Scheduler, listener: Callable[[Report], object]) -> None:
    """Call `listener` with each report of the supervisors of `scheduler`, on its thread, as long as that lives."""
    _listeners.setdefault(scheduler, []).append(listener)


def report(
    context: Context, reason: object, spec: ChildSpec, pid: Pid | None, then: str, args: tuple[Any, ...] | None = None
) -> None:
    """Log that something is wrong with a child of the calling supervisor."""
    me = current_process("a supervisor")
    found = SupervisorReport(me.pid, me.name, context, reason, _facts(spec, pid, args), then)
    _tell(logging.ERROR, found)


def report_progress(spec: ChildSpec, pid: Pid | None, args: tuple[Any, ...]) -> None:
    """Log that a child of the calling supervisor was started, if anybody wants to know."""
    if pid is not None and logger.isEnabledFor(logging.INFO):
        me = current_process("a supervisor")
        found = ProgressReport(me.pid, me.name, _facts(spec, pid, args))
        _tell(logging.INFO, found)


def _tell(level: int, found: Report) -> None:
    """Log a report, and hand it to the listeners; what these raise is logged, and the supervisor goes on."""
    trouble.log(logger, level, found.text(), report=found)
    for listener in tuple(_listeners.get(current_scheduler(), ())):
        try:
            listener(found)
        except BaseException as error:
            trouble.tell("A listener of supervisors' reports", error)


def _facts(spec: ChildSpec, pid: Pid | None, args: tuple[Any, ...] | None) -> ChildFacts:
    return ChildFacts(
        pid,
        spec.id,
        spec.start,
        spec.args if args is None else args,
        spec.restart,
        spec.significant,
        spec.shutdown,
        spec.type,
    )


def _whose(pid: Pid, name: str | None) -> str:
    return f"supervisor {pid!r} ({name})" if name else f"supervisor {pid!r}"
