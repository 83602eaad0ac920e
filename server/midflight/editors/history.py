"""The history of a module's versions, as the server answers it, cut to the running ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["versions_in_memory"]


def versions_in_memory(history: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the versions that are current or that some process runs; `history` answers code/history."""
    return [row for row in history["versions"] or () if row["current"] or row["processes"]]
