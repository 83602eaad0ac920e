"""The words for a load or an upgrade of several modules, which loads all of them or none."""

from __future__ import annotations

from collections.abc import Sequence

from midflight.code.report.load_report import SHOWN, LoadReport, processes, summary, text, verb
from midflight.code.report.upgrade_report import UpgradeReport, counts

__all__ = ["summary_of_many", "text_of_many"]


def summary_of_many(reports: Sequence[LoadReport]) -> str:
    """Return the summary for an echo area, in one line. Of a refusal, `reports` are those of the modules at fault."""
    if not reports:
        return "No loaded module differs from its file; nothing was loaded"
    upgrades = [each for each in reports if isinstance(each, UpgradeReport)]
    is_rehearsed = any(each.is_rehearsed for each in upgrades)
    if reports[0].version is None:
        culprits = [each for each in reports if not _goes_along(each)]
        more = f" and {len(culprits) - 1} more refused," if len(culprits) > 1 else ""
        loaded = "would be loaded" if is_rehearsed else "was loaded"
        return f"{summary(culprits[0])} With it{more} none of the modules {loaded}."
    if len(reports) == 1:
        return summary(reports[0])
    names = ", ".join(f"{each.module} v{each.version}" for each in reports[:SHOWN])
    more = f" and {len(reports) - SHOWN} more" if len(reports) > SHOWN else ""
    moved = sum(len(each.moved) for each in reports)
    still = sum(len(each.lingering) for each in reports)
    servers = counts(*upgrades)
    going = f"; {servers}" if servers else ""
    going += f"; {processes(moved)} moved" if moved else ""
    going += f"; {processes(still)} still {verb(still, 'run')} older versions" if still else ""
    return f"{len(reports)} modules {'would load' if is_rehearsed else 'loaded'}: {names}{more}{going}"


def _goes_along(report: LoadReport) -> bool:
    """Say whether a module would be refused only because another one would."""
    return all(each.code == "together" for each in report.refusals)


def text_of_many(reports: Sequence[LoadReport]) -> str:
    """Return the whole report, one module after another."""
    parts = [text(each) for each in reports]
    is_one = len(parts) == 1 and reports[0].version is not None
    return parts[0] if is_one else "\n".join([summary_of_many(reports) + "\n", *parts])
