"""Lines from a pipe or a file: no prompt, no history; what is shown goes to standard output as it comes."""

from __future__ import annotations

import getpass
import os
import signal
import sys
import threading
from collections.abc import Iterable

__all__ = ["PlainLines"]


class PlainLines:
    """Reads lines. `show` and `lost` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_reading = False

    def read(self, _prompt: str) -> str:
        """Return the next line. Raises: EOFError at the end; KeyboardInterrupt once the server is gone."""
        self._is_reading = True
        try:
            return input()
        finally:
            self._is_reading = False

    def read_line(self, prompt: str, *, is_secret: bool) -> str:
        """Return the next line, for a process that asks for it with `prompt`. Raises: as `read`."""
        if is_secret and sys.stdin.isatty():
            return getpass.getpass(prompt)
        self.show(prompt)
        return self.read("")

    def wanted(self) -> None:
        """Do nothing: the line that is being read is an input, and the one behind it the answer."""

    def unwanted(self) -> None:
        """Do nothing: a line that nobody wants any more is read all the same, and dropped."""

    def remember(self, _texts: Iterable[str]) -> None:
        """Do nothing: nobody looks for earlier inputs."""

    def show(self, text: str) -> None:
        """Write `text`."""
        with self._lock:
            try:
                sys.stdout.write(text)
                sys.stdout.flush()
            except OSError:
                pass  # nobody reads it, or there is no room: the thread that reads input meets that too

    def lost(self) -> None:
        """Wake the thread that waits for a line: what comes now has nowhere to go."""
        if self._is_reading:
            os.kill(os.getpid(), signal.SIGINT)
