"""`watch`: old code that runs after a load is told, once for each function, with the place that called it.

From Python 3.12 on the interpreter calls back when a code object is begun or resumed for which that was asked. The
callback asks no more for that code, so a function costs one call of it; code that nobody runs costs nothing.

Law: nothing that is raised here reaches the code that is watched.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable
from types import CodeType, FrameType
from typing import Any

from midflight.code.report.held import StaleCall
from midflight.code.version.snapshots import real_path
from midflight.code.version.version import version_of
from midflight.collection import callers_of
from midflight.kernel import is_kernel_frame, trouble

__all__ = ["on_stale_call", "watch"]

IDS = (3, 4)  # of tools of sys.monitoring that no kind of tool has by convention

_log = logging.getLogger("midflight.code")

_listeners: list[Callable[[StaleCall], object]] = []


def on_stale_call(listener: Callable[[StaleCall], object]) -> Callable[[], None]:
    """Have `listener` called with each StaleCall, in the thread that runs the old code; return what ends that."""
    _listeners.append(listener)

    def end() -> None:
        if listener in _listeners:
            _listeners.remove(listener)

    return end


if sys.version_info >= (3, 12):
    _monitoring = sys.monitoring
    _EVENTS = _monitoring.events.PY_START | _monitoring.events.PY_RESUME
    _ours: list[int] = []  # the id, when there is one

    def watch(codes: Iterable[CodeType]) -> bool:
        """Tell of the next call of each code, or of its next step if it is suspended. Say whether that is possible."""
        tool = _tool()
        if tool is None:
            return False
        for code in codes:
            _monitoring.set_local_events(tool, code, _EVENTS)
        return True

    def _tool() -> int | None:
        if not _ours:
            free = next((each for each in IDS if _monitoring.get_tool(each) is None), None)
            if free is None:
                return None
            _monitoring.use_tool_id(free, "midflight")
            for event in (_monitoring.events.PY_START, _monitoring.events.PY_RESUME):
                _monitoring.register_callback(free, event, _ran)
            _ours.append(free)
        return _ours[0]

    def _ran(code: CodeType, _offset: int) -> Any:
        try:
            if _monitoring.get_local_events(_ours[0], code):
                _monitoring.set_local_events(_ours[0], code, 0)
                _tell(sys._getframe(1))
        except BaseException as error:
            trouble.log_raised(_log, "old code ran, and could not be told of", error)
        return _monitoring.DISABLE
else:

    def watch(codes: Iterable[CodeType]) -> bool:  # noqa: ARG001  # as from 3.12 on
        """Say that this Python cannot tell."""
        return False


def _tell(frame: FrameType) -> None:
    version = version_of(frame.f_globals)
    if version is None:
        return
    code = frame.f_code
    call = StaleCall(version.name, version.number, code.co_qualname, code.co_firstlineno, _caller(frame))
    trouble.log(_log, logging.WARNING, call.text)
    for listener in list(_listeners):
        listener(call)


def _caller(called: FrameType) -> str:
    frame = next((each for each in callers_of(called)[1:] if not is_kernel_frame(each)), None)
    if frame is None:
        return ""
    path, _ = real_path(frame.f_code.co_filename)
    return f"{os.path.basename(path)}:{frame.f_lineno} in {frame.f_code.co_qualname}"
