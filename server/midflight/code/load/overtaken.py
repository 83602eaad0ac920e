"""Loads side by side: the check whether another load's commit has made the findings of this one's preparation wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from midflight.code.checks.stale_imports import stale_names
from midflight.code.identity.module_reads import read_in_body
from midflight.code.load.draft import Draft
from midflight.code.version.modules import known

__all__ = ["mentions", "overtaken_by"]


def mentions(drafts: Iterable[Draft], name: str) -> bool:
    """Say whether one of the texts has the last word of a module's name in it: else that module is nothing to it."""
    word = re.compile(rf"\b{re.escape(name.rpartition('.')[2])}\b")
    return any(word.search(each.unit.text) for each in drafts)


def overtaken_by(draft: Draft, committed: Collection[str]) -> str | None:
    """Say which object in `draft` is of an older version of these modules, which others have committed; or None.

    A module that it calls through the module's name does not count: such a call finds the current version.
    """
    unit = draft.unit
    for name in committed:
        record = known(name)
        if record is None or record.current is None:
            continue
        new = record.facade.namespace
        if keys := stale_names(name, new, unit.name, draft.namespace, unit.text):
            return f"it has imported {keys[0]} from {name}, which has been loaded meanwhile"
    if (read := read_in_body(draft.namespace, committed)) is not None:
        return f"its body has read {read}, and that module has been loaded meanwhile"
    return None
