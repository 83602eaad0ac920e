"""Reports on a process that raised, and on one that does not yield.

The life of a report: `Remains.of` takes by reference what the burial will take away -> the process is buried and its
links and monitors are told (ends.py) -> `report_crash` makes the report, a smaller one if that fails -> the listeners.

Law: no exit signal waits for a report, and nothing that a report needs (a `__repr__`, a listener, a log handler)
gets out of this file.
"""

from __future__ import annotations

import inspect
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from midflight.kernel import trouble
from midflight.kernel.frames import is_kernel_frame, is_own_frame, version_of
from midflight.kernel.split_mailbox import Mailbox
from midflight.outside import is_from_outside
from midflight.text import exception_text, medium, raised, trace_of

if TYPE_CHECKING:
    from midflight.kernel.core import Pid, Process
    from midflight.kernel.scheduler import Scheduler

__all__ = ["CrashReport", "Remains", "StuckReport", "log_crash", "report_crash", "report_unclosable"]

logger = logging.getLogger("midflight.crash")

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Remains:
    """The links, unread messages and name that a process had when it ended, the messages oldest first.

    Taken before the burial, and by reference, so that it costs nothing.
    """

    process: Process | None
    name: str | None = None
    links: tuple[Process, ...] = ()
    mailbox: Mailbox = field(default_factory=deque)

    @staticmethod
    def of(process: Process) -> Remains:
        """Return the remains of `process`, which is about to be buried."""
        mailbox = process.mailbox if process.mailbox is not None else deque()
        return Remains(process, process.name, tuple(process.links or ()), mailbox)


@dataclass(frozen=True, slots=True)
class CrashReport:
    """A report on a process that raised.

    `arguments` are the parameters of the process function's frame by name, as they were at the end: the state.
    `module`, `version`, `function` and `line` are of the innermost frame of a module with versions, else of
    the innermost user frame. `traceback` is the text that Python prints, from the outermost user frame on.
    `number` tells it from all others. When listeners are told, the process is dead and others have been told of it;
    `remains` is what it had.
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
    remains: Remains = Remains(None)

    def text(self) -> str:
        """Return the report as printed, several lines; never raises."""
        name = f" ({self.name})" if self.name else ""
        version = f" v{self.version}" if self.version is not None else ""
        state = ", ".join(f"{key}={medium(value)}" for key, value in self.arguments.items())
        lines = [
            f"Process {self.pid!r}{name} crashed in {self.module}{version}, {self.function}:{self.line}",
            f"  initial call: {self.initial_call}",
            f"  last message: {medium(self.last_message)}",
            f"  state: {state or 'no arguments'}",
        ]
        return "\n".join(lines) + "\n" + self.traceback.rstrip("\n")


@dataclass(frozen=True, slots=True)
class StuckReport:
    """A process that has not yielded for `seconds`. `stack` is the text of its frames, innermost last.

    `asked` is the prompt if it waits for a line from the person, None if it runs; `leader` is its group leader then.
    """

    pid: Pid
    name: str | None
    seconds: float
    stack: str
    asked: str | None = None
    leader: object = None

    def text(self) -> str:
        """Return the report as printed, several lines."""
        name = f" ({self.name})" if self.name else ""
        if self.asked is not None:
            return (
                f"Process {self.pid!r}{name} waits for a line from the person ({self.asked!r}) in {self.leader!r}. All "
                'others wait, and their clock stands. It goes on with the line; exit(pid, "kill") from an editor or '
                f"`midflight exit` ends it. It is at:\n{self.stack.rstrip()}"
            )
        return (
            f"Process {self.pid!r}{name} has not yielded for {self.seconds:.1f} s; all others wait for it. It goes on; "
            f'exit(pid, "kill") from another thread or an editor ends it. It is at:\n{self.stack.rstrip()}'
        )


def report_crash(scheduler: Scheduler, remains: Remains, error: BaseException) -> None:
    """Make the report of a process that raised `error` and is buried; hand it to all listeners."""
    try:
        report = _report(remains, error)
    except BaseException as worse:  # of an object that the report shows
        report = _smaller_report(remains, error, worse)
    for listener in tuple(scheduler.on_crash) or (log_crash,):
        try:
            listener(report)
        except BaseException as worse:
            scheduler.on_crash[:] = [each for each in scheduler.on_crash if each is not listener]
            trouble.tell(f"A listener of crash reports, {medium(listener)}, is left out from now on: it", worse)


def _report(remains: Remains, error: BaseException) -> CrashReport:
    process = remains.process
    assert process is not None
    whole = trace_of(error)
    trace = _without(is_own_frame, whole) or _without(is_kernel_frame, whole)
    # BaseException's own: the class of the error may have another idea of it. Who gets the error as a reason sees this.
    BaseException.with_traceback(error, trace)
    at = _place(trace)
    namespace: dict[str, Any] = at.tb_frame.f_globals if at is not None else {}
    return CrashReport(
        pid=process.pid,
        name=remains.name,
        initial_call=process.initial_call,
        module=str(namespace.get("__name__", "?")),
        version=version_of(namespace),
        function=at.tb_frame.f_code.co_qualname if at is not None else "?",
        line=at.tb_lineno if at is not None else 0,
        reason=error,
        traceback=exception_text(error),
        last_message=process.last_message,
        arguments=_arguments(trace) if trace is not None else {},
        remains=remains,
    )


def _smaller_report(remains: Remains, error: BaseException, worse: BaseException) -> CrashReport:
    """Return a report made without any code of the program, since the whole one could not be made."""
    if is_from_outside(worse) and isinstance(worse, KeyboardInterrupt):
        raise worse
    assert remains.process is not None
    return CrashReport(
        pid=remains.process.pid,
        name=remains.name,
        initial_call=remains.process.initial_name or "?",
        module="?",
        version=None,
        function="?",
        line=0,
        reason=error,
        traceback=f"{raised(error, worse)}: the report could not be made whole",
        last_message=None,
        remains=remains,
    )


def log_crash(report: CrashReport, text: str | None = None) -> None:
    """Log `report` to the logger `midflight.crash` at ERROR, by default its own text; the record has it as `report`.

    A log handler or filter that raises is told of on the standard error.
    """
    trouble.log(logger, logging.ERROR, report.text() if text is None else text, report=report)


def report_unclosable(pid: Pid, error: BaseException) -> None:
    """Say that the coroutine of a killed process raised while it was closed, or would not be."""
    text = f"Process {pid!r} was killed; its clean-up raised {medium(error)}; it is dead all the same"
    trouble.log(logger, logging.ERROR, text)


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
