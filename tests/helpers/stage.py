"""Processes in versions of one module, `thing`, whose function f they run: what moving them is tested on."""

from __future__ import annotations

import sys
from textwrap import indent
from typing import Any

from helpers.versions import Project
from midflight import Pid, code, exit
from midflight.testing import TestRuntime

__all__ = ["IMPORTS", "LOOP", "V1", "V2", "Stage", "body"]

IMPORTS = "import asyncio\nimport midflight\nfrom midflight import receive, sleep\nimport thing\n\n\n"

LOOP = """\
async def f(total=0):
    while True:
        match await receive():
            case ("add", n):
                total += n
            case ("tell", sink):
                sink.append([{version}, total])
            case "die":
                return
"""

V1, V2 = LOOP.format(version=1), LOOP.format(version=2)


def body(text: str, parameters: str = "total=0") -> str:
    """Return a function f of that body."""
    return f"async def f({parameters}):\n{indent(text, '    ')}\n"


class Stage:
    """A project and a runtime with processes in it. `end` them."""

    def __init__(self, project: Project, runtime: TestRuntime) -> None:
        self.project = project
        self.runtime = runtime
        self.pids: list[Pid] = []

    def load(self, text: str, **options: Any) -> code.LoadReport:
        """Load that text as the next version of `thing`."""
        return self.project.load_text("thing", IMPORTS + text, **options)

    def write(self, text: str) -> str:
        """Write that text as thing.py, load nothing, and return the path."""
        return self.project.write("thing.py", IMPORTS + text)

    def import_(self, text: str) -> str:
        """Import `thing` of that text, as any module, without the code server; return its path."""
        path = self.write(text)
        sys.path.append(str(self.project.root))
        __import__("thing")
        return path

    def begin(self, *arguments: Any, function: str = "f", name: str | None = None) -> Pid:
        """Start a process in a function of `thing`, and let it run until it waits."""
        return self.begin_in(getattr(sys.modules["thing"], function), *arguments, name=name)

    def begin_in(self, function: Any, *arguments: Any, name: str | None = None) -> Pid:
        """Start a process in that function, and let it run until it waits."""
        self.pids.append(self.runtime.spawn(function, *arguments, name=name))
        self.runtime.run_until_idle()
        return self.pids[-1]

    def send(self, pid: Pid, *messages: object) -> None:
        """Send messages, each when the one before has been handled."""
        for message in messages:
            pid << message
            self.runtime.run_until_idle()

    def tell(self, pid: Pid) -> object:
        """Return the version of the process and its total."""
        sink: list[object] = []
        self.send(pid, ("tell", sink))
        return sink[0]

    def moved(self, old: str, new: str, *messages: object) -> str:
        """Load `old`, start f and send it messages; load `new` and move. Return "moved", or why it did not.

        Processes and versions of before do not matter.
        """
        self.end()
        before = self.load(old, force=True)
        pid = self.begin()
        self.send(pid, *messages)
        report = self.load(new, move=True, force=True)
        assert [each.pid for each in report.lingering] == [each.pid for each in report.not_moved]
        assert code.processes("thing", report.version if report.moved else before.version) == (pid,)
        assert report.moved + tuple(each.pid for each in report.not_moved) == (pid,)
        return report.not_moved[0].reason.replace(f"v{report.version}", "NEW") if report.not_moved else "moved"

    def end(self) -> None:
        """End the processes."""
        for pid in self.pids:
            exit(pid, "kill")
        self.runtime.run_until_idle()
        self.pids.clear()
