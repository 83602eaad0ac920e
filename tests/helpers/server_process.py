"""A real `midflight` program: its output line by line with a deadline, and its end."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

DEADLINE_SECONDS = 60.0
MIDFLIGHT = (sys.executable, "-P", "-m", "midflight.cli")  # -P: as the installed program, without the current folder


def environment(runtime: Path) -> dict[str, str]:
    """Return this process's environment with a runtime folder of the test's own."""
    return os.environ | {"MIDFLIGHT_RUNTIME_DIR": str(runtime), "PYTHONUNBUFFERED": "1"}


class Program:
    """A running `midflight ARGUMENTS`, standard output and error together in `lines`.

    Ended by `kill` when the block ends, if it has not ended by itself. `command` is run in the place of `midflight`;
    `says` gives it an input, for `say`.
    """

    def __init__(
        self, *arguments: str, runtime: Path, cwd: Path, command: Sequence[str] = MIDFLIGHT, says: bool = False
    ) -> None:
        self.arguments = arguments
        self.process = subprocess.Popen(
            [*command, *arguments],
            cwd=cwd,
            env=environment(runtime),
            stdin=subprocess.PIPE if says else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def say(self, line: str) -> None:
        """Write a line to its input."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def line(self) -> str:
        """Return the next line of output; fail if none comes in time, or if it has ended."""
        try:
            line = self._queue.get(timeout=DEADLINE_SECONDS)
        except queue.Empty:
            line = None
        assert line is not None, f"midflight {self.arguments} printed no further line after {self.lines}"
        self.lines.append(line)
        return line

    def line_with(self, text: str) -> str:
        """Return the next line that has `text` in it, passing over others."""
        while text not in (line := self.line()):
            pass
        return line

    def port(self) -> int:
        """Return the port that a server prints as its first line."""
        return int(self.line())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def exit_code(self) -> int:
        """Wait for the end and return the exit code."""
        code = self.process.wait(DEADLINE_SECONDS)
        self._reader.join(DEADLINE_SECONDS)
        while (line := self._queue.get_nowait()) is not None:
            self.lines.append(line)
        self._queue.put(None)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(DEADLINE_SECONDS)
        self._reader.join(DEADLINE_SECONDS)
