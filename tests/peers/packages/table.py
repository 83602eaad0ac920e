"""What the runs gave, as the table of docs/real-programs.md, and as lists of what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from peers.packages.excused import PART_EXCUSED, excuse_for
from peers.packages.runs import Suite

__all__ = ["details", "faults", "table"]

WHY_LINES = 12


def table(suites: Sequence[Suite]) -> str:
    """Return a row for each package, and for each order how many of its tests pass and how many names are mixed."""
    orders = list(suites[0].after)
    head = ["package", "modules", "tests", *(f"{order}: same, mixed" for order in orders)]
    rows = [head, ["---"] * len(head)]
    for suite in suites:
        count = sum(1 for outcome, _ in suite.plain.outcomes.values() if outcome == "passed")
        cells = [f"{count - len(suite.differing[order])}, {suite.after[order].mixed}" for order in orders]
        rows.append([f"{suite.package.name} {suite.version}", str(len(suite.modules)), str(count), *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def details(suites: Sequence[Suite]) -> str:
    """Return what was refused, what names are mixed, and what differs, with its excuse or the end of its traceback."""
    return "\n".join(line for suite in suites for line in _details(suite))


def _details(suite: Suite) -> Iterator[str]:
    for order, run in suite.after.items():
        head = f"{suite.package.name}, {order}"
        for module, why in run.refused.items():
            yield f"{head}: refused: {module}: {why}"
        for each in run.loads:
            if each["mixed"]:
                yield f"{head}: mixed after {each['edit']}: {', '.join(each['mixed'])}"  # type: ignore[arg-type]
        for test, why in suite.differing[order].items():
            excuse = excuse_for(suite.package.name, order, test)
            yield f"{head}: {test}: {f'excused: {excuse.thing}, {excuse.versions}' if excuse else 'A FAULT'}"
            if excuse is None:
                yield "    " + "\n    ".join(why.strip().splitlines()[-WHY_LINES:])


def faults(suites: Sequence[Suite]) -> list[str]:
    """Return what must not be: a refusal, a test that differs without an excuse, a suite with too many excused."""
    found = []
    for suite in suites:
        if not suite.plain.outcomes:
            found.append(f"{suite.package.name}: no test ran")
        for order, run in suite.after.items():
            name = f"{suite.package.name}, {order}"
            found += [f"{name}: {module} was refused" for module in run.refused]
            if len(run.loads) != 3:
                found.append(f"{name}: not all three edits were loaded")
            differing = suite.differing[order]
            found += [f"{name}: {test}" for test in differing if excuse_for(suite.package.name, order, test) is None]
            if len(differing) > PART_EXCUSED * len(suite.plain.outcomes):
                found.append(f"{name}: {len(differing)} of {len(suite.plain.outcomes)} tests differ")
    return found
