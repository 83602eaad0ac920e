"""Pages of text made of the server's answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from midflight.text import columns

__all__ = ["process_table", "task_table", "version_table"]


def process_table(processes: Sequence[Mapping[str, Any]]) -> str:
    """Return one line a process under a heading; `processes` are the rows of process/list."""
    rows = [("Pid", "Name", "Module", "At", "Status", "Messages")]
    for each in processes:
        version = "" if each["version"] is None else f" v{each['version']}"
        rows.append(
            (
                each["pid"],
                each["name"] or "",
                f"{each['module']}{version}",
                f"{each['function']}:{each['line']}",
                each["status"],
                str(each["messages"]),
            )
        )
    return columns(rows)


def task_table(tasks: Sequence[Mapping[str, Any]]) -> str:
    """Return one line an asyncio task under a heading, "" for none; `tasks` are the rows of task/list."""
    rows = [("Task", "Name", "Module", "At", "Waits for")]
    for each in tasks:
        version = "" if each["version"] is None else f" v{each['version']}"
        place = f"{each['function']}:{each['line']}"
        rows.append((each["id"], each["name"], f"{each['module']}{version}", place, each["waiting"]))
    return columns(rows) if tasks else ""


def version_table(module: str, versions: Sequence[Mapping[str, Any]]) -> str:
    """Return one line a version of `module` under a heading; `versions` are rows of code/history."""
    rows = [(module, "", "Vsn", "Processes")]
    for each in versions:
        state = "current" if each["current"] else "old"
        rows.append((f"v{each['version']}", state, str(each["vsn"]), str(each["processes"] or 0)))
    return columns(rows)
