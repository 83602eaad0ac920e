"""Values as people read them in views: whole where that is short, bounded always, and never raising."""

from __future__ import annotations

from typing import Any

from midflight.text import long

__all__ = ["ITEMS", "Printed", "printed", "printed_items"]

CHARACTERS = 4000
ITEMS = 100

Printed = str
"""What a value is shown as, at most CHARACTERS long."""


def printed(value: object, characters: int = CHARACTERS) -> Printed:
    """Return `value` as printed, cut after `characters`; the text says how much was cut."""
    text = long(value)
    return text if len(text) <= characters else f"{text[:characters]}... ({len(text) - characters} characters more)"


def printed_items(items: dict[Any, Any]) -> list[tuple[str, Printed]]:
    """Return the first items of a dict, each a name or a printed key with its printed value."""
    return [
        (key if type(key) is str and key.isidentifier() else printed(key, 200), printed(value))
        for key, value in list(items.items())[:ITEMS]
    ]
