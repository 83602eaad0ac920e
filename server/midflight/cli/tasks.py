"""The commands on asyncio tasks: tasks, where, cancel; and the lines on them for `ps` and `top`."""

from __future__ import annotations

import argparse
from typing import Any

from midflight.cli.show import ask, show, table

__all__ = ["cancel", "lag_words", "task_table", "tasks", "where"]

HEADING = ("TASK", "NAME", "MODULE", "VERSION", "AT", "SEEN FOR", "WAITS FOR", "THREAD")


def tasks(options: argparse.Namespace) -> int:
    found = ask(options, "task/list")

    def text() -> str:
        loops = [f"{each['thread'] or 'an event loop'}: {lag_words([each])}" for each in found["loops"] or []]
        more = [f"and {found['left']} more"] if found["left"] else []
        return "\n".join([task_table(found) or "No asyncio task runs.", *more, "", *loops])

    return show(options, {"tasks": found["tasks"] or [], "loops": found["loops"] or []}, text)


def where(options: argparse.Namespace) -> int:
    said = ask(options, "task/where", options.task)
    return show(options, {"task": options.task, "text": said}, lambda: str(said))


def cancel(options: argparse.Namespace) -> int:
    ask(options, "task/cancel", options.task)
    return 0


def task_table(found: dict[str, Any]) -> str:
    """Return the answer of task/list as a table, "" if there is no task."""
    rows = found["tasks"] or []
    cells = [
        (
            row["id"],
            row["name"],
            row["module"],
            row["version"],
            f"{row['function']}:{row['line']}",
            f"{row['seen_seconds']:.0f} s",
            row["waiting"],
            row["thread"] or None,
        )
        for row in rows
    ]
    return table(HEADING, cells) if rows else ""


def lag_words(loops: list[dict[str, Any]] | None) -> str:
    """Return how late the latest of the event loops is."""
    lags = [each["lag_ms"] for each in loops or []]
    if not lags:
        return "no event loop"
    return "loop lag over 500 ms" if None in lags else f"loop lag {max(lags):.1f} ms"
