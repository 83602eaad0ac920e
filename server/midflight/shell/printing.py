"""Values as people read them in views: whole where that is short, bounded always, and never raising."""

from __future__ import annotations

from reprlib import Repr
from typing import Any

__all__ = ["ITEMS", "Printed", "printed", "printed_items"]

CHARACTERS = 4000
ITEMS = 100

Printed = str
"""What a value is shown as, at most CHARACTERS long."""

_whole = Repr()
_whole.maxlevel = 8
_whole.maxstring = _whole.maxother = _whole.maxlong = CHARACTERS
_whole.maxlist = _whole.maxtuple = _whole.maxdict = _whole.maxset = _whole.maxdeque = _whole.maxfrozenset = 200


def printed(value: object, characters: int = CHARACTERS) -> Printed:
    """Return `value` as printed; what is over `characters` is cut, and the text says how much that was."""
    try:
        text = _whole.repr(value)
    except Exception as error:  # of somebody's __repr__: to look at a process must not fail for that
        return f"<{type(value).__name__}, not shown: {type(error).__name__} in its __repr__>"
    return text if len(text) <= characters else f"{text[:characters]}... ({len(text) - characters} characters more)"


def printed_items(items: dict[Any, Any]) -> list[tuple[str, Printed]]:
    """Return the first items of a dict, each a name or a printed key with its printed value."""
    return [
        (key if isinstance(key, str) and key.isidentifier() else printed(key, 200), printed(value))
        for key, value in list(items.items())[:ITEMS]
    ]
