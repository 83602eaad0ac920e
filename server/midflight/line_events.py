"""Calls when a line of interest is about to run, in whatever version of a module, also in coroutines that wait now.

From Python 3.12 on by `sys.monitoring`: each function is looked at once, when it next starts or goes on, and after that
only the lines of interest cost anything, in all threads. In 3.11 by `sys.settrace`, in the threads that ask for it:
while any line is of interest, each call there costs a look at its file name. Without any, nothing is installed.
"""

from __future__ import annotations

import contextlib
import sys
import weakref
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, Protocol

from midflight.collection import callers_of, stacks_of_threads

__all__ = ["TRACERS_COME_FIRST", "LineEvents", "line_events"]

TRACERS_COME_FIRST = sys.version_info >= (3, 12)
"""True if a line is told to the tracer of `sys.settrace` and then here; False if only one of them hears of it."""

_NAME = "midflight breakpoints"

LinesOf = Callable[[str], frozenset[int]]
"""The lines of interest in a file, by the file name that is in code objects; asked often, so it must be fast."""

Hit = Callable[[FrameType, int], object]
"""Called in the thread and before the line runs; what it raises is raised there."""


class LineEvents(Protocol):
    """The events of lines."""

    def look_again(self) -> None:
        """Take in that the lines of interest have changed."""

    def trace_this_thread(self) -> None:
        """See to the calling thread, if threads have to be seen to one by one."""

    def stop(self) -> None:
        """Call nobody any more, and leave nothing behind that costs."""


def line_events(lines_of: LinesOf, hit: Hit) -> LineEvents:
    """Return the events of this Python, which begin at once. Raises: RuntimeError if others hold what they need."""
    if sys.version_info >= (3, 12):
        return _monitored(lines_of, hit)
    return _Traced(lines_of, hit)


if sys.version_info >= (3, 12):
    _monitoring = sys.monitoring

    class _Monitored:
        """Events by `sys.monitoring`."""

        def __init__(self, tool: int, lines_of: LinesOf, hit: Hit) -> None:
            self._tool = tool
            self._lines_of = lines_of
            self._hit = hit
            self._codes: weakref.WeakSet[CodeType] = weakref.WeakSet()
            events = _monitoring.events
            self._begins = events.PY_START | events.PY_RESUME
            for event in (events.PY_START, events.PY_RESUME):
                _monitoring.register_callback(tool, event, self._begun)
            _monitoring.register_callback(tool, events.LINE, self._at_line)
            self.look_again()

        def look_again(self) -> None:
            self._forget()
            _monitoring.set_events(self._tool, self._begins)
            _monitoring.restart_events()
            for frame in _running_frames():
                self._begun(frame.f_code, 0)

        def trace_this_thread(self) -> None:
            pass

        def stop(self) -> None:
            events = _monitoring.events
            _monitoring.set_events(self._tool, events.NO_EVENTS)
            self._forget()
            for event in (events.PY_START, events.PY_RESUME, events.LINE):
                _monitoring.register_callback(self._tool, event, None)
            _monitoring.free_tool_id(self._tool)

        def _forget(self) -> None:
            for code in list(self._codes):
                _monitoring.set_local_events(self._tool, code, _monitoring.events.NO_EVENTS)
            self._codes.clear()

        def _begun(self, code: CodeType, _offset: int) -> object:
            lines = self._lines_of(code.co_filename)
            if lines and any(line in lines for _, _, line in code.co_lines()):
                self._codes.add(code)
                _monitoring.set_local_events(self._tool, code, _monitoring.events.LINE)
            return _monitoring.DISABLE

        def _at_line(self, code: CodeType, line: int) -> object:
            if line not in self._lines_of(code.co_filename):
                return _monitoring.DISABLE
            self._hit(sys._getframe(1), line)
            return None

    def _monitored(lines_of: LinesOf, hit: Hit) -> LineEvents:
        for tool in (_monitoring.DEBUGGER_ID, 3, 4):
            with contextlib.suppress(ValueError):  # another tool has it
                _monitoring.use_tool_id(tool, _NAME)
                return _Monitored(tool, lines_of, hit)
        raise RuntimeError(
            "Other tools have taken all places of sys.monitoring that a debugger may use; no breakpoint was set. "
            "End one of them."
        )


def _running_frames() -> Iterator[FrameType]:
    for stack in stacks_of_threads().values():
        yield from stack


class _Traced:
    """Events by `sys.settrace`."""

    def __init__(self, lines_of: LinesOf, hit: Hit) -> None:
        self._lines_of = lines_of
        self._hit = hit
        self._is_on = True

    def look_again(self) -> None:
        pass

    def trace_this_thread(self) -> None:
        if not self._is_on or sys.gettrace() is not None:  # a debugger steps, or a tool of the program's traces
            return
        for frame in callers_of(sys._getframe(1)):
            if self._lines_of(frame.f_code.co_filename):
                frame.f_trace = self._at_line
        sys.settrace(self._called)

    def stop(self) -> None:
        self._is_on = False  # each thread notices at its next call

    def _called(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        if not self._is_on:
            sys.settrace(None)
            return None
        return self._at_line if self._lines_of(frame.f_code.co_filename) else None

    def _at_line(self, frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "line" and frame.f_lineno in self._lines_of(frame.f_code.co_filename):
            self._hit(frame, frame.f_lineno)
            return frame.f_trace  # a debugger's, if one steps on
        return self._at_line
