"""Values as Python text that makes them again: for a value made of plain ones; None for all others."""

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
    if part is None or type(part) is bool:
        return True
    if type(part) is int:
        return part.bit_length() <= 3 * characters  # before repr, which raises for one of very many digits
    if type(part) is float or type(part) is complex:
        return isfinite(abs(part))  # nan and inf are names, and not in Python
    if type(part) is str or type(part) is bytes:
        return len(part) <= characters
    if not (type(part) is list or type(part) is tuple or type(part) is dict or type(part) is set):
        return False
    if depth >= _DEPTH or len(part) > _ITEMS:
        return False
    parts: list[Any] = [*part, *part.values()] if type(part) is dict else list(part)
    return all(_is_plain(each, characters, depth + 1) for each in parts)
