"""A real Emacs in a terminal, set up as README says, with a project, a home and a runtime folder of its own."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from pathlib import Path

from helpers.tmux import DEADLINE_SECONDS, LOOK_SECONDS, Tmux
from midflight.epc import ProjectFiles, RemoteServer

__all__ = ["PROGRAM", "Emacs", "Workplace"]

ROOT = Path(__file__).parents[2]

PROGRAM = os.environ.get("EMACS") or "emacs"

INIT = """\
(add-to-list 'load-path "{elisp}")
(setq load-prefer-newer t)
(require 'midflight)
(add-hook 'python-mode-hook #'midflight-mode)
"""


class Workplace:
    """A folder with a home, a runtime folder and a project. The project's .venv has Midflight, as a person's would."""

    def __init__(self, folder: Path, name: str = "tutorial") -> None:
        self.folder = folder.resolve()
        self.project = self.folder / name
        self.variables = {
            "HOME": str(self.folder / "home"),
            "MIDFLIGHT_RUNTIME_DIR": str(self.folder / "run"),
            "TMPDIR": str(self.folder / "tmp"),
        }
        for made in (self.project / ".venv" / "bin", self.folder / "home", self.folder / "tmp"):
            made.mkdir(parents=True)
        (self.project / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
        program = self.project / ".venv" / "bin" / "midflight"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m midflight.cli "$@"\n')
        program.chmod(0o755)
        self.init = self.folder / "init.el"
        self.init.write_text(INIT.format(elisp=ROOT / "elisp"))

    def copy_counter(self) -> Path:
        """Put the tutorial's module into the project."""
        return Path(shutil.copy(ROOT / "examples" / "counter.py", self.project / "counter.py"))

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.project / name
        path.write_text(text, encoding="utf-8")
        return path

    def client(self) -> RemoteServer:
        """Attach to the project's server, beside the Emacs."""
        return RemoteServer.attach(self.project)

    def stop(self) -> None:
        """End the project's server if one runs, and wait until its process has ended."""
        found = ProjectFiles(self.project).running()
        if found is None:
            return
        with self.client() as client:
            client.call("server/stop")
        deadline = time.monotonic() + DEADLINE_SECONDS
        while is_there(found.pid):
            assert time.monotonic() < deadline, f"the server, process {found.pid}, has not ended"
            time.sleep(LOOK_SECONDS)


def is_there(pid: int) -> bool:
    """Say whether the system has such a process; one that is dead and that nobody has asked about is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def is_mode_line(line: str) -> bool:
    """Say whether a line of the screen is the mode line of a window."""
    return re.match(r"-\S*:[-*%]{2}[-@]", line) is not None


class Emacs(Tmux):
    """An `emacs -nw -Q` that visits a file of the workplace's project, with Midflight's lines in its init file."""

    def __init__(self, place: Workplace, file: str, *options: str, columns: int = 110, lines: int = 32) -> None:
        path = place.project / file
        argv = [PROGRAM, "-nw", "-Q", "-l", str(place.init), *options, str(path)]
        super().__init__(argv, place.project, place.variables, columns, lines)
        try:
            self.wait(f"Emacs with {file}", lambda emacs: emacs.mode_line(file))
        except BaseException:
            self.close()
            raise

    # --- What a person sees -----------------------------------------------------------------------------------------

    def mode_lines(self) -> list[str]:
        """Return the mode lines, top to bottom."""
        return list(filter(is_mode_line, self.lines()))

    def mode_line(self, buffer: str) -> str:
        """Return the mode line of the window that shows `buffer`, whose name may be cut; empty if none does."""
        return next((line for line in self.mode_lines() if buffer in line), "")

    def window(self, buffer: str) -> list[str]:
        """Return the lines of the window that shows `buffer`; nothing if none does. Windows are above each other."""
        shown: list[str] = []
        for line in self.lines()[1:]:  # below the menu bar
            if not is_mode_line(line):
                shown.append(line)
            elif buffer in line:
                return shown
            else:
                shown = []
        return []

    def line(self) -> str:
        """Return the line of the screen that the cursor is in."""
        return self.lines()[self.cursor()[1]]

    def selected(self) -> str:
        """Return the mode line of the window that the cursor is in; empty in the minibuffer."""
        _, row = self.cursor()
        return next(filter(is_mode_line, self.lines()[row:]), "")

    def echo(self) -> str:
        """Return what the echo area shows."""
        lines = self.lines()
        after_last = 1 + max((row for row, line in enumerate(lines) if is_mode_line(line)), default=-1)
        return "\n".join(lines[after_last:]).rstrip("\n")

    def wait_echo(self, pattern: str) -> re.Match[str]:
        """Wait until the echo area shows something that matches the regular expression."""
        return self.wait(f"{pattern!r} in the echo area", lambda emacs: re.search(pattern, emacs.joined_echo()))

    def joined_echo(self) -> str:
        """Return the echo area as one line: a long message is broken, with a backslash, where the screen ends."""
        return self.echo().replace("\\\n", "").replace("\n", "")

    def wait_line(self, buffer: str, pattern: str) -> re.Match[str]:
        """Wait until a whole line of the window of `buffer` matches the regular expression; return the last such."""

        def look(_: object) -> re.Match[str] | None:
            found = [match for line in self.window(buffer) if (match := re.fullmatch(pattern, line))]
            return found[-1] if found else None

        return self.wait(f"a line {pattern!r} in {buffer}", look)

    # --- What a person does -----------------------------------------------------------------------------------------

    def answer(self, question: str, *keys: str) -> None:
        """Wait for a question in the echo area, and answer it."""
        self.wait_echo(question)
        self.press(*keys)

    def command(self, name: str) -> None:
        """Run a command by its name."""
        self.press("M-x")
        self.wait_echo("M-x")
        self.type(name)
        self.press("Enter")
