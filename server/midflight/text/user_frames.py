"""Tracebacks and stacks without Midflight's own frames."""

from __future__ import annotations

import os
from collections.abc import Iterable
from traceback import FrameSummary, StackSummary, TracebackException
from types import FrameType

from midflight.text.tracebacks import exception_text

__all__ = ["error_text", "stack_text"]

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def _is_ours(filename: str) -> bool:
    """Say whether code compiled as `filename` is Midflight's own."""
    return filename.startswith(_OURS)


def error_text(error: BaseException) -> str:
    """Return the traceback of `error` and of its causes, of frames outside Midflight only.

    An error raised by Midflight itself so ends at the line that called it. Ends in a newline.
    """
    return exception_text(error, _leave_ours_out)


def _leave_ours_out(report: TracebackException) -> None:
    """Remove our own frames from `report` and from all that hangs on it."""
    reports = [report]
    while reports:
        each = reports.pop()
        each.stack = StackSummary.from_list([frame for frame in each.stack if not _is_ours(frame.filename)])
        reports += [one for one in (each.__cause__, each.__context__) if one is not None]
        reports += getattr(each, "exceptions", None) or []


def stack_text(frames: Iterable[FrameType]) -> str:
    """Return where each of `frames` is, in their order, as a traceback shows it; ends in a newline unless empty."""
    lines: list[FrameSummary] = [
        FrameSummary(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name) for frame in frames
    ]
    return "".join(StackSummary.from_list(lines).format())
