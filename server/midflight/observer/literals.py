"""Values as Python that makes them anew: the text of a value made of plain ones, None for all others."""

from __future__ import annotations

from math import isfinite
from typing import Any

__all__ = ["literal"]

_ITEMS = 200
_DEPTH = 5


def literal(value: object, characters: int) -> str | None:
    """Return an expression of at most `characters` that makes an equal value; None if there is none so short.

    Of None, numbers, strings, lists, tuples, dicts and sets only: not of what is of a subclass, or is more than one
    thing in two places.
    """
    if not _is_plain(value, characters):
        return None
    text = repr(value)
    return text if len(text) <= characters else None


def _is_plain(part: object, characters: int, depth: int = 0) -> bool:
    if part is None or isinstance(part, bool):
        return True
    if isinstance(part, int) and type(part) is int:
        return part.bit_length() <= 3 * characters  # before repr, which raises for one of very many digits
    if isinstance(part, float | complex) and type(part) in (float, complex):
        return isfinite(abs(part))  # nan and inf are names, and not in Python
    if isinstance(part, str | bytes) and type(part) in (str, bytes):
        return len(part) <= characters
    if not isinstance(part, list | tuple | dict | set) or type(part) not in (list, tuple, dict, set):
        return False
    if depth >= _DEPTH or len(part) > _ITEMS:
        return False
    parts: list[Any] = [*part, *part.values()] if isinstance(part, dict) else list(part)
    return all(_is_plain(each, characters, depth + 1) for each in parts)
