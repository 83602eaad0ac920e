"""The standard streams of a server: text that cannot be written is dropped, and the code that prints does not notice.

A server prints to a log, and a log is on a disk that may become full. A process that printed would crash for it then,
and with it what its supervisor links; so would whatever logs a warning. `midflight run` keeps Python's own streams.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO

__all__ = ["LogOutput", "lasting_output"]


class ByteCount:
    """The number of bytes that some streams have written. A writer holds the lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.bytes = 0


class LogOutput(io.TextIOBase):
    """A stream that writes to the file of `real` at once and raises nothing. Without one, it keeps nothing.

    `trouble` is why the last text could not be written, None if it was. `count` counts the bytes of both streams, which
    have one file.
    """

    def __init__(self, real: TextIO | None, count: ByteCount | None = None) -> None:
        self._real = real
        self._count = count or ByteCount()
        self.trouble: OSError | None = None

    def write(self, text: str, /) -> int:
        """Write `text`, as far as that is possible; return its length all the same."""
        if self._real is None:
            return len(text)
        try:
            data = text.encode(self._real.encoding, "backslashreplace")
            while data:
                with self._count.lock:
                    taken = os.write(self._real.fileno(), data)
                    self._count.bytes += taken
                data = data[taken:]
            self.trouble = None
        except OSError as error:
            self.trouble = error
        return len(text)

    @property
    def written(self) -> int:
        """The number of bytes that have been written, by the other stream too."""
        with self._count.lock:
            return self._count.bytes

    def fileno(self) -> int:
        """Return the descriptor of the real stream. Raises: io.UnsupportedOperation without one."""
        return self._real.fileno() if self._real is not None else super().fileno()

    def isatty(self) -> bool:
        """Say whether it is a terminal."""
        return self._real is not None and self._real.isatty()

    def writable(self) -> bool:
        """Return True."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the encoding of the real stream."""
        return self._real.encoding if self._real is not None else "utf-8"

    @property
    def buffer(self) -> Any:
        """Return the bytes buffer of the real stream, which raises as ever."""
        return self._real.buffer if self._real is not None else None


@contextmanager
def lasting_output() -> Iterator[LogOutput]:
    """Let both standard streams be `LogOutput` while the block runs; give that of stdout."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    count = ByteCount()
    output = LogOutput(sys.stdout, count)
    with redirect_stdout(output), redirect_stderr(LogOutput(sys.stderr, count)):
        yield output
