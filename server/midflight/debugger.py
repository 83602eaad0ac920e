"""pdb for one process: its commands come from the front end, and what it shows is the text of the version that runs.

It stops in the process that it was called in and passes over the frames of Midflight, of the event loop and of other
processes. Ctrl-D, and a front end that goes away, let the process go on; `q` ends it with bdb.BdbQuit as its reason.
"""

from __future__ import annotations

import bdb
import dis
import pdb
import sys
from types import FrameType, TracebackType
from typing import Any

from midflight.asking import Asker, Question, ask, running_process
from midflight.code.lowlevel import real_path
from midflight.kernel import Process, is_own_frame
from midflight.line_breakpoints import has_breakpoints, is_breakpoint, trace_again
from midflight.line_events import TRACERS_COME_FIRST

__all__ = ["let_go", "stop", "stop_at"]

_PROMPT = "(Pdb) "
_LOOP = ("asyncio", "selectors", "concurrent")  # packages of the event loop

_sessions: list[Debugger] = []  # at most one for each thread: the last


def stop(leader: Asker, frame: FrameType) -> None:
    """Begin a session in `frame`, which goes on after it; its commands come from `leader`."""
    let_go(running_process())
    debugger = Debugger(leader)
    _sessions.append(debugger)
    debugger.set_trace(frame)


def stop_at(leader: Asker, frame: FrameType) -> None:
    """Begin a session at the line that `frame` is about to run, unless one in its process traces it already.

    Raises: bdb.BdbQuit if the person ends the process.
    """
    process = running_process()
    own = [each for each in _sessions if each.process is process]
    if any(each.has_just_stopped(frame) or each.is_tracing for each in own):
        return  # it sees breakpoints itself
    let_go(process)
    debugger = Debugger(leader)
    _sessions.append(debugger)
    debugger.begin_at(frame)


def let_go(process: Process | None) -> None:
    """End the sessions in `process`: nothing is traced for them any more."""
    for debugger in [each for each in _sessions if each.process is process or each.has_ended]:
        _sessions.remove(debugger)
        debugger.set_continue()


class Debugger(pdb.Pdb):
    """A session in the process that runs now, or in the thread if none does."""

    def __init__(self, leader: Asker) -> None:
        self.process = running_process()
        self._leader = leader
        self._asked = _PROMPT
        self._stopped_at: tuple[int, int] | None = None
        super().__init__(stdin=self, stdout=sys.stdout, nosigint=True, readrc=False)  # type: ignore[arg-type]  # it has what pdb uses

    # --- Its terminal -----------------------------------------------------------------------------------------------

    @property
    def prompt(self) -> str:
        """Nothing: the prompt goes with the question."""
        return ""

    @prompt.setter
    def prompt(self, text: str) -> None:
        self._asked = text or _PROMPT

    def readline(self) -> str:
        """Return the next command from the front end; "continue" if there is none, or at the end of its input."""
        try:
            return ask(self._leader, Question(self._asked, about=self.place(), skip="continue")) + "\n"
        except EOFError:
            return "continue\n"

    def place(self) -> dict[str, object]:
        """Return the place of the frame that commands act on: the file that people edit, and the version."""
        frame = self.curframe
        if frame is None:
            return {}
        file = frame.f_code.co_filename
        path, version = real_path(file)
        return {
            "debugger": True,
            "file": path,
            "text_file": file,
            "version": version,
            "module": str(frame.f_globals.get("__name__", "?")),
            "function": frame.f_code.co_qualname,
            "line": self.stack[self.curindex][1],
        }

    # --- Where it stops ---------------------------------------------------------------------------------------------

    @property
    def has_ended(self) -> bool:
        """True if its process has."""
        return self.process is not None and self.process.pid.process is None

    @property
    def is_tracing(self) -> bool:
        """True if it sees what this thread runs."""
        return getattr(sys.gettrace(), "__self__", None) is self

    def begin_at(self, frame: FrameType) -> None:
        """Stop at the line that `frame` is about to run. Raises: bdb.BdbQuit if the person ends the process."""
        self.set_trace(frame)
        sys.settrace(None)  # it has stopped here already
        try:
            self.dispatch_line(frame)
        except bdb.BdbQuit:
            raise _ended() from None
        if self.stoplineno != -1 or self.breaks:
            sys.settrace(self.trace_dispatch)

    def has_just_stopped(self, frame: FrameType) -> bool:
        """Say whether it has stopped at this instruction of `frame`, of which a breakpoint is told too; once."""
        stopped_at, self._stopped_at = self._stopped_at, None
        return stopped_at == (id(frame), frame.f_lasti)

    def user_line(self, frame: FrameType) -> None:
        """Stop at the line of `frame`."""
        if TRACERS_COME_FIRST and self.is_tracing and is_breakpoint(frame):
            self._stopped_at = id(frame), frame.f_lasti
        super().user_line(frame)

    def break_here(self, frame: FrameType) -> bool:
        """Say whether a breakpoint is at the line of `frame`: one of pdb's, or one that an editor has set."""
        return super().break_here(frame) or (self._is_own(frame) and is_breakpoint(frame))

    def break_anywhere(self, frame: FrameType) -> bool:
        """Say whether a breakpoint may be in the code of `frame`."""
        return super().break_anywhere(frame) or has_breakpoints(frame)

    def set_continue(self) -> None:
        """Go on, without a look at each step; the breakpoints of editors stay."""
        super().set_continue()
        trace_again()

    def trace_dispatch(self, frame: FrameType, event: str, arg: Any) -> Any:
        """Trace `frame`, unless the process has ended."""
        if self.has_ended:
            let_go(self.process)
            return None
        try:
            tracer = super().trace_dispatch(frame, event, arg)
        except bdb.BdbQuit:
            trace_again()
            raise _ended() from None  # without the frames of pdb
        return tracer if self.is_tracing else frame.f_trace

    def dispatch_return(self, frame: FrameType, arg: Any) -> Any:
        """Step into what the process goes on as, if a step is to end behind the return of its outermost coroutine.

        For pdb a step at the last line of a coroutine ends at the StopIteration of its caller; the kernel may be in C.
        """
        is_last = frame is self.stopframe and self._is_outermost(frame) and _is_at_return(frame)
        tracer = super().dispatch_return(frame, arg)
        if is_last:
            self.set_step()
        return tracer

    def stop_here(self, frame: FrameType) -> bool:
        """Say whether a step ends in `frame`: it is the process's own."""
        return self._is_own(frame) and super().stop_here(frame)

    def _is_own(self, frame: FrameType) -> bool:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        return not is_own_frame(frame) and package not in _LOOP and running_process() is self.process

    def _is_outermost(self, frame: FrameType) -> bool:
        return self.process is not None and getattr(self.process.coro, "cr_frame", None) is frame

    def user_return(self, frame: FrameType, return_value: Any) -> None:
        """Stop where a function returns, if it is the process's own."""
        if self._is_own(frame):
            super().user_return(frame, return_value)

    def user_exception(self, frame: FrameType, exc_info: Any) -> None:
        """Stop at an exception in the process's own code."""
        if self._is_own(frame):
            super().user_exception(frame, exc_info)

    # --- What it shows ----------------------------------------------------------------------------------------------

    def get_stack(self, f: FrameType | None, t: TracebackType | None) -> tuple[list[tuple[FrameType, int]], int]:
        """Return the frames of the process alone, and the number of the current one."""
        stack, _ = super().get_stack(f, t)
        inner: list[tuple[FrameType, int]] = []
        for frame, line in reversed(stack):
            if is_own_frame(frame) and inner and f is not None and frame is not f:
                break
            inner.append((frame, line))
        inner.reverse()
        return inner, len(inner) - 1

    def format_stack_entry(self, frame_lineno: tuple[FrameType, int], lprefix: str = ": ") -> str:
        """Return the entry with the file that people edit, and the version: counter.py@3(12)loop()."""
        text: str = super().format_stack_entry(frame_lineno, lprefix)
        file = frame_lineno[0].f_code.co_filename
        path, version = real_path(file)
        return text if version is None else text.replace(self.canonic(file), f"{path}@{version}", 1)


def _ended() -> bdb.BdbQuit:
    return bdb.BdbQuit("it was ended in the debugger, by q")


def _is_at_return(frame: FrameType) -> bool:
    """Say whether `frame` returns, and does not only wait: both are events of the kind "return"."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in ("RETURN_VALUE", "RETURN_CONST")
