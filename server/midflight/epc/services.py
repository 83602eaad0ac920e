"""The objects that the methods of the wire act upon: built by the application, handed to every connection."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from midflight.epc.shells import ParkedShells
from midflight.kernel import Scheduler, Sink
from midflight.line_breakpoints import LineBreakpoints
from midflight.observer import Crashes, Reports
from midflight.shell import names_of_a_shell

__all__ = ["Services"]


@dataclass(frozen=True, slots=True)
class Services:
    """One running server: its processes, its project, and how it is ended.

    `stop` asks the application to end and returns at once. `log` takes what processes print when the shell that
    started them is closed. `forwards` says that loads forward what others hold. `sessions` numbers the shells, from 1;
    `parked` are those whose connection was lost. `start_failures` has a sentence for each part of the project's start
    that failed.
    """

    scheduler: Scheduler
    root: Path
    version: str
    stop: Callable[[], object]
    log: TextIO
    forwards: bool = False
    sessions: Iterator[int] = field(default_factory=lambda: count(1))
    parked: ParkedShells = field(default_factory=ParkedShells)
    start_failures: list[str] = field(default_factory=list)
    crashes: Crashes = field(init=False)
    reports: Reports = field(init=False)
    breakpoints: LineBreakpoints = field(init=False)

    def __post_init__(self) -> None:
        """Remember crashes and reports from now on: before anybody is told of one, it is there to be asked for."""
        object.__setattr__(self, "crashes", Crashes(self.scheduler, self.names))
        object.__setattr__(self, "reports", Reports(self.scheduler))
        object.__setattr__(self, "breakpoints", LineBreakpoints(self.scheduler))

    def names(self, sink: Sink) -> dict[str, Any]:
        """Return the names for an expression of a front end: those of a shell, in a dict of its own."""
        return names_of_a_shell(self.scheduler, sink)

    @property
    def banner(self) -> str:
        """The first line of a shell."""
        return f"Midflight {self.version}, Python {platform.python_version()}, {self.root}"
