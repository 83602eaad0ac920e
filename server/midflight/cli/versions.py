"""The commands about the versions of a module: versions, diff, purge."""

from __future__ import annotations

import argparse
from typing import Any

from midflight.cli.show import ask, show, table

__all__ = ["diff", "purge", "versions"]


def versions(options: argparse.Namespace) -> int:
    if options.why is not None:
        said = ask(options, "code/why-alive", options.module, options.why)
        return show(options, said, lambda: str(said["text"]))
    rows = ask(options, "code/history", options.module)["versions"]
    heading = ("VERSION", "VSN", "STATE", "PROCESSES")
    cells = [(row["version"], row["vsn"], _state_of(row), row["processes"]) for row in rows]
    return show(options, rows, lambda: table(heading, cells))


def _state_of(version: dict[str, Any]) -> str:
    """Return what there is of a version: of a kept one only its text, which a rollback takes.

    That of an earlier one too: the server that ran it has ended, and the store has kept it.
    """
    if version["current"]:
        return "current"
    if version.get("earlier"):
        return "earlier"
    return "runs" if version["processes"] else "kept" if version["text"] else "no text"


def diff(options: argparse.Namespace) -> int:
    text = ask(options, "code/diff", options.module, options.a, options.b) or ""
    return show(options, {"diff": text}, lambda: text)


def purge(options: argparse.Namespace) -> int:
    if options.soft:
        is_gone = bool(ask(options, "code/soft-purge", options.module))
        said = (
            "No old version is left." if is_gone else "Processes still run old versions, which stay; see midflight ps."
        )
        show(options, {"purged": is_gone, "killed": []}, lambda: said)
        return 0 if is_gone else 1
    pids = ask(options, "code/purge", options.module) or []
    killed = f"; killed {', '.join(pids)}" if pids else ""
    return show(options, {"purged": True, "killed": pids}, lambda: f"No old version is left{killed}.")
