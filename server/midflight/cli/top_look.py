"""`Look`: the processes and the server at one moment, and what changed between two of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from midflight.cli.tasks import lag_words
from midflight.epc import RemoteServer

__all__ = ["Look", "about", "look", "matching", "memory_words", "ordered", "summary"]

LOOK_SECONDS = 30.0
"""For an answer: a server with many processes, at work, takes some."""

_FIELDS = {"reductions": "rate", "messages": "messages", "growth": "growth"}


@dataclass(frozen=True, slots=True)
class Look:
    """The processes at one time. `at` is in seconds of a clock that never goes back.

    `tasks` is the answer of task/list, `memory` that of server/memory, `holder` that of process/holder.
    """

    at: float
    rows: Sequence[dict[str, Any]]
    tasks: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)
    holder: dict[str, Any] | None = None

    def since(self, before: Look) -> list[dict[str, Any]]:
        """Return the rows, each with what came about since then, a second: `rate`, its reductions, and `growth`, the
        messages by which its mailbox has grown. For a new process it is what came about since it was spawned."""
        known = {row["pid"]: row for row in before.rows}
        seconds = max(self.at - before.at, 1e-6)

        def change(row: dict[str, Any], name: str) -> float:
            was = known.get(row["pid"])
            return float((row[name] - (0 if was is None else was[name])) / seconds)

        return [row | {"rate": change(row, "reductions"), "growth": change(row, "messages")} for row in self.rows]


def look(client: RemoteServer) -> Look:
    """Ask the server."""
    asked = [client.submit(method) for method in ("process/list", "task/list", "server/memory", "process/holder")]
    rows, tasks, memory, holder = (each.result(LOOK_SECONDS) for each in asked)
    return Look(time.monotonic(), rows or [], tasks, memory, holder)


def ordered(rows: Sequence[dict[str, Any]], order: str, *, is_reversed: bool = False) -> list[dict[str, Any]]:
    """Return the rows, the busiest process first, or by name or pid; of equals, and by pid, the oldest."""
    if order == "pid":
        return list(reversed(rows)) if is_reversed else list(rows)
    if order == "name":
        return sorted(rows, key=lambda row: (row["name"] is None, row["name"] or ""), reverse=is_reversed)
    field_name = _FIELDS[order]
    return sorted(rows, key=lambda row: row[field_name], reverse=not is_reversed)


def matching(rows: Iterable[dict[str, Any]], words: str) -> list[dict[str, Any]]:
    """Return the rows that have each of `words` in their pid, name, status, module or function, in any case."""
    wanted = words.casefold().split()

    def text(row: dict[str, Any]) -> str:
        return " ".join(str(row[name]) for name in ("pid", "name", "status", "module", "function")).casefold()

    return [row for row in rows if all(word in text(row) for word in wanted)]


def summary(rows: Sequence[dict[str, Any]]) -> str:
    """Return one line about all processes."""
    messages, rate = sum(row["messages"] for row in rows), sum(row["rate"] for row in rows)
    return f"{len(rows)} processes, {messages} messages wait, {rate:,.0f} reductions/s"


def about(found: Look) -> str:
    """Return one line about the server: its tasks, its loops and its memory; or what all processes stand for."""
    if found.holder is not None:
        return str(found.holder["text"])
    said = [f"{len(found.tasks.get('tasks') or [])} asyncio tasks", lag_words(found.tasks.get("loops"))]
    if found.memory.get("total"):
        said.append(memory_words(found.memory["total"]))
    return ", ".join(said)


def memory_words(size: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
