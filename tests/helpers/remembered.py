"""`forget_remembered`: empty what the code server remembers, before a test counts what is in memory."""

from __future__ import annotations

import functools
import gc

from midflight.code.source import bindings, trees
from midflight.code.source.parts import Memory
from midflight.code.state import module_text

__all__ = ["forget_remembered"]


def forget_remembered() -> None:
    """Empty Midflight's memories of what was read in texts and code: bounded, but it takes them hours to be full."""
    for memory in (trees._trees, bindings._bindings, module_text._texts):
        memory.clear()
    for each in gc.get_objects():
        if type(each) is functools._lru_cache_wrapper and str(each.__module__).startswith("midflight."):
            each.cache_clear()
        elif type(each) is Memory:
            each._found.clear()
