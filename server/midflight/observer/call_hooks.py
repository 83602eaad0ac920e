"""The ways in which Python tells of calls: `sys.monitoring` from 3.12 on, a profile function on 3.11.

A call begins once and ends once: an `async def` that awaits is left and entered again in between, which is neither, and
to make its coroutine is not to call it.
"""

from __future__ import annotations

import dis
import sys
from types import CodeType, FrameType
from typing import Any, Protocol

__all__ = ["Hooks", "Listener", "hooks_of"]

_TOOL = 4  # none of those that have a name: debugger, coverage, profiler, optimizer


class Listener(Protocol):
    """The one who is told."""

    def is_of(self, frame: FrameType) -> bool:
        """Say whether this frame's call is to be told."""

    def called(self, frame: FrameType) -> None:
        """Take note of a call."""

    def returned(self, frame: FrameType, value: object) -> None:
        """Take note of a call's value."""

    def raised(self, frame: FrameType, error: BaseException | None) -> None:
        """Take note of a call that raised."""


class Hooks(Protocol):
    """One way to have Python tell."""

    def enter(self) -> None:
        """Begin. Raises: RuntimeError if another tool has the place."""

    def leave(self) -> None:
        """End; again does nothing."""


def hooks_of(listener: Listener) -> Hooks:
    """Return the way of this Python."""
    return _Monitoring(listener) if sys.version_info >= (3, 12) else _Profile(listener)


class _Profile:
    """A profile function on the thread that enters."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def enter(self) -> None:
        if sys.getprofile() is not None:
            raise RuntimeError("a profiler has this thread")
        sys.setprofile(self._hear)

    def leave(self) -> None:
        if sys.getprofile() == self._hear:
            sys.setprofile(None)

    def _hear(self, frame: FrameType, event: str, value: Any) -> None:
        if event == "call":
            if self._listener.is_of(frame) and _is_start(frame):
                self._listener.called(frame)
        elif event == "return" and self._listener.is_of(frame):
            match _instruction(frame):
                case "RETURN_VALUE":
                    self._listener.returned(frame, value)
                case "YIELD_VALUE" | "RETURN_GENERATOR":
                    pass  # it will go on
                case _:
                    self._listener.raised(frame, None)


def _is_start(frame: FrameType) -> bool:
    """Say whether the body begins, and does not go on: then the instruction RESUME has 0 as its argument."""
    code = frame.f_code.co_code
    return _instruction(frame) == "RESUME" and code[frame.f_lasti + 1] == 0


def _instruction(frame: FrameType) -> str:
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] if frame.f_lasti >= 0 else ""


class _Monitoring:
    """`sys.monitoring`: a place in another function's code is asked of once, and then disabled."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._is_in = False

    def enter(self) -> None:
        monitoring: Any = getattr(sys, "monitoring")  # noqa: B009  # mypy checks for 3.11
        try:
            monitoring.use_tool_id(_TOOL, "midflight trace")
        except ValueError:
            raise RuntimeError("another trace of calls runs") from None
        self._is_in = True
        events = monitoring.events
        monitoring.register_callback(_TOOL, events.PY_START, self._started)
        monitoring.register_callback(_TOOL, events.PY_RETURN, self._returned)
        monitoring.register_callback(_TOOL, events.PY_UNWIND, self._unwound)
        monitoring.set_events(_TOOL, events.PY_START | events.PY_RETURN | events.PY_UNWIND)
        monitoring.restart_events()  # an earlier trace has disabled some

    def leave(self) -> None:
        if not self._is_in:
            return
        self._is_in = False
        monitoring: Any = getattr(sys, "monitoring")  # noqa: B009
        monitoring.set_events(_TOOL, 0)
        for event in (monitoring.events.PY_START, monitoring.events.PY_RETURN, monitoring.events.PY_UNWIND):
            monitoring.register_callback(_TOOL, event, None)
        monitoring.free_tool_id(_TOOL)

    def _started(self, _code: CodeType, _offset: int) -> object:
        frame = sys._getframe(1)
        if not self._listener.is_of(frame):
            return getattr(sys, "monitoring").DISABLE  # noqa: B009
        self._listener.called(frame)
        return None

    def _returned(self, _code: CodeType, _offset: int, value: object) -> object:
        frame = sys._getframe(1)
        if not self._listener.is_of(frame):
            return getattr(sys, "monitoring").DISABLE  # noqa: B009
        self._listener.returned(frame, value)
        return None

    def _unwound(self, _code: CodeType, _offset: int, error: BaseException) -> None:
        frame = sys._getframe(1)
        if self._listener.is_of(frame):
            self._listener.raised(frame, error)
