"""Where the lines of one text are in another one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache

__all__ = ["LineMap", "line_map"]


class LineMap:
    """From the lines of an old text to those of a new one, both counted from 1."""

    def __init__(self, old: str, new: str) -> None:
        a, b = old.split("\n"), new.split("\n")
        self._last = len(b)
        self._spans = list(_spans(a, b))

    def __call__(self, line: int) -> int:
        """Return where line `line` of the old text is. One that was changed is somewhere in what took its place.

        One that was taken out is where it would be: at the line that follows.
        """
        index = line - 1
        for start, end, to, to_end in self._spans:
            if start <= index < end:
                return min(to + min(index - start, max(to_end - to - 1, 0)) + 1, self._last)
        return self._last


@lru_cache(maxsize=64)
def line_map(old: str, new: str) -> LineMap:
    """Return the map from the lines of `old` to those of `new`."""
    return LineMap(old, new)


def _spans(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Return which lines of `a` are which of `b`, as half-open spans. What both begin and end with is not compared.

    In two texts of a module that is most of them, and the comparison may take the product of the lengths.
    """
    shortest = min(len(a), len(b))
    head = next((index for index in range(shortest) if a[index] != b[index]), shortest)
    most = shortest - head
    tail = next((index for index in range(most) if a[-1 - index] != b[-1 - index]), most)
    middle = SequenceMatcher(None, a[head : len(a) - tail], b[head : len(b) - tail], autojunk=False)
    return [
        (0, head, 0, head),
        *((i1 + head, i2 + head, j1 + head, j2 + head) for _, i1, i2, j1, j2 in middle.get_opcodes()),
        (len(a) - tail, len(a), len(b) - tail, len(b)),
    ]
