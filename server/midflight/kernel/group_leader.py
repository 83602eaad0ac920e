"""Group leaders: the sinks for the output of a process, of its threads and of its child tasks.

The group leader travels in a context variable, so whatever copies the context (spawn, to_thread,
create_task) carries it on. OTP: group_leader/0; there it is a process, here an object with `write`.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TextIO

__all__ = ["Sink", "group_leader_var", "routed_output"]


class Sink(Protocol):
    """A group leader: an object that text can be written to, as `io.StringIO` and open text files are."""

    def write(self, text: str, /) -> object:
        """Take `text`."""

    def flush(self) -> object:
        """Pass on the text that was taken."""


group_leader_var: ContextVar[Sink | None] = ContextVar("midflight_group_leader", default=None)


class RoutedOutput(io.TextIOBase):
    """A standard stream that writes to the group leader of the calling process, else to the real one."""

    def __init__(self, real: TextIO) -> None:
        self.real = real

    def _sink(self) -> Any:
        return group_leader_var.get() or self.real

    def write(self, text: str, /) -> int:
        """Write `text` to the group leader of the caller."""
        self._sink().write(text)
        return len(text)

    def writelines(self, lines: Iterable[Any], /) -> None:
        """Write each of `lines`."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush the group leader of the caller."""
        self._sink().flush()

    def close(self) -> None:
        """Do nothing: neither the group leader nor the real output is ours to close, or to flush from a destructor."""

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Say whether the caller's output goes to a terminal."""
        sink = self._sink()
        return bool(sink.isatty()) if hasattr(sink, "isatty") else False

    def fileno(self) -> int:
        """Return the real stream's file descriptor. Raises: io.UnsupportedOperation without one."""
        return self.real.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the real stream's encoding."""
        return self.real.encoding

    @property
    def buffer(self) -> Any:
        """Return the real stream's bytes buffer: bytes written there are routed nowhere."""
        return self.real.buffer


@contextmanager
def routed_output() -> Iterator[None]:
    """Let `print`, `sys.stderr` and the logging handlers made from it follow the group leader while the block runs.

    Nested blocks share the outermost one's.
    """
    with _routed("stdout"), _routed("stderr"):
        yield


@contextmanager
def _routed(name: str) -> Iterator[None]:
    real = getattr(sys, name)
    if real is None or isinstance(real, RoutedOutput):
        yield
        return
    routed = RoutedOutput(real)
    setattr(sys, name, routed)
    try:
        yield
    finally:
        if getattr(sys, name) is routed:
            setattr(sys, name, real)
