"""A profile of the live program: where its threads are, looked at a hundred times a second, by process and function.

The life of one: `take_profile` -> `Sampler.look` looks at the frames of all threads -> `Tally.note` counts each stack
-> `Tally.profile` makes the rows and the stacks. Time is counted, not work: a thread counts where it waits in code of
its own too, in `time.sleep` say, for it holds its event loop there. A thread that waits in the standard library, for a
socket or a lock, does not count.

Laws:
1. The looks take a tenth of the time at most; where threads are many or stacks deep, they are fewer.
2. Meanwhile the thread that looks gets the interpreter within 50 microseconds. Else it would get it where others let go
   of it: a loop whose steps are short would always be seen in its selector. One profile at a time is taken.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from itertools import dropwhile, takewhile
from types import CodeType, FrameType
from typing import Any, NamedTuple

from midflight.all_tasks import event_loops
from midflight.code.lowlevel import real_path
from midflight.collection import stacks_of_threads
from midflight.errors import RequestError
from midflight.kernel import Process, is_own_frame, version_of
from midflight.pauses import quick_handovers
from midflight.text import encodable

__all__ = ["Function", "Profile", "ProfileRow", "Sampler", "Tally", "take_profile"]

INTERVAL_SECONDS = 0.01
HANDOVER_SECONDS = 0.00005
LOOKS_A_SEARCH = 50  # between two searches for event loops
FRAMES = 200  # of a stack, the innermost

_WAITING = frozenset(
    "selectors threading queue socket ssl subprocess signal concurrent.futures.thread multiprocessing.connection "
    "multiprocessing.popen_fork asyncio.runners uvloop".split()
)
_WAITS = frozenset(
    "wait _wait _try_wait _wait_for_tstate_lock join acquire __enter__ select poll _poll accept read readinto write "
    "recv recv_into _recv send sendall _send get put run sigwait _worker".split()
)
"""The modules and the names of the functions that wait in C: a thread whose innermost frame is one does nothing."""

_STEPS = ("turn", "step", "step_now", "_turn")
_OUR_THREADS = "thread midflight-"
_BELOW = frozenset("threading runpy contextvars concurrent.futures.thread concurrent.futures._base".split())

_taking = threading.Lock()


class Function(NamedTuple):
    """A function of a profile: the module, its version, the name, and where the definition begins."""

    module: str
    version: int | None
    name: str
    path: str
    line: int


class ProfileRow(NamedTuple):
    """A function in a process, a task or a thread. `own`: the looks that saw it innermost; `total`: at all."""

    who: str
    function: Function
    own: int
    total: int


class Profile(NamedTuple):
    """The stacks seen in `seconds`, in so many looks; `busy` is the number of stacks that were counted.

    `rows` are those with the most `own` first. `stacks` has how often each was seen: who, and functions from the
    outermost on.
    """

    seconds: float
    looks: int
    busy: int
    rows: tuple[ProfileRow, ...]
    stacks: dict[tuple[str, tuple[Function, ...]], int]


class _Place(NamedTuple):
    """A function as a frame has it; no text is made of it while one looks."""

    code: CodeType
    module: str
    version: int | None


class Tally:
    """Counts stacks, as they are seen."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, tuple[_Place, ...]]] = Counter()
        self.looks = 0

    def note(self, who: str, frames: list[FrameType]) -> None:
        """Count one stack, innermost frame first, unless its thread waits or does nothing but Midflight's own work.

        The outermost frames are left out, those up to the step of a process or the callback of an event loop, and then
        those of threads, of event loops and of Midflight.
        """
        if not frames or _is_wait(frames[0]):
            return
        of_step = list(takewhile(lambda frame: not _is_step(frame), frames))[:FRAMES]
        shown = list(dropwhile(_is_below, reversed(of_step)))
        if not shown and who.startswith(_OUR_THREADS):
            return
        shown = shown or frames[:1]
        self._counts[who, tuple(map(_place, shown))] += 1

    def profile(self, seconds: float) -> Profile:
        """Return what was counted, as seen in so many seconds."""
        own: Counter[tuple[str, Function]] = Counter()
        total: Counter[tuple[str, Function]] = Counter()
        stacks: Counter[tuple[str, tuple[Function, ...]]] = Counter()
        for (who, places), count in self._counts.items():
            functions = tuple(map(_function, places))
            stacks[who, functions] += count
            own[who, functions[-1]] += count
            for each in set(functions):
                total[who, each] += count
        rows = [ProfileRow(*key, own[key], count) for key, count in total.items()]
        rows.sort(key=lambda row: (-row.own, -row.total, row.who, row.function.module, row.function.name))
        return Profile(seconds, self.looks, sum(stacks.values()), tuple(rows), dict(stacks))


class Sampler:
    """Looks at the threads of the program, but for the one that made it, and counts what it sees in `tally`."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._own = threading.get_ident()
        self._loops: dict[int, asyncio.AbstractEventLoop] = {}

    def look(self) -> None:
        """Look once."""
        if self.tally.looks % LOOKS_A_SEARCH == 0:
            self._loops = {number: loop for loop in event_loops() if (number := getattr(loop, "_thread_id", None))}
        names = {each.ident: each.name for each in threading.enumerate()}
        before = {number: _current(loop) for number, loop in self._loops.items()}
        for number, frames in stacks_of_threads().items():
            if number == self._own:
                continue
            task = before.get(number)
            if task is not None and _current(self._loops[number]) is task:
                self.tally.note(_who(task), frames)
            else:
                self.tally.note(f"thread {encodable(names.get(number) or str(number))}", frames)
        self.tally.looks += 1


def take_profile(seconds: float) -> Profile:
    """Look at all other threads for so long, and return what was seen. Any thread may call it; it waits meanwhile.

    Raises: RequestError if a profile is being taken.
    """
    if not _taking.acquire(blocking=False):
        raise RequestError("A profile is being taken; no other was begun. Take one when that has ended.")
    try:
        with quick_handovers(HANDOVER_SECONDS):
            return _look_for(seconds)
    finally:
        _taking.release()


def _look_for(seconds: float) -> Profile:
    sampler, pause = Sampler(), threading.Event()
    began = now = time.monotonic()
    while (left := began + seconds - now) > 0:
        work = time.thread_time()
        sampler.look()
        cost = time.thread_time() - work  # and not the wait for the interpreter, which busy threads make long
        pause.wait(min(left, max(INTERVAL_SECONDS, 10 * cost)))
        now = time.monotonic()
    return sampler.tally.profile(now - began)


def _current(loop: asyncio.AbstractEventLoop) -> Any:
    try:
        return asyncio.current_task(loop)
    except RuntimeError:
        return None


def _who(task: Any) -> str:
    if isinstance(task, Process):
        return f"{task.pid!r} {task.name}" if task.name else repr(task.pid)
    return f"task {encodable(task.get_name())}"


def _module(frame: FrameType) -> str:
    name = dict.get(frame.f_globals, "__name__", "?")
    return name if type(name) is str else "?"


def _is_wait(frame: FrameType) -> bool:
    return _module(frame) in _WAITING and frame.f_code.co_name in _WAITS


def _is_step(frame: FrameType) -> bool:
    """Say whether a frame is of what runs a step of a process or a callback of an event loop."""
    if _module(frame) == "asyncio.events":
        return frame.f_code.co_name == "_run"
    return is_own_frame(frame) and frame.f_code.co_name in _STEPS


def _is_below(frame: FrameType) -> bool:
    """Say whether a frame is of what runs the program, and not of the program."""
    name = _module(frame)
    return is_own_frame(frame) or name in _BELOW or name.partition(".")[0] in ("asyncio", "uvloop")


def _place(frame: FrameType) -> _Place:
    return _Place(frame.f_code, _module(frame), version_of(frame.f_globals))


def _function(place: _Place) -> Function:
    path, number = real_path(place.code.co_filename)
    version = place.version if number is None else number
    return Function(encodable(place.module), version, place.code.co_qualname, path, place.code.co_firstlineno)
