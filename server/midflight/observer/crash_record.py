"""The record of a crashed process: its view in an editor, and all that is needed to start it again.

Kept as text where it is only shown. Kept as values: the arguments of the process function or the attributes of the
server, and the last message; the local names of the last few crashes are kept apart (crash_scope.py). No frame,
function, class or exception is kept, as each would keep the version alive that it belongs to; an argument that is an
instance of a class of that version still does, until the record goes.
"""

from __future__ import annotations

import inspect
import time
import traceback
from dataclasses import dataclass
from itertools import islice
from types import FrameType
from typing import Any

from midflight.code.lowlevel import copies_of, fields_of, readable
from midflight.kernel import CrashReport, Pid, Process, Sink, group_leader_var, server_of
from midflight.observer.printing import Printed, printed, printed_items
from midflight.observer.process_view import FrameView, Kin, frame_view, is_ours
from midflight.otp import Supervisor
from midflight.text import exception_line, trace_of

__all__ = ["CrashRecord", "Entry", "frames_of", "record_of"]

FRAMES = 50
MESSAGES = 20
TEXT_CHARACTERS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """The start of a process that can be repeated: a function or a class, by name, and the values that it had.

    `values` are the arguments of the function by parameter, or the attributes of the server; `stars` the parameters
    that take what is left, *args and **kwargs. `refusal` says why it cannot be started again, None if nothing is known
    that speaks against it.
    """

    module: str
    name: str
    is_server: bool
    values: dict[str, Any]
    stars: tuple[str | None, str | None] = (None, None)
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class CrashRecord:
    """One crash. `at` is in seconds since the epoch; `supervisor` is one that it was linked to."""

    number: int
    at: float
    pid: Pid
    name: str | None
    initial_call: str
    module: str
    version: int | None
    function: str
    line: int
    reason: Printed
    text: str
    frames: tuple[FrameView, ...]
    state: tuple[tuple[str, Printed], ...]
    links: tuple[Kin, ...]
    supervisor: Kin | None
    messages: tuple[Printed, ...]
    message_count: int
    last_message: Any
    leader: Sink | None
    entry: Entry

    @property
    def summary(self) -> str:
        """The crash in one line."""
        who = self.name or repr(self.pid)
        return f"{who} crashed in {self.module}, {self.function}:{self.line}: {self.reason}"


def frames_of(report: CrashReport) -> list[tuple[FrameType, int]]:
    """Return the frames that the record of `report` has, each with its line, outermost first."""
    return list(traceback.walk_tb(trace_of(report.reason)))[-FRAMES:]


def record_of(report: CrashReport) -> CrashRecord:
    """Return the record of `report`, whose process is dead. On the runtime's thread."""
    process, linked, waiting = report.remains.process, report.remains.links, report.remains.mailbox
    steps = list(traceback.walk_tb(trace_of(report.reason)))
    entry = _entry(process, report, [frame for frame, _ in steps])
    above = next((each for each in linked if issubclass(type(server_of(each)), Supervisor)), None)
    return CrashRecord(
        number=report.number,
        at=time.time(),
        pid=report.pid,
        name=report.name,
        initial_call=report.initial_call,
        module=report.module,
        version=report.version,
        function=report.function,
        line=report.line,
        reason=_reason(report.reason),
        text=readable(report.text())[-TEXT_CHARACTERS:],
        frames=tuple(frame_view(frame, line) for frame, line in frames_of(report)),
        state=tuple(printed_items(entry.values)),
        links=tuple(Kin(each.pid, each.name) for each in linked[:FRAMES]),
        supervisor=None if above is None else Kin(above.pid, above.name),
        messages=tuple(map(printed, islice(waiting, MESSAGES))),
        message_count=len(waiting),
        last_message=report.last_message,
        leader=None if process is None else process.context.get(group_leader_var),
        entry=entry,
    )


def _reason(error: BaseException) -> Printed:
    """Return the last line of a traceback."""
    return printed_line(exception_line(error))


def printed_line(text: str) -> str:
    """Return `text` on one line, cut to the width of a line."""
    line = " ".join(text.split())
    return line if len(line) <= 500 else f"{line[:500]}..."


def _entry(process: Process | None, report: CrashReport, frames: list[FrameType]) -> Entry:
    server = None if process is None else server_of(process)
    if server is not None:
        cls = type(server)
        refusal = None
        if isinstance(server, Supervisor):
            refusal = "it was a supervisor, whose children have ended with it; start the tree again"
        return Entry(cls.__module__, cls.__qualname__, True, copies_of(fields_of(server)), refusal=refusal)
    if frames and not is_ours(str(frames[0].f_globals.get("__name__"))):
        frame = frames[0]
        info = inspect.getargvalues(frame)
        module = str(frame.f_globals.get("__name__", "?"))
        values = copies_of(report.arguments)
        return Entry(module, frame.f_code.co_qualname, False, values, (info.varargs, info.keywords))
    if frames:
        refusal = "it was started by Midflight's own code, a task or an init that failed; start it again from there"
        return Entry(report.module, report.initial_call, False, {}, refusal=refusal)
    module, _, name = report.initial_call.rpartition(".")
    refusal = f"{report.initial_call} could not be called with what it was given; spawn it again with something else"
    return Entry(module, name, False, {}, refusal=refusal)
