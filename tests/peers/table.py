"""What the runs gave, as a table and as lists of names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from peers.reasons import reason_for
from peers.runs import Compared

__all__ = ["details", "table"]

HEAD = (
    "| suite | run | with a process | same as plain asyncio | differ by a law | differ by a fault | not run |\n"
    "|---|---|---|---|---|---|---|\n"
)


def table(found: Sequence[Compared]) -> str:
    """Return a row for each suite: how many of its tests pass under plain asyncio, and how many of those otherwise."""
    rows: dict[str, Counter[str]] = {}
    for each in found:
        row = rows.setdefault(each.job.title, Counter())
        row["run"] += len(each.passed)
        row["with"] += each.with_process
        row["not run"] += len(each.not_run)
        for test in each.differing:
            row["fault" if reason_for(each.job.kind, test) is None else "law"] += 1
    return HEAD + "\n".join(
        f"| {title} | {row['run']:,} | {row['with']:,} | {row['run'] - row['law'] - row['fault']:,} | {row['law']} "
        f"| {row['fault']} | {row['not run']} |"
        for title, row in rows.items()
    )


def details(found: Sequence[Compared]) -> str:
    """Return the names: what differs by which law, each fault with its traceback, what was not run and why."""
    by_law, by_fault = _differing(found)
    again = [f"{each.job.title}: {test}" for each in found for test in each.later]
    parts = [
        ("Faults, which pass under plain asyncio:", by_fault),
        ("Differences by a law of Midflight:", by_law),
        ("Failed as a process once, and passed when run again, alone:", again),
        ("Not run, because they do not pass without Midflight:", list(_not_run(found))),
    ]
    return "\n\n".join("\n".join([head, *lines]) for head, lines in parts if lines)


def _differing(found: Iterable[Compared]) -> tuple[list[str], list[str]]:
    by_law: dict[str, list[str]] = {}
    by_fault: list[str] = []
    for each in found:
        for test, came in each.differing.items():
            reason = reason_for(each.job.kind, test)
            if reason is None:
                by_fault += [f"{each.job.title}: {test}", "    " + "\n    ".join(came.strip().splitlines()[-12:])]
            else:
                by_law.setdefault(f"{each.job.title}: {reason}", []).append(test)
    return [f"{reason}\n    {', '.join(tests)}" for reason, tests in by_law.items()], by_fault


def _not_run(found: Iterable[Compared]) -> Iterator[str]:
    """Group the tests that were not run by their reason."""
    groups: dict[str, list[str]] = {}
    for each in found:
        for test, why in each.not_run.items():
            skipped = re.search(r"Skipped: (.*?)['\"]?\)$", why.strip(), re.S)
            text = skipped[1] if skipped else why.strip().splitlines()[-1]
            groups.setdefault(f"{each.job.title}: {text}", []).append(test)
    return (f"{why}\n    {', '.join(tests)}" for why, tests in groups.items())
