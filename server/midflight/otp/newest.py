"""The newest version of a class or function that a behaviour holds. All of otp's questions to the code server."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from midflight.code import current

__all__ = ["home_of", "newest"]

NOWHERE = ModuleType("nowhere")


def newest(value: Any) -> Any:
    """Return the object that the name of `value`, a class or a function, means now; `value` itself if there is none."""
    try:
        return current(value)
    except LookupError:
        return value


def home_of(value: Any) -> ModuleType:
    """Return the module of the class of `value`. Its `__dict__` is another object after each load, and only then."""
    return sys.modules.get(type(value).__module__, NOWHERE)
