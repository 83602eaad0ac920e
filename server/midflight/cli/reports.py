"""`midflight reports`: what supervisors did about their children, as the server remembers it."""

from __future__ import annotations

import argparse
from typing import Any

from midflight.cli.show import ask, clock, show, table

__all__ = ["reports"]

HEADING = ("AT", "SUPERVISOR", "NAME", "CHILD", "PID", "WHAT", "REASON", "THEN")


def reports(options: argparse.Namespace) -> int:
    """List the reports of supervisors, or forget them."""
    if options.clear:
        count = ask(options, "report/clear")
        return show(options, {"cleared": count}, lambda: f"{count} forgotten.")
    rows = ask(options, "report/list") or []
    return show(options, rows, lambda: table(HEADING, map(_cells, rows)) if rows else "No report is remembered.")


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    whose = (clock(row["at"]), row["supervisor"], row["name"])
    child = (row["child"], row["child_pid"] or None)
    return (*whose, *child, row["context"].replace("_", " "), row["reason"] or None, row["then"])
