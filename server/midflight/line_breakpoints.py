"""Breakpoints that an editor sets at lines: where each is in every version, and the stop of what comes there.

A breakpoint is at a line of a text, that of the editor. In each version that runs it is at the line that is the same by
what surrounds it; so it holds in old versions, and in those that are loaded later. Where nothing is set, nothing is
traced. A stop asks the front end that started the process, or else the one that set the breakpoint.
"""

from __future__ import annotations

import linecache
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import CO_OPTIMIZED
from itertools import count
from types import CodeType, FrameType

from midflight.asking import Asker, asker, running_process
from midflight.breakpoints import stop_in
from midflight.code.lowlevel import line_map, real_path
from midflight.errors import RequestError
from midflight.kernel import Scheduler
from midflight.line_events import LineEvents, line_events
from midflight.parsing import UNPARSABLE

__all__ = ["LineBreakpoint", "LineBreakpoints", "has_breakpoints", "is_breakpoint", "trace_again"]

_NONE: frozenset[int] = frozenset()
_log = logging.getLogger("midflight")
_tables: list[LineBreakpoints] = []  # those with breakpoints


@dataclass(eq=False, slots=True)
class LineBreakpoint:
    """A breakpoint at `line` of `source`, from 1, an edited text of the file `path`.

    `function` is the qualified name of the function there, "<module>" outside of all. `condition` is an expression for
    the frame, None to stop always. `asks` gives who is asked if nobody has started the process. `hits` counts the
    stops.
    """

    path: str
    source: str
    line: int
    function: str
    condition: str | None
    owner: object
    asks: Callable[[], Asker | None]
    number: int = field(default_factory=count(1).__next__)
    hits: int = 0

    @property
    def text(self) -> str:
        """The text of the line."""
        return self.source.split("\n")[self.line - 1].strip()


class LineBreakpoints:
    """The breakpoints of one runtime, from all front ends. Callable from any thread."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._lock = threading.Lock()
        self._points: list[LineBreakpoint] = []
        self._at: dict[str, dict[int, LineBreakpoint]] = {}  # by the file name in code objects: what has been asked
        self._lines: dict[str, frozenset[int]] = {}
        self._events: LineEvents | None = None

    def all(self) -> list[LineBreakpoint]:
        """Return all breakpoints, by file and line."""
        return sorted(self._points, key=lambda each: (each.path, each.line, each.number))

    def place(
        self,
        path: str,
        source: str,
        wanted: Sequence[tuple[int, str | None]],
        owner: object,
        asks: Callable[[], Asker | None],
    ) -> list[LineBreakpoint | None]:
        """Make `wanted`, lines of `source` with conditions, all the breakpoints of `owner` in the file `path`.

        A line without code means the next one that has some; the line of a `def` the first of its body. Returns: a
        breakpoint for each of them, None where no code follows.
        Raises: RequestError if `source` or a condition is not Python, or others trace the program; nothing has changed.
        """
        source = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        try:
            lines = _lines_with_code(source)
        except UNPARSABLE as error:
            raise RequestError(f"The text of {path} is not Python ({error}); no breakpoint was changed.") from None
        hits = {(each.line, each.condition): each.hits for each in self._points if self._is_of(each, path, owner)}
        placed: list[LineBreakpoint | None] = []
        for line, condition in wanted:
            _check(condition)
            found = lines.place(line)
            if found is None:
                placed.append(None)
                continue
            point = LineBreakpoint(path, source, *found, condition, owner, asks)
            point.hits = hits.get((point.line, condition), 0)
            placed.append(point)
        with self._lock:
            others = [each for each in self._points if not self._is_of(each, path, owner)]
            self._change([*others, *(each for each in placed if each is not None)])
        return placed

    def clear(self, owner: object) -> int:
        """Remove the breakpoints of `owner`; return how many there were."""
        with self._lock:
            left = [each for each in self._points if each.owner is not owner]
            cleared = len(self._points) - len(left)
            if cleared:
                self._change(left)
        return cleared

    @staticmethod
    def _is_of(point: LineBreakpoint, path: str, owner: object) -> bool:
        return point.owner is owner and point.path == path

    def _change(self, points: list[LineBreakpoint]) -> None:
        """Have `points` instead of those there are. Called with the lock held."""
        if points and self._events is None:
            try:
                self._events = line_events(self._lines_of, self._hit)
            except RuntimeError as error:
                raise RequestError(str(error)) from None
            _tables.append(self)
        self._points, self._at, self._lines = points, {}, {}
        if self._events is None:
            return
        if points:
            self._events.look_again()
            self._trace_runtime()
        else:
            _tables.remove(self)
            self._events.stop()
            self._events = None

    def trace_again(self) -> None:
        """See to it that this thread and the runtime's are traced, if there is a breakpoint, after a debugger."""
        events = self._events
        if events is not None:
            events.trace_this_thread()
            self._trace_runtime()  # again, for an exception out of a tracer ends it

    def _trace_runtime(self) -> None:
        events = self._events
        if events is not None:
            with suppress(RuntimeError):  # the runtime has ended
                self._scheduler.call_threadsafe(events.trace_this_thread)

    # --- Where they are ---------------------------------------------------------------------------------------------

    def _lines_of(self, filename: str) -> frozenset[int]:
        lines = self._lines.get(filename)
        if lines is None:
            points = self._points
            at = _in_version(filename, points)
            lines = frozenset(at) if at else _NONE
            if points is self._points:  # else they were changed meanwhile
                self._at[filename], self._lines[filename] = at, lines
        return lines

    def is_in(self, frame: FrameType) -> bool:
        """Say whether a breakpoint is in the file of `frame`."""
        return bool(self._lines_of(frame.f_code.co_filename))

    def find(self, frame: FrameType, line: int) -> LineBreakpoint | None:
        """Return the breakpoint at `line` of the code of `frame`, None without one."""
        filename = frame.f_code.co_filename
        return self._at.get(filename, {}).get(line) if line in self._lines_of(filename) else None

    # --- The stop ---------------------------------------------------------------------------------------------------

    def _hit(self, frame: FrameType, line: int) -> None:
        point = self.find(frame, line)
        if point is None or not _is_wanted(point, frame) or not self._may_stop():
            return
        leader = asker() or point.asks()
        if leader is None:
            _log.warning("The breakpoint at %s line %d was passed: nobody can be asked.", point.path, point.line)
            return
        point.hits += 1
        try:
            stop_in(leader, frame)
        finally:
            self.trace_again()

    def _may_stop(self) -> bool:
        """Say whether a stop holds up nobody who serves front ends: it is in the runtime's thread, or the program's."""
        return self._scheduler.is_own_thread() or running_process() is not None or asker() is not None


def has_breakpoints(frame: FrameType) -> bool:
    """Say whether a breakpoint is in the file of `frame`."""
    return any(table.is_in(frame) for table in list(_tables))


def is_breakpoint(frame: FrameType) -> bool:
    """Say whether the line where `frame` is has a breakpoint whose condition holds."""
    return any(
        point is not None and _is_wanted(point, frame)
        for point in (table.find(frame, frame.f_lineno) for table in list(_tables))
    )


def trace_again() -> None:
    """See to it that breakpoints are noticed again: a debugger in this thread has ended."""
    for table in list(_tables):
        table.trace_again()


def _check(condition: str | None) -> None:
    if condition is None:
        return
    try:
        compile(condition.strip(), "<condition>", "eval", dont_inherit=True)
    except UNPARSABLE as error:
        raise RequestError(
            f"The condition {condition!r} is not one Python expression ({error}); no breakpoint was changed."
        ) from None


def _is_wanted(point: LineBreakpoint, frame: FrameType) -> bool:
    """Say whether `frame` is of its function, and the condition holds; one that raises does: the person sees why."""
    if frame.f_code.co_qualname != point.function:  # a comprehension in the line
        return False
    if point.condition is None:
        return True
    try:
        return bool(eval(point.condition.strip(), frame.f_globals, frame.f_locals))
    except Exception:
        return True


def _in_version(filename: str, points: Sequence[LineBreakpoint]) -> dict[int, LineBreakpoint]:
    """Return which of `points` are at which line of the text that code objects with that file name were made from."""
    if filename.startswith("<"):
        return {}
    path = real_path(filename)[0]
    here = [each for each in points if each.path == path or os.path.realpath(each.path) == os.path.realpath(path)]
    if not here:
        return {}
    text = "".join(linecache.getlines(filename)).removeprefix("\ufeff")
    found: dict[int, LineBreakpoint] = {}
    try:
        lines = _lines_with_code(text)
    except UNPARSABLE:
        return {}
    for point in here:
        place = lines.place(line_map(point.source, text)(point.line))
        if place is not None and place[1] == point.function:
            found[place[0]] = point
    return found


# --- Lines with code ------------------------------------------------------------------------------------------------


class _LinesWithCode:
    """The lines of a text that run, and the function of each."""

    def __init__(self, module: CodeType) -> None:
        self._functions: dict[int, str] = {}  # by line
        self._heads: dict[int, int] = {}  # from a line of the head of a function to the first of its body
        for code in _codes(module):
            lines = {line for _, _, line in code.co_lines() if line}
            if code.co_name.startswith("<") and code is not module:  # a comprehension or lambda: part of its statement
                lines -= self._functions.keys()
            elif code.co_flags & CO_OPTIMIZED:
                first = code.co_firstlineno
                body = lines - {first}
                if body:
                    self._heads.update(dict.fromkeys(range(first, min(body)), min(body)))
                    lines = body
            self._functions.update(dict.fromkeys(lines, code.co_qualname))
        self._sorted = sorted(self._functions)

    def place(self, line: int) -> tuple[int, str] | None:
        """Return the line with code at or after `line`, and its function; None without one."""
        wanted = self._heads.get(line, line)
        found = next((each for each in self._sorted if each >= wanted), None)
        if found is None:
            return None
        found = self._heads.get(found, found)
        return found, self._functions[found]


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield `code` and all that is defined in it, outermost first."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _lines_with_code(source: str) -> _LinesWithCode:
    return _LinesWithCode(compile(source, "<text>", "exec", dont_inherit=True))
