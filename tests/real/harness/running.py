"""`Running`: one of the programs under tests/real/programs, run by `midflight serve` in a folder of its own."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from helpers.server_process import Program
from midflight.epc import RemoteServer
from real.harness.edit import Edit

__all__ = ["DEADLINE_SECONDS", "Running", "Start"]

PROGRAMS = Path(__file__).parents[1] / "programs"
SETTINGS = '[tool.midflight]\nstart = "app:start"\n'
DEADLINE_SECONDS = 20.0  # for what a program sends by itself

Start = Callable[..., Any]
"""A function from a class of programs, and options of `Running`, to one that runs inside `with`."""


class Running:
    """A program that runs, and what its users and its author do to it.

    A subclass names the program's folder and connects what users have: `begin` makes connections and objects, `state`
    returns what no load may change. app.py prints "ready", and a port after it if the program has one.

    The project's settings name `app:start`, and `forward` unless it is False.
    """

    folder: ClassVar[str]

    def __init__(self, place: Path, runtime: Path, *, forward: bool = True) -> None:
        self.root = place / "project"
        shutil.copytree(PROGRAMS / self.folder, self.root, ignore=shutil.ignore_patterns("__pycache__"))
        settings = SETTINGS + ("forward = true\n" if forward else "")
        (self.root / "pyproject.toml").write_text(settings, encoding="utf-8")
        self._server = Program("serve", runtime=runtime, cwd=self.root)
        self._client: RemoteServer | None = None

    def __enter__(self) -> Self:
        try:
            *_, last = self._server.line_with("ready").split()
            self.port = int(last) if last.isdigit() else None
            self._client = RemoteServer.attach(self.root)
            self._session = self._client.call("shell/open", None)["session"]
            for module in sorted(path.stem for path in self.root.glob("*.py")):
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
