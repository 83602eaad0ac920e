"""The memory that the C library keeps for later use: a server gives it back to the system.

glibc has an arena of memory for each of the first threads, up to eight a processor, and gives back what is free at its
end only. So after a hundred large requests a server kept five times the memory that it used. Where the C library has no
such functions nothing happens.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

__all__ = ["give_back", "use_few_arenas"]

_M_ARENA_MAX = -8  # of malloc.h
_ARENAS = 2


def use_few_arenas() -> None:
    """Have all threads share two arenas; to be called before there are many threads."""
    mallopt = _of_libc("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Give what is free in the arenas back to the system. It takes some milliseconds; other Python threads run on."""
    trim = _of_libc("malloc_trim")
    if trim is not None:
        trim(ctypes.c_size_t(0))


@cache
def _of_libc(name: str) -> Any:
    """Return a function of the C library, None if it has none of that name."""
    try:
        return getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
