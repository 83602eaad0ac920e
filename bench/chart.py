"""The results as a page's table and as a picture: bars of the ratios to one peer, on a logarithmic scale, in SVG."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path

from results import Results

__all__ = ["COLOURS", "chart", "said_when", "write_between"]

COLOURS = {  # of the peers that are drawn
    "midflight_compiled": "#1f77b4",
    "midflight_python": "#8fbfe0",
    "erlang_otp": "#a90533",
    "uvloop_q": "#7f7f7f",
    "asyncio_q": "#bfbfbf",
}
LEFT, RIGHT, TOP, BAR, GAP = 90, 60, 56, 9, 14  # pixels
WIDTH = 720
LOWEST, HIGHEST = 0.1, 100.0  # ratios


def chart(results: Results, reference: str, workloads: Sequence[str]) -> str:
    """Return an SVG: for each of `workloads` a bar for each peer, as long as its ratio to `reference` says.

    A bar begins at 1: to the left of it a peer is slower. One that was not measured is left out.
    """
    shown = [(workload, _bars(results, reference, workload)) for workload in workloads]
    rows = [(workload, bars) for workload, bars in shown if bars]
    height = TOP + sum(len(bars) * BAR + GAP for _, bars in rows) + 24
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="16" font-size="13">Operations a second, times those of {reference}</text>',
    ]
    x = LEFT
    for peer, colour in COLOURS.items():
        lines.append(f'<rect x="{x}" y="26" width="10" height="10" fill="{colour}"/>')
        lines.append(f'<text x="{x + 14}" y="35">{peer}</text>')
        x += 30 + 6 * len(peer)
    for power in range(round(math.log10(LOWEST)), round(math.log10(HIGHEST)) + 1):
        at = _across(10.0**power)
        width = 1.2 if power == 0 else 0.4
        lines.append(f'<path d="M{at:.1f} {TOP - 6}V{height - 22}" stroke="#444" stroke-width="{width}"/>')
        lines.append(f'<text x="{at:.1f}" y="{height - 8}" text-anchor="middle">{10.0**power:g}</text>')
    y = TOP
    for workload, bars in rows:
        middle = y + len(bars) * BAR / 2 + 4
        lines.append(f'<text x="{LEFT - 8}" y="{middle:.1f}" text-anchor="end">{workload}</text>')
        for peer, ratio in bars:
            ends = sorted((_across(1.0), _across(ratio)))
            lines.append(
                f'<rect x="{ends[0]:.1f}" y="{y}" width="{max(1.0, ends[1] - ends[0]):.1f}" height="{BAR - 1}" '
                f'fill="{COLOURS[peer]}"><title>{workload}, {peer}: {ratio:.3g}</title></rect>'
            )
            y += BAR
        y += GAP
    return "\n".join([*lines, "</svg>", ""])


def _bars(results: Results, reference: str, workload: str) -> list[tuple[str, float]]:
    ratios = [(peer, results.ratio(workload, peer, reference)) for peer in COLOURS]
    return [(peer, ratio) for peer, ratio in ratios if ratio is not None]


def _across(ratio: float) -> float:
    """Return where a ratio is on the scale, in pixels."""
    inside = min(max(ratio, LOWEST), HIGHEST)
    share = math.log(inside / LOWEST) / math.log(HIGHEST / LOWEST)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def write_between(page: Path, text: str, mark: str = "measured") -> None:
    """Put `text` between the lines `<!-- measured -->` and `<!-- end of measured -->` of a page.

    Raises: ValueError for a page without them; it stays as it is.
    """
    begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->\n"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, found_too, after = rest.partition(end)
    if not (found and found_too):
        raise ValueError(f"{page} has no lines {begin.strip()} and {end.strip()}; it stays as it is. Put them there")
    page.write_text(f"{before}{begin}{text.strip()}\n{end}{after}", encoding="utf-8")


def said_when(results: Results) -> str:
    """Return when and how often was measured, and how loaded the machine was."""
    everything = [each for peers in results.by_workload.values() for found in peers.values() for each in found]
    loads = [each["load"] for each in everything]
    day = time.strftime("%Y-%m-%d", time.gmtime(max(each["round"] for each in everything)))
    return f"Measured on {day} in {results.rounds()} rounds, at a load of {min(loads):.1f} to {max(loads):.1f}."
