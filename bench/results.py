"""Results of the benchmark: lines kept in a file as they are measured, and what they say together.

A result is a dictionary, one line of JSON: peer, workload, n; ops_per_s or bytes_per_process, and peak_rss_mb; or
"skipped" with the reason. `round` is the time at which its round began: within a round each workload is run by all
peers one after the other. So ratios are taken within rounds, and of these the median: the load of a shared machine
changes from one minute to the next.
"""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["Result", "Results", "field_of"]

Result = dict[str, Any]


def field_of(workload: str) -> str:
    """Return the name of what is compared: operations a second, or bytes a process, of which fewer are better."""
    return "bytes_per_process" if workload == "memory" else "ops_per_s"


class Results:
    """Results by workload and peer, in the order in which they were measured."""

    def __init__(self, results: Iterable[Result] = ()) -> None:
        self.by_workload: dict[str, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
        for result in results:
            self.add(result)

    @classmethod
    def kept(cls, file: Path) -> Results:
        """Return what is kept in `file`, nothing if there is none. A last line that was cut off is left out."""
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return cls(json.loads(line) for line in lines if line.endswith("}"))

    def add(self, result: Result) -> None:
        """Take in one result. A peer that does not have the workload gives none."""
        if result.get("skipped") != "no such workload":
            self.by_workload[result["workload"]][result["peer"]].append(result)

    def rounds(self) -> int:
        """Return in how many rounds something was measured."""
        everything = [each for peers in self.by_workload.values() for results in peers.values() for each in results]
        return len({result["round"] for result in everything})

    def values(self, workload: str, peer: str) -> list[float]:
        """Return what was measured, in order; empty if it was skipped each time."""
        field = field_of(workload)
        return [result[field] for result in self.by_workload[workload].get(peer, ()) if field in result]

    def ratio(self, workload: str, peer: str, reference: str) -> float | None:
        """Return how many times `reference`'s value `peer`'s is: the median of the ratios of all rounds with both."""
        field = field_of(workload)
        peers = self.by_workload[workload]
        base = {result["round"]: result[field] for result in peers.get(reference, ()) if field in result}
        ratios = [
            result[field] / base[result["round"]]
            for result in peers.get(peer, ())
            if field in result and result["round"] in base
        ]
        return statistics.median(ratios) if ratios else None

    def table(self, workload: str, reference: str) -> str:
        """Return one workload's medians as a Markdown table, best first."""
        unit = "bytes a process" if workload == "memory" else "operations a second"
        lines = [f"| {workload} | n | {unit}, median | lowest to highest | x {reference} | peak MB |"]
        lines.append("|---|--:|--:|--:|--:|--:|")
        peers = self.by_workload[workload]
        medians = {peer: statistics.median(values) for peer in peers if (values := self.values(workload, peer))}
        for peer in sorted(medians, key=medians.__getitem__, reverse=workload != "memory"):
            values, ratio = self.values(workload, peer), self.ratio(workload, peer, reference)
            n = next(result["n"] for result in peers[peer] if "skipped" not in result)
            peak = statistics.median(result["peak_rss_mb"] for result in peers[peer] if "skipped" not in result)
            spread = f"{min(values):,.4g} to {max(values):,.4g}"
            shown = "" if ratio is None else f"{ratio:.3g}"
            lines.append(f"| {peer} | {n:,} | {medians[peer]:,.4g} | {spread} | {shown} | {peak:,.0f} |")
        for peer in peers.keys() - medians.keys():
            lines.append(f"| {peer} | | skipped: {peers[peer][0]['skipped']} | | | |")
        return "\n".join(lines)

    def summary(self, peers: Iterable[str], reference: str) -> str:
        """Return the ratios of all workloads to `reference` as one Markdown table, a column for each of `peers`."""
        shown = [peer for peer in peers if any(self.values(workload, peer) for workload in self.by_workload)]
        lines = [f"| x {reference} | {' | '.join(shown)} |", "|---|" + "--:|" * len(shown)]
        for workload in self.by_workload:
            ratios = [self.ratio(workload, peer, reference) for peer in shown]
            cells = ["" if ratio is None else f"{ratio:.2f}" for ratio in ratios]
            if any(cells):
                lines.append(f"| {workload} | {' | '.join(cells)} |")
        return "\n".join(lines)
