"""The output that reaches the log of a server past Python: of `os.system`, `os.write(1, ...)`, code in C.

No group leader sees such output, so it is looked for in the log: `mark` before an evaluation, `since` after it. The log
is a file that grows; what the streams of Python have written to it in between is known, so the rest is not theirs.
"""

from __future__ import annotations

import os
import stat
from typing import NamedTuple, TextIO

__all__ = ["Mark", "direct_output_since", "mark_output"]

_STDOUT = 1
_SHOWN_BYTES = 64 * 1024
_OPENED_AGAIN = "/proc/self/fd/1"  # for reading: the log itself is open for appending


class Mark(NamedTuple):
    """The end of the log at some time: its size, and how many of its bytes the streams of Python had written."""

    size: int
    written: int


def mark_output(log: TextIO) -> Mark | None:
    """Return the end of the log now; None if standard output is not a file, or `log` does not count its bytes."""
    written = getattr(log, "written", None)
    try:
        found = os.fstat(_STDOUT)
    except OSError:
        return None
    return Mark(found.st_size, written) if isinstance(written, int) and stat.S_ISREG(found.st_mode) else None


def direct_output_since(before: Mark | None, log: TextIO) -> str:
    """Return the text that was written past Python since `before`, for a shell; "" if none was.

    If the streams of Python have written too, nobody can tell the two apart: it is a line that says where it is.
    """
    now = mark_output(log)
    if before is None or now is None:
        return ""
    size, by_python = now.size - before.size, now.written - before.written
    if size <= by_python:  # less: the log was cut
        return ""
    text = _read(before.size, size) if by_python == 0 else None
    if text is None:
        return f"[{size - by_python} bytes went to standard output past Python: they are in the server's log]\n"
    return text if text.endswith("\n") else text + "\n"


def _read(start: int, size: int) -> str | None:
    """Return that part of the log, only its beginning if it is long; None if the log cannot be read."""
    try:
        handle = os.open(_OPENED_AGAIN, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.pread(handle, min(size, _SHOWN_BYTES), start).decode(errors="replace")
    except OSError:
        return None
    finally:
        os.close(handle)
    left = size - _SHOWN_BYTES
    return text if left <= 0 else f"{text}\n[{left} more bytes are in the server's log]\n"
