"""The command on applications: list, start, stop."""

from __future__ import annotations

import argparse

from midflight.cli.show import ask, show, table

__all__ = ["applications"]

HEADING = ("APPLICATION", "STATUS", "RESTART", "SUPERVISOR", "VSN", "NEEDS", "DESCRIPTION")


def applications(options: argparse.Namespace) -> int:
    """List the applications, after one has been started or stopped. Raises: RequestError if that is refused."""
    if options.start is not None:
        ask(options, "application/start", options.start)
    if options.stop is not None:
        ask(options, "application/stop", options.stop)
    found = [{**each, "applications": each["applications"] or []} for each in ask(options, "application/list") or []]

    def text() -> str:
        if not found:
            return "No application is loaded. [tool.midflight.applications.NAME] of pyproject.toml describes one."
        rows = [
            (
                each["name"],
                each["status"],
                each["restart"],
                each["supervisor"],
                each["vsn"] or None,
                ", ".join(each["applications"]) or None,
                each["description"] or None,
            )
            for each in found
        ]
        return table(HEADING, rows)

    return show(options, {"applications": found}, text)
