"""`midflight crashes`: the crashes that the server remembers, one of them whole, and such a process started again."""

from __future__ import annotations

import argparse
from typing import Any

from midflight.cli.show import ask, attach, clock, show, table
from midflight.errors import RequestError

__all__ = ["crashes"]


def crashes(options: argparse.Namespace) -> int:
    """List crashes, show one, start its process again, or forget it."""
    if options.crash is None and (options.restart or options.arguments or options.resend):
        raise RequestError("--restart is for one crash; nothing was started. Give its number, as in the list.")
    if options.dismiss:
        count = ask(options, "crash/dismiss", options.crash)
        return show(options, {"dismissed": count}, lambda: f"{count} forgotten.")
    if options.restart or options.arguments or options.resend:
        chosen = {"arguments": options.arguments, "resend": options.resend or None}
        found = ask(options, "crash/restart", options.crash, chosen)
        name = f" ({found['name']})" if found["name"] else ""
        resent = "; its last message was sent again" if found["resent"] else ""
        said = f"{found['pid']}{name} runs, in version {found['version']}, with the state it had{resent}."
        return show(options, found, lambda: said)
    if options.crash is not None:
        found = ask(options, "crash/info", options.crash)
        return show(options, found, lambda: _text(found))
    with attach(options) as client:
        rows = client.call("crash/list") or []
    heading = ("CRASH", "AT", "PID", "NAME", "MODULE", "VERSION", "WHERE", "REASON")

    def cells(row: dict[str, Any]) -> tuple[object, ...]:
        where = f"{row['function']}:{row['line']}"
        own = (row["pid"], row["name"], row["module"], row["version"], where, row["summary"])
        return (row["crash"], clock(row["at"]), *own)

    return show(options, rows, lambda: table(heading, map(cells, rows)) if rows else "No crash is remembered.")


def _text(found: dict[str, Any]) -> str:
    lines = [found["text"].rstrip()]
    if found["state"]:
        lines += ["", "State", *(f"  {name} = {value}" for name, value in found["state"])]
    if found["last_message"] is not None:
        lines += ["", "Last message", f"  {found['last_message']}"]
    if found["refusal"]:
        lines += ["", f"It cannot be started again: {found['refusal']}"]
    else:
        lines += ["", f"To start it again with that state: midflight crashes {found['crash']} --restart"]
    return "\n".join(lines)
