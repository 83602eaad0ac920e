"""Standard input, `input` and `getpass` of a program with a runtime: each asks the front end of the calling process.

Where the group leader of the caller cannot ask, and outside any process, they are Python's own.
"""

from __future__ import annotations

import builtins
import getpass
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast
from weakref import WeakKeyDictionary

from midflight.asking import NOBODY, Asker, Question, ask, asker

__all__ = ["is_nobodys_input", "no_lines", "routed_input"]


class RoutedInput(io.TextIOBase):
    """Standard input that asks the group leader of the calling process if it can ask, else reads the real one."""

    def __init__(self, real: TextIO) -> None:
        self.real = real
        self._rest: WeakKeyDictionary[Any, str] = WeakKeyDictionary()  # by group leader: of the last line

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        """Return the next line with its newline, "" at the end. Raises: KeyboardInterrupt, Killed, as `ask`."""
        leader = asker()
        if leader is None:
            return self.real.readline(-1 if size is None else size)
        text = self._rest.pop(leader, "") or self._asked(leader)
        if size is None or size < 0 or size >= len(text):
            return text
        self._rest[leader] = text[size:]
        return text[:size]

    def _asked(self, leader: Asker) -> str:
        try:
            return ask(leader, Question()) + "\n"
        except EOFError:
            return ""

    def read(self, size: int | None = -1, /) -> str:
        """Return `size` characters, fewer at the end; all until then by default."""
        if asker() is None:
            return self.real.read(-1 if size is None else size)
        wanted, parts = size if size is not None and size >= 0 else sys.maxsize, list[str]()
        while wanted > 0 and (part := self.readline(wanted)):
            parts.append(part)
            wanted -= len(part)
        return "".join(parts)

    def __next__(self) -> str:  # type: ignore[override]
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def readable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Say whether the real input is a terminal and the caller reads it."""
        return asker() is None and self.real.isatty()

    def fileno(self) -> int:
        """Return the real file descriptor. Raises: io.UnsupportedOperation if the caller does not read that."""
        return super().fileno() if asker() is not None else self.real.fileno()

    def close(self) -> None:
        """Do nothing: the real input is not ours to close."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the real stream's encoding."""
        return self.real.encoding

    @property
    def buffer(self) -> Any:
        """Return the real stream's bytes buffer."""
        return self.real.buffer


class _NoLines(io.StringIO):
    """The standard input of a server: it has ended, and `input` says why."""

    def isatty(self) -> bool:
        return False


def is_nobodys_input() -> bool:
    """Say whether standard input, of what no front end has started, is that of a server: nobody types there."""
    return isinstance(getattr(sys.stdin, "real", None), _NoLines)


@contextmanager
def no_lines() -> Iterator[None]:
    """Let standard input be at its end while the block runs: what a server is started with is nobody's to read."""
    real, sys.stdin = sys.stdin, _NoLines()
    try:
        yield
    finally:
        sys.stdin = real


@contextmanager
def routed_input() -> Iterator[None]:
    """Let `input`, `sys.stdin` and `getpass.getpass` ask the front end while the block runs; inner blocks share."""
    real_stdin = sys.stdin
    if real_stdin is None or isinstance(real_stdin, RoutedInput):
        yield
        return
    real_input, real_getpass = builtins.input, getpass.getpass

    def input_(prompt: object = "", /) -> str:
        leader = asker()
        if leader is not None:
            return ask(leader, Question(str(prompt)))
        if is_nobodys_input():
            raise EOFError(NOBODY)
        return real_input(prompt)

    def getpass_(prompt: str = "Password: ", stream: TextIO | None = None, **options: Any) -> str:
        leader = asker()
        if leader is not None:
            return ask(leader, Question(prompt, is_secret=True))
        if is_nobodys_input():
            raise EOFError(NOBODY)
        return real_getpass(prompt, stream, **options)

    routed = cast(TextIO, RoutedInput(real_stdin))
    sys.stdin, builtins.input, getpass.getpass = routed, input_, getpass_
    try:
        yield
    finally:
        if sys.stdin is routed:
            sys.stdin = real_stdin
        if builtins.input is input_:
            builtins.input = real_input
        if getpass.getpass is getpass_:
            getpass.getpass = real_getpass
