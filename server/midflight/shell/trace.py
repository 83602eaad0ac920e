"""What a person reads of a failure: tracebacks without the shell's and the kernel's own frames, and exit reasons.

The lines of an input are kept in `linecache` under the name that its frames carry, so tracebacks, `inspect` and the
debugger show them.
"""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterable
from traceback import FrameSummary, StackSummary, TracebackException
from types import FrameType

__all__ = ["end_text", "error_text", "forget_source", "remember_source", "stack_text"]

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def remember_source(filename: str, text: str) -> None:
    """Let tracebacks show the lines of `text`, whose code was compiled as `filename`."""
    if not text.endswith("\n"):
        text += "\n"  # without it traceback misplaces its marks under the last line
    # No time of change: linecache.checkcache then never looks for a file of that name.
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)


def forget_source(filenames: Iterable[str]) -> None:
    """Drop what `remember_source` keeps of `filenames`; unknown ones are passed over."""
    for filename in filenames:
        linecache.cache.pop(filename, None)


def _is_ours(filename: str) -> bool:
    """Say whether code compiled as `filename` is Midflight's own."""
    return filename.startswith(_OURS)


def error_text(error: BaseException) -> str:
    """Return the traceback of `error` and of its causes, of frames outside Midflight only.

    An error raised by Midflight itself so ends at the line that called it. Ends in a newline.
    """
    report = TracebackException.from_exception(error, capture_locals=False, compact=True)
    _leave_ours_out(report)
    return "".join(report.format())


def _leave_ours_out(report: TracebackException) -> None:
    """Remove our own frames from `report` and from all that hangs on it."""
    reports = [report]
    while reports:
        each = reports.pop()
        each.stack = StackSummary.from_list([frame for frame in each.stack if not _is_ours(frame.filename)])
        reports += [one for one in (each.__cause__, each.__context__) if one is not None]
        reports += getattr(each, "exceptions", None) or []


def end_text(before: object, reason: object, now: object) -> str:
    """Return what there is to say when an exit signal ended the shell's process `before` and `now` took its place."""
    said = error_text(reason) if isinstance(reason, BaseException) else ""
    shown = type(reason).__name__ if said else repr(reason)
    return (
        f"{said}The shell's process {before!r} was ended by an exit signal, reason {shown}. "
        f"Bindings are kept; it goes on as {now!r}, with an empty mailbox.\n"
    )


def stack_text(frames: Iterable[FrameType]) -> str:
    """Return where each of `frames` is, in their order, as a traceback shows it; ends in a newline unless empty."""
    lines: list[FrameSummary] = [
        FrameSummary(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name) for frame in frames
    ]
    return "".join(StackSummary.from_list(lines).format())
