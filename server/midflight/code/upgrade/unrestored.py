"""The things that a durable class lacks after a restart, by the text that it has now: for a server that starts.

A load warns of the same; a program that is started anyhow has not been loaded.
"""

from __future__ import annotations

import sys
from typing import Any

from midflight.code.checks.durable_states import Lack, state_faults
from midflight.code.upgrade.accepted import tree_of

__all__ = ["unrestored"]


def unrestored(cls: type[Any]) -> list[str]:
    """Return a sentence for each thing that `init` of a durable class makes and nothing makes again."""
    tree = tree_of(cls)
    module = sys.modules.get(cls.__module__)
    if tree is None or module is None:
        return []
    found = state_faults(tree, vars(module) | {cls.__qualname__: cls})
    return [each.text for each in found if isinstance(each, Lack) and each.cls is cls]
