"""`midflight profile`: where the program spends its time, by process and function, and as a flame picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from midflight.cli.show import attach, show, table
from midflight.errors import RequestError

__all__ = ["profile"]

HEADING = ("OWN", "TOTAL", "IN", "FUNCTION", "MODULE", "VERSION", "LINE")
ROWS = 40  # of a table
WAIT_SECONDS = 15.0  # that the answer may take beyond the looks


def profile(options: argparse.Namespace) -> int:
    """Take a profile, print its rows, and write its picture to a file if one is named."""
    path = Path(options.svg) if options.svg else None
    if path is not None and not path.absolute().parent.is_dir():
        raise RequestError(f"There is no folder {path.absolute().parent}; no profile was taken. Name a file in one.")
    with attach(options) as client:
        found = client.call("profile/take", options.seconds, timeout_seconds=options.seconds + WAIT_SECONDS)
    picture = found.pop("svg")
    found["rows"] = found["rows"] or []
    if path is not None:
        _write(path, picture)
    return show(options, found, lambda: _text(found, path))


def _write(path: Path, picture: str) -> None:
    try:
        path.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise RequestError(f"The picture could not be written to {path}: {error}. Name another file.") from None


def _text(found: dict[str, Any], path: Path | None) -> str:
    busy, rows = found["busy"], found["rows"]
    lines = [f"{busy} stacks seen in {found['looks']} looks, {found['seconds']:.1f} s."]
    if rows:
        shown = [
            (
                f"{100 * row['own'] / busy:.1f} %",
                f"{100 * row['total'] / busy:.1f} %",
                row["who"],
                row["function"],
                row["module"],
                row["version"],
                row["line"],
            )
            for row in rows[:ROWS]
        ]
        lines += ["", table(HEADING, shown)]
    more = len(rows[ROWS:]) + found["left"]
    lines += [f"and {more} more; --json has them"] if more else []
    lines += [f"The flame picture is in {path}."] if path is not None else []
    return "\n".join(lines)
