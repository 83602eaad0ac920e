"""The Python twin of cases/t.erl: what a case prints with and waits with, by the same short names.

A case can so be read line by line beside its .erl. Time is the test's: it stands still while anything can run, and
moves on to the next deadline when everything waits.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

from erlang.cases import Case
from erlang.terms import text
from midflight import Pid, ProcessExit, code, receive, sleep, spawn
from midflight.kernel import ManualClock, group_leader_var, routed_output
from midflight.testing import TestRuntime

WAIT_SECONDS = 30.0  # real ones, for threads, when no deadline is ahead


class T:
    """One case: runs it and keeps the lines that it and its processes print in `printed`.

    `folder` is where the modules of the case are, each a file of its own.
    """

    def __init__(self, runtime: TestRuntime, clock: ManualClock, folder: Path) -> None:
        self.runtime = runtime
        self.clock = clock
        self.folder = folder
        self.printed: list[str] = []
        self._begun = ""  # a line that has no end yet

    def run(self, main: Callable[[], Any]) -> Any:
        """Run `main` as a process to its end, let time pass when all wait, and end what it left behind."""
        token = group_leader_var.set(self)
        self.runtime.loop.patient.on_idle = self._let_time_pass
        try:
            return self.runtime.run(main)
        finally:
            group_leader_var.reset(token)

    def wait_for(self, future: Future[Any]) -> Any:
        """Let processes run and time pass until `future` is done; return its result."""
        self.runtime.loop.patient.on_idle = self._let_time_pass
        future.add_done_callback(lambda _: self.runtime.loop.call_soon(self.runtime.loop.stop))
        with routed_output():
            self.runtime.loop.run_forever()
        return future.result()

    def _let_time_pass(self) -> None:
        loop = self.runtime.loop
        if loop._scheduled:
            self.clock.advance(max(0.0, loop._scheduled[0].when() - self.clock.now()))
        elif not super(type(loop.patient), loop.patient).select(WAIT_SECONDS):
            raise RuntimeError(f"every process waits for ever, and nothing came for {WAIT_SECONDS} s; so far:\n{self}")

    def write(self, printed: str) -> None:
        """Take what a process prints; a tuple or str at a line's end is shown as Erlang does. `t` leads all groups."""
        *lines, self._begun = (self._begun + printed).split("\n")
        self.printed += [re.sub(r"(\(.*\)|'.*')$", _erlang, line) for line in lines]

    def flush(self) -> None:
        """Nothing is held back."""

    def __str__(self) -> str:
        return "\n".join(self.printed)

    def o(self, term: object) -> None:
        """Print one term in Erlang's notation."""
        self.printed.append(text(term))

    def file(self, source: str, name: str = "m") -> Path:
        """Write the text of module `name` to its file."""
        path = self.folder / f"{name}.py"
        path.write_text(dedent(source), encoding="utf-8")
        return path

    def load(self, source: str, name: str = "m", **options: Any) -> ModuleType:
        """Load a version of module `name` from its text; return the module, which is the same one every time."""
        return sys.modules[code.load(self.file(source, name), **options).module]

    async def s(self, seconds: float = 0.04) -> None:
        """Sleep: until then all others have run until they wait."""
        await sleep(seconds)

    async def recv(self, seconds: float = 0.3) -> Any:
        """Receive any message, or "nothing"."""
        return await receive(timeout=seconds, default="nothing")

    async def mb(self) -> list[Any]:
        """Drain the mailbox: receive until no message comes for a while."""
        messages = []
        while (message := await receive(timeout=0.06, default=self)) is not self:
            messages.append(message)
        return messages

    def pid(self) -> Pid:
        """Spawn a process that waits for "stop" or ("die", reason)."""
        return spawn(idle)


def _erlang(found: re.Match[str]) -> str:
    """Return what looks like a Python value as a term, as it is if it is none."""
    try:
        return text(ast.literal_eval(found[0]))
    except (ValueError, SyntaxError):
        return found[0]


async def idle() -> None:
    """End on "stop", and with the reason on ("die", reason)."""
    message = await receive("stop", ("die", ...))
    if message != "stop":
        raise ProcessExit(message[1])


class Expected(list[str]):
    """The lines that Erlang prints."""

    def __init__(self, case: Case) -> None:
        super().__init__(case.expected.splitlines())

    def but(self, *differences: tuple[str, ...]) -> list[str]:
        """Return the lines with our documented differences: (theirs, *ours) each, in the order of the lines.

        No line of ours: it does not come here. Raises: AssertionError if Erlang prints no such line there.
        """
        lines: list[str] = []
        rest = list(self)
        for theirs, *ours in differences:
            assert theirs in rest, f"Erlang prints no {theirs!r} in {rest}"
            at = rest.index(theirs)
            lines += [*rest[:at], *ours]
            rest = rest[at + 1 :]
        return lines + rest
