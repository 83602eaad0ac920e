"""Contents that a change puts into a container or puts back, in classes of their own: nobody takes them for others."""

from __future__ import annotations

from typing import Any

__all__ = ["SAVED", "SavedList", "SavedMapping", "SavedSet"]


class SavedList(list[Any]):
    """Elements, or the items of a mapping."""


class SavedMapping(dict[Any, Any]):
    """Items by key."""


class SavedSet(set[Any]):
    """Elements of a set."""


SAVED = frozenset({SavedList, SavedMapping, SavedSet})
