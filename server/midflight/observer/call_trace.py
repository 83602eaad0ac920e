"""Calls of one function in the running system: with which arguments, from which process, and what came of them.

The life of a trace: `begin` has Python tell of calls -> those of the function are kept until somebody takes them -> the
count or the rate is reached, or somebody ends it -> Python tells of nothing any more.

Laws:
1. A trace ends by itself, after `most` calls, or when more than `rate` come in a second: a busy function must not
   drown the system that somebody looks at. The last event says why. This is recon_trace's manner.
2. Nothing here raises into the code that is traced, and no lock of that code is waited for.
3. From Python 3.12 on `sys.monitoring` tells, of all threads; other functions cost nothing after their first call. On
   3.11 it is a profile function on the thread of the processes: every call there pays for it while the trace lasts.
"""

from __future__ import annotations

import inspect
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from midflight.kernel import Pid, Process, Scheduler, matches, version_of
from midflight.observer.call_hooks import Hooks, hooks_of
from midflight.text import exception_line, medium

__all__ = ["CallEvent", "CallTrace"]


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One event: `kind` is "called", "returned", "raised" or "ended", and `at` is in seconds since the epoch.

    `pid` and `name` are those of the process that called, None outside any. `text` is the function with its arguments,
    the value, the exception, or why the trace has ended, as printed.
    """

    at: float
    kind: str
    text: str
    pid: Pid | None = None
    name: str | None = None
    module: str | None = None
    version: int | None = None


class CallTrace:
    """The calls of `function` of `module`, and those events that nobody has taken.

    `function` is the qualified name: "price", "Till.handle_call". `arguments` is a pattern, as `receive` takes it, for
    the tuple of the parameters' values; None takes all. With `returns` the ends of calls are told, too. `most` is the
    number of calls after which it ends, `rate` that of a second. `on_event` is called when the first event after a
    taking comes, on any thread, so it must not wait.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        module: str,
        function: str,
        *,
        arguments: object = None,
        returns: bool = False,
        most: int = 100,
        rate: int = 100,
        on_event: Callable[[], object] = lambda: None,
    ) -> None:
        self.dropped = 0
        self._scheduler = scheduler
        self._module, self._function = module, function
        self._arguments, self._returns = arguments, returns
        self._left, self._rate = most, rate
        self._on_event = on_event
        self._events: deque[CallEvent] = deque()
        self._window, self._in_window = 0.0, 0
        self._told: set[int] = set()  # the frames whose call was told and that have not ended
        self._is_over = False
        self._hooks: Hooks = hooks_of(self)

    def begin(self) -> None:
        """Have Python tell of calls. To be called on the thread of the processes.

        Raises: RuntimeError if another tool, a profiler or a trace like this one, has the place.
        """
        self._hooks.enter()

    def end(self) -> None:
        """Let Python tell of nothing any more. Again does nothing. To be called on the thread of the processes."""
        self._is_over = True
        self._hooks.leave()

    def __len__(self) -> int:
        return len(self._events)

    def take(self, most: int) -> tuple[list[CallEvent], int]:
        """Return the oldest events, at most so many, and 0: none is dropped. Any thread may."""
        return [self._events.popleft() for _ in range(min(most, len(self._events)))], 0

    # --- What the hooks tell ------------------------------------------------------------------------------------

    def is_of(self, frame: FrameType) -> bool:
        """Say whether `frame` runs the function, in whichever version."""
        return frame.f_code.co_qualname == self._function and frame.f_globals.get("__name__") == self._module

    def called(self, frame: FrameType) -> None:
        """Take note of a call, if it is wanted still."""
        if self._is_over:
            return
        code = frame.f_code
        count = code.co_argcount + code.co_kwonlyargcount
        count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
        known = frame.f_locals
        values = {name: known[name] for name in code.co_varnames[:count] if name in known}
        if self._arguments is not None and not matches(self._arguments, tuple(values.values())):
            return
        now = time.monotonic()
        if now - self._window >= 1.0:
            self._window, self._in_window = now, 0
        self._in_window += 1
        if self._in_window > self._rate:
            self._finish(f"more than {self._rate} calls in a second")
            return
        said = ", ".join(f"{name}={medium(value)}" for name, value in values.items())
        self._add("called", f"{code.co_qualname}({said})", frame)
        self._left -= 1
        if self._returns:
            self._told.add(id(frame))
        elif self._left <= 0:
            self._finish("that many calls were asked for")

    def returned(self, frame: FrameType, value: object) -> None:
        """Take note of the value of a call that was told."""
        self._closed(frame, "returned", lambda: f"{frame.f_code.co_qualname} -> {medium(value)}")

    def raised(self, frame: FrameType, error: BaseException | None) -> None:
        """Take note that a call that was told has raised; `error` is None where Python does not say what."""

        def text() -> str:
            return f"{frame.f_code.co_qualname} raised" + (f" {exception_line(error)}" if error is not None else "")

        self._closed(frame, "raised", text)

    def _closed(self, frame: FrameType, kind: str, text: Callable[[], str]) -> None:
        if id(frame) not in self._told:
            return
        self._told.discard(id(frame))
        if self._is_over:
            return
        self._add(kind, text(), frame)
        if self._left <= 0 and not self._told:
            self._finish("that many calls were asked for")

    def _finish(self, why: str) -> None:
        self.end()
        self._events.append(CallEvent(time.time(), "ended", why))
        self._on_event()

    def _add(self, kind: str, text: str, frame: FrameType) -> None:
        task = self._scheduler.tasks.get(self._scheduler.loop)
        process = task if type(task) is Process else None
        version = version_of(frame.f_globals)
        pid, name = (process.pid, process.name) if process is not None else (None, None)
        self._events.append(CallEvent(time.time(), kind, text, pid, name, self._module, version))
        if len(self._events) == 1:
            self._on_event()
