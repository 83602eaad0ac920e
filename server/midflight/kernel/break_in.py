"""Breaking into a process that never yields: an exception raised amid its Python code.

Only bytecode can be broken into. CPython can raise an exception in another thread, but "wherever that is by then"
would one day be the event loop. So the look and the blow are one: a pending call, which CPython runs on the main
thread between two bytecodes, looks at what the thread is doing and strikes itself there. A runtime on another thread
than the main one gets no pending calls: there the look comes first, and an instant later the blow.

Law: the blow falls only while the process is still in the turn it was seen in, and its innermost code is the user's.
Amid the kernel (`pid << message` in a loop) a half-done step would lose a message; so the caller tries again.
"""

from __future__ import annotations

import ctypes
import os
import sys
import sysconfig
import threading
from collections import deque
from collections.abc import Iterator
from functools import partial
from itertools import starmap
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midflight.kernel.core import Process
    from midflight.kernel.scheduler import Scheduler

__all__ = ["break_into", "is_user_code"]

_STANDARD_LIBRARY = (sysconfig.get_path("stdlib") + os.sep, "<frozen ")
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

_strike: Any = ctypes.pythonapi["PyThreadState_SetAsyncExc"]
_strike.argtypes = (ctypes.c_ulong, ctypes.py_object)
_strike.restype = (0).__mul__  # a pending call that went well returns 0; this one must not run Python to say so
_PENDING_CALL = ctypes.PYFUNCTYPE(ctypes.c_int)
_asked_for: deque[object] = deque(maxlen=1000)  # C functions of pending calls: must outlive the calls, which are few


def break_into(scheduler: Scheduler, process: Process, turn: int, error: type[BaseException]) -> None:
    """Raise `error` in `process` if it still runs in turn number `turn`. To be called from another thread.

    Tries once, soon, and may well miss: see the law above. `error` is raised without arguments. While an earlier
    try has not had its turn yet nothing is done: its exception would be raised in the aiming of the next.
    """
    if scheduler.is_aimed_at:
        return

    def aim() -> Iterator[tuple[int, type[BaseException]]]:
        scheduler.is_aimed_at = False
        if scheduler.turns == turn and scheduler.current() is process:
            frame = sys._current_frames().get(scheduler.thread)
            while frame is not None and frame.f_code.co_filename == __file__:
                frame = frame.f_back  # this one, on top of what it interrupted
            if is_user_code(frame):
                yield scheduler.thread, error

    # From the blow to the end of the pending call no bytecode runs, or the exception would be raised in that.
    blow = partial(next, starmap(_strike, aim()), 0)
    if scheduler.thread != threading.main_thread().ident:
        blow()
        return
    function = _PENDING_CALL(blow)
    _asked_for.append(function)
    scheduler.is_aimed_at = True
    if ctypes.pythonapi.Py_AddPendingCall(function, None) != 0:  # the queue is full: the caller tries again
        scheduler.is_aimed_at = False


def is_user_code(frame: FrameType | None) -> bool:
    """Say whether `frame`, the innermost of a thread, works for the user's code and not for Midflight's.

    What is of the standard library counts as the code that called it.
    """
    while frame is not None:
        filename = frame.f_code.co_filename
        if filename.startswith(_OURS):
            return False
        if not filename.startswith(_STANDARD_LIBRARY):
            return True
        frame = frame.f_back
    return False
