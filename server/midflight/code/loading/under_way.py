"""`Load`, one load under way: its client, its present activity and since when, and whether it is to end.

The life of a load: it waits for other loads of its modules -> it is prepared, which runs bodies -> an upgrade holds
servers -> it is committed. Up to the commit it can be broken off, and then nothing has changed.

Laws:
1. A load is told to end once, by `ask_to_end`. Its own thread then raises BrokenOff at the next place where nothing is
   half done: in the body itself, if that is Python code, else when the load next changes what it does.
2. It is given up, by `give_up`, only while a body runs. From then on its thread changes nothing that others see:
   whatever it would change, it changes in `acting`, which raises BrokenOff by then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from itertools import count
from types import FrameType, TracebackType
from typing import Any, NamedTuple, TypeVar

from midflight.code.version.snapshots import real_path
from midflight.code.version.version import loader, version_of
from midflight.collection import callers_of, frames_of_threads
from midflight.errors import NotInProcess
from midflight.kernel import Target, current_process

__all__ = ["BrokenOff", "Doing", "Load", "LoadInfo", "seconds_text"]

Result = TypeVar("Result")

_numbers = count(1)


class BrokenOff(KeyboardInterrupt):
    """Raised in the thread of a load that is to end: like Ctrl-C, it passes `except Exception`."""


class Doing(Enum):
    """The parts of a load; the value says it in words."""

    WAITING = "waits"
    PREPARING = "is compiled and checked"
    BODY = "runs its body"
    HOLDING = "holds its servers"
    COMMITTING = "becomes current"


class LoadInfo(NamedTuple):
    """A load under way. `seconds` is how long its present state lasts, `total_seconds` how long it has taken so far.

    `state` is "waiting", "preparing", "body", "holding", "committing", or "given-up": the load was refused, and its
    `thread` still runs the body. `waits_for` is the number of the load that it waits for. `place` says where the body
    is: "shop.py:14 in <module>". `text` says all of it in one line.
    """

    number: int
    modules: tuple[str, ...]
    by: str
    thread: str
    state: str
    seconds: float
    total_seconds: float
    waits_for: int | None
    place: str
    text: str


class Load:
    """One load, made in the thread that does it, or beforehand for the thread that will."""

    def __init__(self, by: str | None = None) -> None:
        self.number = next(_numbers)
        self.modules: tuple[str, ...] = ()
        self.first: frozenset[str] = frozenset()  # those of them that are imported by it, and that others can see
        self.by = _caller() if by is None else by
        self.began = 0  # how many commits there had been
        self.parent: Load | None = None
        self.is_open = False  # whether what it runs now may load
        self.waits_for: Load | None = None
        self.give_way: Callable[[], object] | None = None
        self.on_end: list[Callable[[str], object]] = []  # what else is to be told that it is to end, and who said so
        self.gate: Callable[[Load], object] | None = None  # waits until others agree that it is committed
        self.on_given_up: list[Callable[[], object]] = []
        self.undo: Callable[[], object] = lambda: None  # what a load that is given up has changed
        self.refusal: Callable[[], Exception] = lambda: RuntimeError(f"{self!r} was broken off")
        self.broken_off_by: str | None = None
        self.broken_off_after = 0.0  # seconds
        self.broken_off_at = ""  # "shop.py:14 in <module>", if it was broken into there
        self.is_given_up = False
        self.is_current = False  # its modules are: it cannot be broken off any more
        self.holds_commit = False
        self.ended = threading.Event()
        self._lock = threading.RLock()
        self._doing = Doing.PREPARING
        self._since = self._started = time.monotonic()
        self._thread = threading.current_thread()
        self._bodies: list[tuple[str, Target[BrokenOff]]] = []  # that run, the innermost last

    def __repr__(self) -> str:
        return f"<load {self.number} of {', '.join(self.modules) or 'nothing yet'} by {self.by}>"

    @property
    def family(self) -> Load:
        """The outermost load that this one is a part of: both run on one thread at a time."""
        found = self
        while found.parent is not None:
            found = found.parent
        return found

    # --- In the thread that does it ------------------------------------------------------------------------

    def begin(self, thread: threading.Thread | None = None) -> None:
        """Take `thread`, the calling one for None, as the load's own."""
        self._thread = thread or threading.current_thread()

    @contextmanager
    def on_this_thread(self) -> Iterator[None]:
        """Be done by the calling thread while the block runs."""
        before, self._thread = self._thread, threading.current_thread()
        try:
            yield
        finally:
            self._thread = before

    def enter(self, doing: Doing) -> None:
        """Note its activity from now on. Raises: BrokenOff if it is to end."""
        self.check()
        self._note(doing)

    @property
    def is_committing(self) -> bool:
        """Whether the last checks or a hook of its modules run: it becomes current if those let it."""
        return self._doing is Doing.COMMITTING

    @property
    def is_to_end(self) -> bool:
        """Whether it was told to end, and can."""
        return self.broken_off_by is not None and not self.is_current

    def check(self) -> None:
        """Raise BrokenOff if it is to end."""
        if self.is_to_end:
            raise BrokenOff

    def pass_gate(self) -> None:
        """Wait until others agree that it is committed, if somebody wants that: once. Raises: BrokenOff."""
        gate, self.gate = self.gate, None
        if gate is None:
            return
        with self.waiting():
            gate(self)
        self.check()

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Change something that others see. Raises: BrokenOff, before the block, if it was given up."""
        with self._lock:
            if self.is_given_up:
                raise BrokenOff
            yield

    def run_body(self, name: str, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return the value of `function`: user code of module `name`, to be broken into, or given up.

        Raises: what it raises; BrokenOff if the load is to end, however the function ended.
        """
        self.enter(Doing.BODY)
        target = Target(BrokenOff)
        self._bodies.append((name, target))
        try:
            result = target.run(function, *arguments)
        except BaseException as error:
            if self.broken_off_by is not None and not self.broken_off_at:
                self.broken_off_at = self._place_in(error.__traceback__)
            self._leave_body()
            raise
        self._leave_body()
        return result

    def _leave_body(self) -> None:
        with self._lock:
            self._bodies.pop()
            if not self._bodies and not self.is_given_up:
                self._note(Doing.PREPARING)
        self.check()

    # --- From any thread -----------------------------------------------------------------------------------

    def ask_to_end(self, by: str) -> bool:
        """Tell it to end; say whether it is still to be told, or was. `by` is the name of the client that asks."""
        with self._lock:
            if self.is_current or self.ended.is_set():
                return False
            if self.broken_off_by is None:
                self.broken_off_by, self.broken_off_after = by, time.monotonic() - self._started
                told = list(self.on_end)
            else:
                told = []
        for tell in told:
            tell(by)
        return True

    def strike(self) -> None:
        """Raise BrokenOff in its body, if Python code runs there."""
        for _, target in self._bodies[-1:]:
            target.interrupt()

    def give_up(self) -> bool:
        """Refuse it now, though its body runs on, which nobody can stop; say whether a body runs."""
        with self._lock:
            if self.is_given_up or not self._bodies or self.is_current:
                return False
            self.is_given_up = True
            self.broken_off_by = self.broken_off_by or "nobody"
            self.undo()
        return True

    def note_current(self) -> None:
        """Note that its modules are current."""
        with self._lock:
            self.is_current = True

    @property
    def thread(self) -> int | None:
        """The number of the thread that does it."""
        return self._thread.ident

    @property
    def thread_name(self) -> str:
        """The name of that thread."""
        return self._thread.name

    def _note(self, doing: Doing) -> None:
        self._doing, self._since = doing, time.monotonic()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait for others, which `waits_for` names one after the other, while the block runs."""
        before, since = self._doing, self._since
        self._note(Doing.WAITING)
        try:
            yield
        finally:
            self._doing, self._since = before, since
            if self.waits_for is not None:
                self.waits_for = None
                self._note(before)

    @property
    def running(self) -> list[str]:
        """The names of the modules whose bodies run, the innermost last."""
        return [name for name, _ in list(self._bodies)]

    # --- What is said of it --------------------------------------------------------------------------------

    def info(self) -> LoadInfo:
        """Return the load as plain data, as it is now."""
        now = time.monotonic()
        other = self.waits_for
        state = "given-up" if self.is_given_up else self._doing.name.lower()
        return LoadInfo(
            number=self.number,
            modules=self.modules,
            by=self.by,
            thread=self.thread_name,
            state=state,
            seconds=now - self._since,
            total_seconds=now - self._started,
            waits_for=None if other is None else other.number,
            place=self.place() if self.running else "",
            text=self._text(now, other),
        )

    def _text(self, now: float, other: Load | None) -> str:
        since = seconds_text(now - self._since)
        what = self.what()
        if self.is_given_up:
            return f"{self.thread_name} {self.still()}, since {seconds_text(now - self._started)}"
        if other is not None:
            return f"{what} waits for the load of {other.what()} by {other.by}, since {since}"
        if self.running:
            running = self.running[-1]
            whose = "its body" if self.modules == (running,) else f"the body of {running}"
            return f"{what} runs {whose}{_at(self.place())}, since {since}"
        return f"{what} {self._doing.value}, since {since}"

    def what(self) -> str:
        """Return the names of its modules as words."""
        shown = ", ".join(self.modules[:3])
        return f"{shown} and {len(self.modules) - 3} more" if len(self.modules) > 3 else shown or "a module"

    def still(self) -> str:
        """Describe its thread after it was given up: "still runs the body of shop, in wait, called at ..."."""
        running = self.running[-1] if self.running else self.what()
        return f"still runs the body of {running}{_at(self.place())}"

    def place(self) -> str:
        """Return where the body is: "wait, called at shop.py:14 in <module>"; "" if that cannot be seen."""
        stack = callers_of(None if self.thread is None else frames_of_threads().get(self.thread))
        for frame in stack:
            where = self._words_of(frame, frame.f_lineno)
            if where:
                return where if frame is stack[0] else f"{stack[0].f_code.co_qualname}, called at {where}"
        return ""

    def _place_in(self, trace: TracebackType | None) -> str:
        found = ""
        while trace is not None:
            found = self._words_of(trace.tb_frame, trace.tb_lineno) or found
            trace = trace.tb_next
        return found

    def _words_of(self, frame: FrameType, line: int) -> str:
        """Return "shop.py:14 in <module>" for a frame of a body that runs, "" for any other."""
        version = version_of(frame.f_globals)
        if version is None or version.name not in self.running:
            return ""
        path, _ = real_path(frame.f_code.co_filename)
        return f"{path.rpartition('/')[2]}:{line} in {frame.f_code.co_qualname}"


def _at(place: str) -> str:
    if not place:
        return ""
    return f" in {place}" if ", called at " in place else f" at {place}"


def seconds_text(seconds: float) -> str:
    """Return a time as people say it: "0.4 s", "12 s", "3 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _caller() -> str:
    found = loader()
    if found:
        return found
    try:
        return f"process {current_process('a load').pid!r}"
    except NotInProcess:
        return f"thread {threading.current_thread().name}"
