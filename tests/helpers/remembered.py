"""`forget_remembered`: empty what the code server remembers, before a test counts what is in memory."""

from __future__ import annotations

import functools
import gc

from midflight.code.source.parts import Memory
from midflight.code.source.text_memory import TextMemory

__all__ = ["forget_remembered"]


def forget_remembered() -> None:
    """Empty Midflight's memories of what was read in texts and code: bounded, but it takes them hours to be full."""
    gc.unfreeze()  # of what tests/conftest.py has put aside `get_objects` shows nothing
    for each in gc.get_objects():
        if type(each) is functools._lru_cache_wrapper and str(each.__module__).startswith("midflight."):
            each.cache_clear()
        elif type(each) is Memory:
            each._found.clear()
        elif type(each) is TextMemory:
            each.clear()
