"""`Feed`: what `top` asks of the server, and the events of the one trace that it may have."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, Self

from midflight.cli.show import attach
from midflight.cli.top_look import LOOK_SECONDS, Look, look
from midflight.cli.view_text import view_lines
from midflight.editors import trace_line

__all__ = ["Feed"]


class Feed:
    """A connection to the server. Its methods wait for an answer; they may be called from any thread.

    `on_lines` is called with the lines of a trace, and `on_lost` when the server has gone, each in a thread of the
    connection.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        """Connect. Raises: as RemoteServer.attach."""
        self.on_lines: Callable[[list[str]], object] = lambda _lines: None
        self.on_lost: Callable[[], object] = lambda: None
        self._trace: int | None = None
        self._client = attach(options, handlers={"trace/events": self._events}, on_lost=lambda: self.on_lost())

    def look(self) -> Look:
        """Return the processes and the server as they are now."""
        return look(self._client)

    def depths(self) -> list[tuple[str, int]]:
        """Return the pids in the order of the tree, each with how deep it is."""
        nodes = self._client.call("process/tree", timeout_seconds=LOOK_SECONDS)["nodes"] or ()
        return [(node["row"][0], node["depth"]) for node in nodes if node["row"] is not None]

    def end(self, pid: str, reason: str) -> str:
        """Send an exit signal; return a sentence on what became of it."""
        taken = self._client.call("process/exit", pid, reason)
        if isinstance(taken, str):
            return taken
        return f"{pid} got the exit signal {reason}." if taken else f"{pid} was dead already."

    def view(self, pid: str) -> list[str]:
        """Return the lines on one process."""
        asked = [self._client.submit(method, pid) for method in ("process/view", "process/memory")]
        view, memory = (each.result(LOOK_SECONDS) for each in asked)
        return [f"{pid} is not alive any more."] if view is None else list(view_lines(view, memory))

    def begin_trace(self, pid: str) -> None:
        """Have the events of a process come to `on_lines`."""
        self._trace = self._client.call("trace/start", {"pids": [pid]})["trace"]

    def end_trace(self) -> None:
        """Let no further events come."""
        if self._trace is not None:
            self._client.submit("trace/stop", self._trace)
            self._trace = None

    def _events(self, trace: int, events: list[dict[str, Any]] | None, dropped: int) -> None:
        if trace == self._trace or self._trace is None:  # the first may come before the answer to trace/start
            more = [f"-- {dropped} events dropped"] if dropped else []
            self.on_lines([*map(trace_line, events or ()), *more])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.on_lost = lambda: None  # it is this end that closes it
        self._client.close()
