"""Tables of text, aligned as a terminal shows them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

__all__ = ["columns", "cut", "width"]

_NO_WIDTH = ("Mn", "Me", "Cf")  # marks on the character before, joiners
_TWO_WIDE = ("W", "F")
_JOINERS = "\u200c\u200d"


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Return `rows`, the first of which is the heading, as lines with their columns aligned; each ends in a newline.

    A character that would move the cursor is written as its escape sequence.
    """
    shown = [[_printable(cell) for cell in row] for row in rows]
    wide = [[width(cell) for cell in row] for row in shown]
    widths = [max(column) for column in zip(*wide, strict=True)]
    lines = (
        "  ".join(cell + " " * (most - own) for cell, own, most in zip(row, sizes, widths, strict=True)).rstrip()
        for row, sizes in zip(shown, wide, strict=True)
    )
    return "".join(line + "\n" for line in lines)


def width(text: str) -> int:
    """Return how many columns of a terminal `text` takes: two for a wide character, none for a combining mark."""
    if text.isascii():
        return len(text)
    return sum(map(_width, text))


def cut(text: str, most: int) -> str:
    """Return the beginning of `text` that fits into `most` columns."""
    if text.isascii():
        return text[:most]
    taken = 0
    for index, character in enumerate(text):
        taken += _width(character)
        if taken > most:
            return text[:index]
    return text


def _width(character: str) -> int:
    if unicodedata.category(character) in _NO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _TWO_WIDE else 1


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(each if _is_harmless(each) else ascii(each)[1:-1] for each in text)


def _is_harmless(character: str) -> bool:
    # Joiners and a no-break space are not printable for Python, and do no harm in a line.
    return character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs"
