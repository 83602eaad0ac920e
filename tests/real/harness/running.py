"""`Running`: one of the programs under tests/real/programs, run in a folder of its own."""

from __future__ import annotations

import ast
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from helpers.server_process import MIDFLIGHT, Program
from midflight.epc import RemoteServer
from real.harness.edit import Edit

__all__ = ["DEADLINE_SECONDS", "Running", "Start"]

PROGRAMS = Path(__file__).parents[1] / "programs"
SETTINGS = '[tool.midflight]\nstart = "app:start"\n'
AGE_SECONDS = 0.2  # twice what tells an older file from one that was written while the program began
OWN_MAIN = "own_main"  # the script of a program that has a main of its own
DEADLINE_SECONDS = 20.0  # for what a program sends by itself

Start = Callable[..., Any]
"""A function from a class of programs, and options of `Running`, to one that runs inside `with`."""


class Running:
    """A program that runs, by `midflight serve` or by another `command`, and what its users and its author do to it.

    A subclass names the program's folder and connects what users have: `begin` makes connections and objects, `state`
    returns what no load may change. app.py prints "ready", and a port after it if the program has one.

    The project's settings name `app:start`, and `forward` unless it is False.
    """

    folder: ClassVar[str]
    command: ClassVar[Sequence[str]] = (*MIDFLIGHT, "serve")

    def __init__(self, place: Path, runtime: Path, *, forward: bool = True) -> None:
        self.root = place / "project"
        shutil.copytree(PROGRAMS / self.folder, self.root, ignore=shutil.ignore_patterns("__pycache__"))
        settings = SETTINGS + ("forward = true\n" if forward else "")
        (self.root / "pyproject.toml").write_text(settings, encoding="utf-8")
        _let_age(self.root / "pyproject.toml")
        self._server = Program(runtime=runtime, cwd=self.root, command=self.command)
        self._client: RemoteServer | None = None

    def __enter__(self) -> Self:
        try:
            *_, last = self._server.line_with("ready").split()
            self.port = int(last) if last.isdigit() else None
            self._client = RemoteServer.attach(self.root)
            self._session = self._client.call("shell/open", None)["session"]
            for module in sorted(path.stem for path in self.root.glob("*.py") if path.stem != OWN_MAIN):
                self.value(f"import {module}")
            self.begin()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        if self._client is not None:
            self._client.close()
        self._server.__exit__(kind, error, trace)

    def begin(self) -> None:
        """Connect users, make objects: what a program has when it has run for a while."""

    def end(self) -> None:
        """Close what `begin` has opened, so far as it came; the server lives still."""

    def state(self) -> object:
        """Return what users would lose by a restart."""
        raise NotImplementedError

    def value(self, expression: str) -> Any:
        """Return the value of an expression in a shell of the server; it must be a literal."""
        assert self._client is not None
        answer = self._client.call("shell/eval", self._session, expression)
        assert answer["status"] == "ok", answer
        return None if answer["value"] is None else ast.literal_eval(answer["value"])

    def write(self, edit: Edit, behind: str = "") -> None:
        """Save an edit, with the text `behind` at the end of the file."""
        path = self.root / edit.file
        path.write_text(edit.applied_to(path.read_text(encoding="utf-8")) + behind, encoding="utf-8")

    def load(self, file: str) -> dict[str, Any]:
        """Load a file, as `midflight load FILE` does; return the report."""
        assert self._client is not None
        report: dict[str, Any] = self._client.call("code/load", str(self.root / file), None, None)
        return report


def _let_age(file: Path) -> None:
    """Wait until a file is older than a program that begins now, as the files of people are: its text is then known."""
    while time.time() < file.stat().st_ctime + AGE_SECONDS:
        time.sleep(AGE_SECONDS / 10)
