"""The memory that a process holds: its messages, variables and state, as far as one can say it in Python.

Python objects belong to nobody: an object that several processes reach is counted for each of them. Modules, classes
and functions are left out, and what only they reach. OTP: process_info(Pid, memory), which is exact.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, MethodDescriptorType, ModuleType
from typing import NamedTuple

from midflight.kernel import Pid, Process, Scheduler, messages_of, server_of
from midflight.observer.looking import look_at

__all__ = ["OBJECTS", "Holdings", "holdings_of"]

OBJECTS = 20_000
"""The most objects that are counted, some milliseconds' worth: the runtime waits meanwhile."""

_IS_OF_A_CLASS_STATEMENT = 1 << 9  # Py_TPFLAGS_HEAPTYPE
_COLLECTORS_HEAD = 16  # bytes
_mro = type.__dict__["__mro__"].__get__  # past what a metaclass puts in its place
_flags = type.__dict__["__flags__"].__get__

_NOT_HELD = (
    type,
    ModuleType,
    FunctionType,
    BuiltinFunctionType,
    MethodDescriptorType,
    CodeType,
    FrameType,
    Pid,
    Process,
    Scheduler,
)


class Holdings(NamedTuple):
    """The bytes of the objects that a process reaches, and how many there are; at least, if `is_cut`."""

    bytes: int
    objects: int
    is_cut: bool


def holdings_of(scheduler: Scheduler, process: Process) -> Holdings:
    """Count what a process holds, between two turns of the runtime. Not to be called on the runtime's thread."""

    def count() -> Holdings:
        roots = [process.coro, process.dictionary, server_of(process), *messages_of(scheduler, process)]
        return _count(each for each in roots if each is not None)

    (found,) = look_at(scheduler, [count])
    return found


def _count(roots: Iterable[object]) -> Holdings:
    """Count the objects that `roots` reach, those near them first."""
    waiting = [each for each in roots if not issubclass(type(each), _NOT_HELD)]
    seen = {id(each) for each in waiting}
    size = 0
    for found in waiting:  # grows as it goes
        size += _size(found)
        for each in gc.get_referents(found) if len(waiting) < OBJECTS else ():
            if len(waiting) < OBJECTS and id(each) not in seen and not issubclass(type(each), _NOT_HELD):
                seen.add(id(each))
                waiting.append(each)
    return Holdings(size, len(waiting), len(waiting) >= OBJECTS)


def _size(found: object) -> int:
    """Return the bytes of one object, as its nearest built-in class tells them: no code of a user's class is run."""
    for base in _mro(type(found)):
        if not _flags(base) & _IS_OF_A_CLASS_STATEMENT:
            return int(base.__sizeof__(found)) + _COLLECTORS_HEAD * gc.is_tracked(found)
    return 0
