"""The flame picture of a profile, as SVG: a bar for each function, as wide as its share, on top of its caller.

The lowest bar is all that was seen, the next row are the processes, tasks and threads. A bar's tooltip has its whole
name and its share. The text is a file of its own: no script, no font, nothing from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import NamedTuple
from zlib import crc32

from midflight.observer.profile import Function, Profile

__all__ = ["flame_svg"]

WIDTH = 1200
ROW = 18
HEADER = 40
LEAST_WIDTH = 0.5  # of a bar that is drawn
CHARACTER = 6.6  # the width of one


class _Node:
    """A bar: how often it was seen, and the bars on top of it."""

    def __init__(self) -> None:
        self.count = 0
        self.above: dict[str | Function, _Node] = {}


class _Bar(NamedTuple):
    """A bar as it is drawn: its left end, its width, its row from below, its name, and how often it was seen."""

    x: float
    width: float
    row: int
    name: str
    module: str
    seen: int


def flame_svg(profile: Profile) -> str:
    """Return the picture of `profile`, a whole SVG document."""
    root = _Node()
    for (who, functions), count in profile.stacks.items():
        node = root
        node.count += count
        keys: list[str | Function] = [who, *functions]
        for key in keys:
            node = node.above.setdefault(key, _Node())
            node.count += count
    bars = list(_bars(root, "all", "", 0.0, WIDTH / root.count if root.count else 0.0, 0))
    height = HEADER + ROW * (1 + max((bar.row for bar in bars), default=0)) + 10
    seen = f"{profile.busy} stacks seen in {profile.looks} looks, {profile.seconds:.1f} s"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11">',
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="8" y="24" font-size="14">{escape(seen)}</text>',
            *(_drawn(bar, height, root.count) for bar in bars),
            "</svg>",
            "",
        ]
    )


def _bars(node: _Node, name: str, module: str, x: float, scale: float, row: int) -> Iterator[_Bar]:
    """Yield the bar of `node` and those on top of it, the widest first, as far as they can be seen."""
    left = [(node, name, module, x, row)]
    while left:
        node, name, module, x, row = left.pop()
        width = node.count * scale
        if width < LEAST_WIDTH:
            continue
        yield _Bar(x, width, row, name, module, node.count)
        for key, above in sorted(node.above.items(), key=lambda item: -item[1].count):
            label, home = (key, "") if isinstance(key, str) else (_label(key), key.module)
            left.append((above, label, home, x, row + 1))
            x += above.count * scale


def _label(function: Function) -> str:
    version = "" if function.version is None else f" v{function.version}"
    return f"{function.module}{version} {function.name}"


def _drawn(bar: _Bar, height: int, whole: int) -> str:
    y = height - 10 - ROW * (bar.row + 1)
    letters = int((bar.width - 6) / CHARACTER)
    name = bar.name if len(bar.name) <= letters else f"{bar.name[: letters - 1]}…"
    text = f'<text x="{bar.x + 3:.1f}" y="{y + 13}">{escape(name)}</text>' if letters >= 3 else ""
    title = escape(f"{bar.name}: {bar.seen} of {whole}, {100 * bar.seen / whole:.1f} %")
    return (
        f'<g><title>{title}</title><rect x="{bar.x:.1f}" y="{y}" width="{max(bar.width - 0.5, 0.3):.1f}" '
        f'height="{ROW - 1}" rx="2" fill="{_color(bar.module)}"/>{text}</g>'
    )


def _color(module: str) -> str:
    """Return a light colour, the same for all functions of a module."""
    return f"hsl({crc32(module.encode()) % 60 if module else 210}, 80%, {72 if module else 88}%)"
