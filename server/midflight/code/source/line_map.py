"""The lines of one text mapped to the lines of another. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

__all__ = ["LineMap", "common_length", "line_map"]

SMALL = 40_000  # comparisons of one line with another: some milliseconds


class LineMap:
    """A map from the lines of an old text to those of a new one, both counted from 1."""

    def __init__(self, old: str, new: str) -> None:
        a, b = old.split("\n"), new.split("\n")
        self._last = len(b)
        self._spans = sorted(span for span in _spans(a, b) if span[0] < span[1])
        self._starts = [start for start, *_ in self._spans]

    def __call__(self, line: int) -> int:
        """Return the new place of line `line` of the old text. A changed one is somewhere in the lines instead of it.

        One that was taken out is where it would be: at the line that follows.
        """
        index = line - 1
        position = bisect_right(self._starts, index) - 1
        if index < 0 or position < 0:
            return 1
        start, end, to, to_end = self._spans[position]
        if index >= end:
            return self._last
        return min(to + min(index - start, max(to_end - to - 1, 0)) + 1, self._last)


@lru_cache(maxsize=64)
def line_map(old: str, new: str) -> LineMap:
    """Return the map from the lines of `old` to those of `new`."""
    return LineMap(old, new)


def _spans(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield which lines of `a` are which of `b`, as half-open spans, in no order.

    Anchors are the lines that are there once in both texts; between two of them the same again, as in a patience
    diff. Only small rests without any are compared line by line: that takes the product of their lengths.
    """
    waiting = [(0, len(a), 0, len(b))]
    while waiting:
        start, end, to, to_end = waiting.pop()
        head = common_length(a[start:end], b[to:to_end])
        yield start, start + head, to, to + head
        start, to = start + head, to + head
        tail = common_length(a[start:end][::-1], b[to:to_end][::-1])
        yield end - tail, end, to_end - tail, to_end
        end, to_end = end - tail, to_end - tail
        anchors = _anchors(a, b, start, end, to, to_end)
        if anchors:
            for index, to_index in anchors:
                yield index, index + 1, to_index, to_index + 1
                waiting.append((start, index, to, to_index))
                start, to = index + 1, to_index + 1
            waiting.append((start, end, to, to_end))
        elif (end - start) * (to_end - to) <= SMALL:
            middle = SequenceMatcher(None, a[start:end], b[to:to_end], autojunk=False)
            for _, i1, i2, j1, j2 in middle.get_opcodes():
                yield start + i1, start + i2, to + j1, to + j2
        else:
            yield start, end, to, to_end


def common_length(a: Sequence[str], b: Sequence[str]) -> int:
    """Return how many lines both begin with."""
    length = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        length += 1
    return length


def _anchors(a: Sequence[str], b: Sequence[str], start: int, end: int, to: int, to_end: int) -> list[tuple[int, int]]:
    """Return the longest run of lines that are there once in both spans, in the same order in both."""
    counts, to_counts = Counter(a[start:end]), Counter(b[to:to_end])
    places = {line: index for index, line in enumerate(b[to:to_end], to) if to_counts[line] == 1}
    pairs = [
        (index, places[line]) for index, line in enumerate(a[start:end], start) if counts[line] == 1 and line in places
    ]
    tops: list[int] = []  # by length of a run: the least place that one of that length ends at
    last: list[int] = []  # and which pair that is
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(tops, place)
        tops[length : length + 1] = [place]
        last[length : length + 1] = [number]
        before.append(last[length - 1] if length else -1)
    run = []
    number = last[-1] if last else -1
    while number >= 0:
        run.append(pairs[number])
        number = before[number]
    return run[::-1]
