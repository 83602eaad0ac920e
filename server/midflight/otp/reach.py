"""`Reach`: the bytes of all objects that can be reached from some, counted in slices of time."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterable
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from midflight.kernel import Client, Pid, Process, Ref, Scheduler

__all__ = ["Reach"]


class Reach:
    """A count of the bytes that can be reached from some objects. It ends when there are more than `most`."""

    # What is not a process's own: code, and the handles that lead to other processes.
    NOT_OWN = (type, ModuleType, FunctionType, BuiltinFunctionType, CodeType, Pid, Process, Ref, Client, Scheduler)

    def __init__(self, roots: Iterable[Any], most: int, skipped: Iterable[Any]) -> None:
        self.bytes = 0
        self._most = most
        self._waiting = list(roots)
        self._seen = {id(each) for each in skipped}

    def go_on(self, until: float) -> bool:
        """Count until it is done, which it returns, or it is later than `until`, of time.perf_counter."""
        waiting, seen = self._waiting, self._seen
        steps = 0
        while waiting:
            steps += 1
            if steps % 100 == 0 and time.perf_counter() >= until:
                return False
            value = waiting.pop()
            if id(value) in seen or isinstance(value, self.NOT_OWN):
                continue
            seen.add(id(value))
            self.bytes += _size_of(value)
            if self.bytes > self._most:
                return True
            waiting += gc.get_referents(value)
        return True


def _size_of(value: Any) -> int:
    try:
        return sys.getsizeof(value)
    except Exception:  # a __sizeof__ of the program's own
        return object.__sizeof__(value)
