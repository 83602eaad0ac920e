"""Programs on a real terminal: what is typed into them, and what is seen on it."""

from __future__ import annotations

import ctypes
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.server_process import DEADLINE_SECONDS, environment

__all__ = ["Terminal"]

# A session's leader gets a controlling terminal by opening one; only with it does Ctrl-C become a signal.
ON_TERMINAL = "import os, sys; os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.argv[1], sys.argv[1:])"

ESCAPES = re.compile(r"\x1b(\[[0-9;?>=]*[A-Za-z]|[=>])")


class Terminal:
    """A program on a terminal: what is typed into it, and what is seen on it."""

    def __init__(self, cwd: Path, runtime: Path, state: Path, *command: str, is_drawn: bool = False) -> None:
        """Start `command`. With `is_drawn` it draws its lines itself, and what is seen has no escape sequences."""
        self._is_drawn = is_drawn
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_TERMINAL, *command],
            cwd=cwd,
            env=environment(runtime) | {"TERM": "xterm", "XDG_STATE_HOME": str(state), "PROMPT_TOOLKIT_NO_CPR": "1"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._unread = ""

    def type(self, text: str) -> None:
        """Type keys."""
        os.write(self._master, text.encode())

    def see(self, pattern: str) -> str:
        """Wait until `pattern` is on the screen, after all that was seen before; return the match."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (found := re.search(pattern, self._unread)) is None:
            ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"never saw {pattern!r} in {self._unread!r}"
            try:
                self._unread += os.read(self._master, 65536).decode("utf-8", "replace")
                if self._is_drawn:
                    self._unread = ESCAPES.sub("", self._unread)
            except OSError:  # how Linux says that the program has ended
                raise AssertionError(f"ended without {pattern!r} in {self._unread!r}") from None
        self._unread = self._unread[found.end() :]
        return found[0]

    def wait_until_it_sleeps(self) -> None:
        """Wait until the program sleeps: readline takes a signal while it waits for keys, else with the next key."""
        stat = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/stat")
        if not stat.exists():  # where there is no /proc, the moment between the echo and the wait is left to chance
            return
        deadline = time.monotonic() + DEADLINE_SECONDS
        while stat.read_text().rpartition(")")[2].split()[0] != "S":
            assert time.monotonic() < deadline, "it never sleeps"

    def interrupt_another_thread(self) -> None:
        """Send SIGINT to a thread that is not the main one. Skips the test where that cannot be done."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        libc = ctypes.CDLL(None)
        if not tasks.exists() or not hasattr(libc, "tgkill"):
            pytest.skip("no signal can be sent to one thread of another program")
        thread = max(int(each.name) for each in tasks.iterdir())
        assert thread != self.process.pid
        assert libc.tgkill(self.process.pid, thread, int(signal.SIGINT)) == 0

    def exit_code(self) -> int:
        """Wait for the end of the program."""
        return self.process.wait(DEADLINE_SECONDS)

    def close(self) -> None:
        """End the program if it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE_SECONDS)
        os.close(self._master)
