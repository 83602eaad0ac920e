"""A real program in a real terminal of a fixed size: keys go in, and the screen is read, as a person does both.

The terminal is tmux's, on a server of its own. A wait is for something that has a name, with a deadline; when that
passes, the failure shows the screen.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

__all__ = ["DEADLINE_SECONDS", "LOOK_SECONDS", "Tmux"]

DEADLINE_SECONDS = 30.0
LOOK_SECONDS = 0.02  # between two looks at the screen

Found = TypeVar("Found")


class Tmux:
    """A window of `columns` by `lines` in which `argv` runs. Ended, with what runs in it, when the block ends."""

    def __init__(
        self, argv: Sequence[str], cwd: Path, variables: Mapping[str, str], columns: int = 110, lines: int = 32
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="midflight-tmux")  # a path for a socket must be short
        # Nothing of the tmux, the terminal or the settings of whoever runs this.
        environment = {name: value for name, value in os.environ.items() if name not in ("TMUX", "TMUX_PANE", "TERM")}
        self._environment = environment | {"LC_ALL": "C.UTF-8", "TMUX_TMPDIR": self._folder.name} | dict(variables)
        settings = Path(self._folder.name, "tmux.conf")
        settings.write_text(
            # A lone ESC must not wait for what might follow it; and what a key writes goes through at once.
            "set -g status off\nset -s escape-time 0\nset -g default-terminal tmux-256color\nset -g remain-on-exit on\n"
        )
        size = ["-x", str(columns), "-y", str(lines)]
        self._tmux(
            "-f", str(settings), "new-session", "-d", "-s", "s", *size, "-c", str(cwd), f"exec {shlex.join(argv)}"
        )

    def _tmux(self, *arguments: str) -> str:
        run = ["tmux", "-u", "-L", "midflight", *arguments]
        done = subprocess.run(run, env=self._environment, capture_output=True, text=True, timeout=DEADLINE_SECONDS)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    # --- What a person does -----------------------------------------------------------------------------------------

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names: C-c, M-x, Enter, Escape, F5, a."""
        self._tmux("send-keys", "-t", "s", *keys)

    def type(self, text: str) -> None:
        """Type `text`, character by character."""
        self._tmux("send-keys", "-t", "s", "-l", text)

    # --- What a person sees -----------------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """Return the lines of the screen, without the spaces at their ends."""
        return [line.rstrip() for line in self._tmux("capture-pane", "-p", "-t", "s").split("\n")[:-1]]

    def screen(self) -> str:
        """Return the screen as one text."""
        return "\n".join(self.lines())

    def coloured(self) -> str:
        """Return the screen with escape sequences for colours, bold and reverse."""
        return self._tmux("capture-pane", "-p", "-e", "-N", "-t", "s")

    def cursor(self) -> tuple[int, int]:
        """Return column and line of the cursor, from 0."""
        column, line = self._tmux("display-message", "-p", "-t", "s", "#{cursor_x} #{cursor_y}").split()
        return int(column), int(line)

    def wait(self, what: str, look: Callable[[Self], Found | None], seconds: float = DEADLINE_SECONDS) -> Found:
        """Look until it sees something, and return that; fail, with the screen, if it does not come in time."""
        deadline = time.monotonic() + seconds
        while not (found := look(self)):
            assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}; the screen:\n{self.framed()}"
            time.sleep(LOOK_SECONDS)
        return found

    def wait_text(self, text: str) -> None:
        """Wait until `text` stands somewhere on the screen."""
        self.wait(repr(text), lambda tmux: text in tmux.screen())

    def framed(self) -> str:
        """Return the screen for a failure's message, with its edges."""
        return "\n".join(f"| {line}" for line in self.lines())

    # --- The end ----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End what runs here. Again does nothing."""
        if Path(self._folder.name).exists():
            run = ["tmux", "-L", "midflight", "kill-server"]
            subprocess.run(run, env=self._environment, capture_output=True, timeout=DEADLINE_SECONDS)
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
