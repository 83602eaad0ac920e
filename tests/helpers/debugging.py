"""A client that answers the questions of the debugger."""

from __future__ import annotations

import queue
import sys
from concurrent.futures import Future
from typing import Any

from helpers.epc_peer import DEADLINE_SECONDS


class Person:
    """A client with a shell, who answers the questions of the debugger."""

    def __init__(self, node: Any) -> None:
        self.questions: queue.Queue[dict[str, Any]] = queue.Queue()
        self.output = ""
        self.client = node.connect(
            {
                "shell/output": self._take,
                "shell/read": lambda _, question: self.questions.put(question),
                "shell/unread": lambda *_: None,
            }
        )
        self.session = self.client.call("shell/open")["session"]

    def _take(self, _session: int, text: str) -> None:
        self.output += text

    def eval(self, text: str) -> Future[Any]:
        """Begin to evaluate `text`."""
        return self.client.submit("shell/eval", self.session, text)

    def stopped(self) -> dict[str, Any]:
        """Return the next question's place, with its number as `id`."""
        question = self.questions.get(timeout=DEADLINE_SECONDS)
        assert question["prompt"] == "(Pdb) "
        return {"id": question["id"], **question["about"]}

    def begun(self) -> dict[str, Any]:
        """Return the place behind a breakpoint: from 3.13 on pdb stops at the breakpoint itself."""
        place = self.stopped()
        return self.step(place, "n") if sys.version_info >= (3, 13) else place

    def command(self, place: dict[str, Any], line: str | None) -> None:
        """Give the debugger, which has stopped at `place`, a command."""
        assert self.client.call("shell/answer", self.session, place["id"], line) is True

    def step(self, place: dict[str, Any], line: str) -> dict[str, Any]:
        """Give a command; return the place where it stops next."""
        self.command(place, line)
        return self.stopped()
