"""Reports: what is said of a process that raised, and of one that does not yield."""

from __future__ import annotations

import inspect
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from reprlib import Repr
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from midflight.kernel.frames import is_kernel_frame, is_own_frame, version_of

if TYPE_CHECKING:
    from midflight.kernel.core import Pid, Process
    from midflight.kernel.scheduler import Scheduler

__all__ = ["CrashReport", "StuckReport", "report_crash", "report_unclosable"]

logger = logging.getLogger("midflight.crash")

_numbers = count(1)

shorten = Repr()
shorten.maxstring = shorten.maxother = 200
shorten.maxtuple = shorten.maxlist = shorten.maxdict = 12


@dataclass(frozen=True, slots=True)
class CrashReport:
    """What a process was when it raised.

    `arguments` are the parameters of the process function's frame by name, as they were at the end: the state.
    `module`, `version`, `function` and `line` are of the innermost frame of a module with versions, else of
    the user's innermost frame. `traceback` is the text that Python prints, from the user's outermost frame on.
    `number` tells it from all others. While listeners are told, the process is as it was when it raised, with its
    mailbox and links.
    """

    pid: Pid
    name: str | None
    initial_call: str
    module: str
    version: int | None
    function: str
    line: int
    reason: BaseException
    traceback: str
    last_message: object
    arguments: dict[str, object] = field(default_factory=dict)
    number: int = field(default_factory=_numbers.__next__)

    def text(self) -> str:
        """Return the report as printed, several lines."""
        name = f" ({self.name})" if self.name else ""
        version = f" v{self.version}" if self.version is not None else ""
        state = ", ".join(f"{key}={shorten.repr(value)}" for key, value in self.arguments.items())
        lines = [
            f"Process {self.pid!r}{name} crashed in {self.module}{version}, {self.function}:{self.line}",
            f"  initial call: {self.initial_call}",
            f"  last message: {shorten.repr(self.last_message)}",
            f"  state: {state or 'no arguments'}",
        ]
        return "\n".join(lines) + "\n" + self.traceback.rstrip("\n")


@dataclass(frozen=True, slots=True)
class StuckReport:
    """A process that has not yielded for `seconds`. `stack` is the text of its frames, innermost last."""

    pid: Pid
    name: str | None
    seconds: float
    stack: str

    def text(self) -> str:
        """Return the report as printed, several lines."""
        name = f" ({self.name})" if self.name else ""
        return (
            f"Process {self.pid!r}{name} has not yielded for {self.seconds:.1f} s; all others wait for it. It goes on; "
            f'exit(pid, "kill") from another thread or an editor ends it. It is at:\n{self.stack.rstrip()}'
        )


def report_crash(scheduler: Scheduler, process: Process, error: BaseException) -> None:
    """Make the report of `process`, which raised `error`, and hand it to all who listen."""
    trace = _without(is_own_frame, error.__traceback__) or _without(is_kernel_frame, error.__traceback__)
    error = error.with_traceback(trace)
    at = _place(trace)
    namespace: dict[str, Any] = at.tb_frame.f_globals if at is not None else {}
    report = CrashReport(
        pid=process.pid,
        name=process.name,
        initial_call=process.initial_call,
        module=str(namespace.get("__name__", "?")),
        version=version_of(namespace),
        function=at.tb_frame.f_code.co_qualname if at is not None else "?",
        line=at.tb_lineno if at is not None else 0,
        reason=error,
        traceback="".join(traceback.format_exception(error)),
        last_message=process.last_message,
        arguments=_arguments(trace) if trace is not None else {},
    )
    for listener in scheduler.on_crash or [log_crash]:
        listener(report)


def log_crash(report: CrashReport) -> None:
    """Log `report` to the logger `midflight.crash` at ERROR; the record carries it as `report`."""
    logger.error("%s", report.text(), extra={"report": report})


def report_unclosable(pid: Pid, error: BaseException) -> None:
    """Say that the coroutine of a killed process raised while it was closed, or would not be."""
    logger.error("Process %r was killed; its clean-up raised %r; it is dead all the same", pid, error)


def _without(is_ours: Callable[[FrameType], bool], trace: TracebackType | None) -> TracebackType | None:
    """Return `trace` from its first step on that is not ours, None if there is none: the outermost call of the user."""
    while trace is not None and is_ours(trace.tb_frame):
        trace = trace.tb_next
    return trace


def _place(trace: TracebackType | None) -> TracebackType | None:
    """Return the innermost step of `trace` in a module with versions, else in the user's code, else of all."""
    last = users = versioned = None
    while trace is not None:
        last = trace
        if version_of(trace.tb_frame.f_globals) is not None:
            versioned = trace
        if not is_own_frame(trace.tb_frame):
            users = trace
        trace = trace.tb_next
    return versioned or users or last


def _arguments(trace: TracebackType) -> dict[str, object]:
    """Return the parameters of the outermost user frame by name, with their values of now."""
    info = inspect.getargvalues(trace.tb_frame)
    names = [*info.args, *filter(None, (info.varargs, info.keywords))]
    return {name: info.locals[name] for name in names if name in info.locals}
