"""Refs: values that are unique for the life of the interpreter; some are aliases, which take messages.

The door to the class in Python (`pure_refs`, which says all) or the compiled one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from midflight.kernel.choice import COMPILED
from midflight.kernel.pure_refs import ref_numbers

if TYPE_CHECKING or COMPILED is None:
    from midflight.kernel.pure_refs import Ref, TimerRef
else:
    Ref, TimerRef = COMPILED.Ref, COMPILED.TimerRef

__all__ = ["Ref", "TimerRef", "ref_numbers"]
