"""Tracing: the sends, receives, tail calls, spawns, links and ends of chosen processes, told as they happen.

The life of a trace: `follow` swaps the tracer's own `spawn`, `deliver` and `_send_slowly` into the scheduler and shuts
the fast door of `Pid <<` -> events are printed and kept, oldest first, as long as there is room and they do not come
too fast -> somebody takes them -> `leave` of the last trace takes the tracer out again.

Laws:
1. Where nothing is traced, nothing is paid but a test of a local variable a tail call, and of an attribute a link
   and an end. Everything else is swapped in.
2. What is left out is counted, and the count travels with the next events that are taken.
3. A message is printed when it passes: it may change later. OTP: erlang:trace/3, dbg.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from midflight.kernel import trouble
from midflight.kernel.distant import NO_THREAD
from midflight.kernel.frames import function_name, module_of, version_of
from midflight.text import medium

if TYPE_CHECKING:
    from midflight.kernel.core import Pid, Process
    from midflight.kernel.scheduler import Scheduler

__all__ = ["KINDS", "Trace", "TraceEvent", "follow", "leave"]

KINDS = ("in", "out", "call", "spawn", "link", "exit")
EVENTS_KEPT = 5000  # that nobody has taken yet
EVENTS_A_WINDOW = 200
WINDOW_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One thing that happened to the process `pid`, at the time `at` of the scheduler's clock.

    `kind`: "in" a message came, from `other` if a process sent it; "out" one was sent, to `other`; "call" it goes on
    as `function`, of `module` in `version`, from code of `from_file`; "spawn" it spawned `other`, or, if nobody that
    is followed did, was spawned by it; "link" it was linked to `other`; "exit" it has ended.
    `text` is the message, the reason, or the function with its arguments, as printed.
    """

    at: float
    kind: str
    pid: Pid
    name: str | None
    text: str
    other: Pid | None = None
    module: str | None = None
    function: str | None = None
    version: int | None = None
    line: int | None = None
    file: str | None = None
    from_file: str | None = None


class Trace:
    """The events that one listener wants, and those it has not taken. To be changed on the scheduler's thread.

    `processes` and `names` are followed, and with `everyone` all. `modules`: who is spawned in one of them or goes on
    in one is followed from then on; `new`: who is spawned at all; `children`: who is spawned by one that is followed.
    `on_event` is called when the first event after a taking comes, or is dropped; on the scheduler's thread, so it must
    not wait.
    """

    def __init__(
        self,
        kinds: Collection[str] = KINDS,
        *,
        new: bool = False,
        everyone: bool = False,
        children: bool = False,
        on_event: Callable[[], object] = lambda: None,
    ) -> None:
        self.kinds = frozenset(kinds)
        self.new, self.everyone, self.children = new, everyone, children
        self.processes: set[Process] = set()
        self.names: set[str] = set()
        self.modules: set[str] = set()
        self.is_paused = False
        self.on_event = on_event
        self.dropped = 0
        self._events: deque[TraceEvent] = deque()
        self._window = 0.0
        self._in_window = 0

    def follows(self, process: Process) -> bool:
        """Say whether `process` is one of the chosen."""
        return self.everyone or process in self.processes or process.name in self.names

    def wants(self, kind: str, process: Process) -> bool:
        """Say whether an event is to be told."""
        return kind in self.kinds and not self.is_paused and self.follows(process)

    def has_room(self, now: float) -> bool:
        """Say whether one more event is taken in; if not, it is counted as dropped."""
        if now - self._window >= WINDOW_SECONDS:
            self._window, self._in_window = now, 0
        self._in_window += 1
        if self._in_window > EVENTS_A_WINDOW or len(self._events) >= EVENTS_KEPT:
            self.dropped += 1
            if self.dropped == 1:
                self.on_event()
            return False
        return True

    def add(self, event: TraceEvent) -> None:
        """Keep `event` until it is taken."""
        is_first = not self._events
        self._events.append(event)
        if is_first:
            self.on_event()

    def __len__(self) -> int:
        return len(self._events)

    def take(self, most: int) -> tuple[list[TraceEvent], int]:
        """Return the oldest events, at most so many, and how many were dropped since; any thread may."""
        events = [self._events.popleft() for _ in range(min(most, len(self._events)))]
        dropped, self.dropped = self.dropped, 0
        return events, dropped


class Tracer:
    """The hooks in one scheduler, for all traces of its processes."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.traces: list[Trace] = []
        self._scheduler = scheduler
        self._door = scheduler.fast_thread

    def enter(self) -> None:
        """Swap the hooks in."""
        scheduler: Any = self._scheduler  # mypy lets nobody assign to a method
        self._spawn, self._deliver = scheduler.spawn, scheduler.deliver
        scheduler.spawn, scheduler.deliver, scheduler._send_slowly = self.spawn, self.deliver, self.send
        scheduler.tail_called = self.tail_called
        scheduler.tracer = self
        scheduler.fast_thread = NO_THREAD

    def leave(self) -> None:
        """Take them out: the class's own methods are found again."""
        scheduler: Any = self._scheduler
        del scheduler.spawn, scheduler.deliver, scheduler._send_slowly
        scheduler.tail_called = scheduler.tracer = None
        scheduler.fast_thread = self._door

    # --- In the place of the scheduler's methods --------------------------------------------------------------

    def send(self, process: Process, message: Any) -> None:
        """Stand for `_send_slowly`: every send comes here, from any thread."""
        scheduler = self._scheduler
        message = scheduler.copy_of(message)
        sender = scheduler.current() if scheduler.is_own_thread() else None
        scheduler.on_own_thread(self._pass_on, sender, process, message)

    def deliver(self, process: Process, message: Any) -> None:
        """Stand for `deliver`: of an Exit, a Down, or a message of another thread."""
        self._pass_on(None, process, message)

    def _pass_on(self, sender: Process | None, process: Process, message: Any) -> None:
        def told(trace: Trace) -> None:
            if sender is not None and trace.wants("out", sender):
                self._tell(trace, "out", sender, message, process.pid)
            if process.pid.process is not None and trace.wants("in", process):
                self._tell(trace, "in", process, message, None if sender is None else sender.pid)

        deliver = self._deliver
        self._each(told)
        deliver(process, message)

    def spawn(self, function: Any, args: tuple[Any, ...], **options: Any) -> Process:
        """Stand for `spawn`."""
        process: Process = self._spawn(function, args, **options)
        self._scheduler.on_own_thread(self._spawned, process, options.get("parent"), function, args)
        return process

    def _spawned(self, process: Process, parent: Process | None, function: Any, args: tuple[Any, ...]) -> None:
        module = module_of(function)

        def told(trace: Trace) -> None:
            is_child = parent is not None and trace.follows(parent)
            if trace.new or module in trace.modules or (trace.children and is_child):
                trace.processes.add(process)
            if "spawn" not in trace.kinds or trace.is_paused:
                return
            who = parent if parent is not None and is_child else process if trace.follows(process) else None
            if who is not None and trace.has_room(now := self._scheduler.clock.now()):
                said = f"{function_name(function)}({', '.join(map(medium, args))})"
                other = parent.pid if parent is not None else None
                trace.add(TraceEvent(now, "spawn", who.pid, who.name, said, other if who is process else process.pid))

        self._each(told)

    # --- Called where a test is cheaper than another method ------------------------------------------------------

    def tail_called(self, process: Process, coro: CoroutineType[Any, Any, Any]) -> None:
        """Note that `process` is about to go on as `coro`, which has not begun."""
        frame = coro.cr_frame
        if frame is None:  # of a coroutine that has ended: it is about to fail for that
            return
        namespace = frame.f_globals
        module = str(namespace.get("__name__"))

        def told(trace: Trace) -> None:
            if module in trace.modules:
                trace.processes.add(process)
            if trace.wants("call", process) and trace.has_room(now := self._scheduler.clock.now()):
                code, old = coro.cr_code, getattr(process.coro, "cr_code", None)
                seen = frame.f_locals
                arguments = ", ".join(f"{name}={medium(value)}" for name, value in list(seen.items()))
                if isinstance(seen, dict):  # before 3.13 (PEP 667): the frame keeps this copy
                    seen.clear()
                trace.add(
                    TraceEvent(
                        now,
                        "call",
                        process.pid,
                        process.name,
                        f"{code.co_qualname}({arguments})",
                        module=module,
                        function=code.co_qualname,
                        version=version_of(namespace),
                        line=code.co_firstlineno,
                        file=code.co_filename,
                        from_file=getattr(old, "co_filename", None),
                    )
                )

        self._each(told)

    def linked(self, process: Process, other: Process) -> None:
        """Note that two processes are linked: once, though both are followed."""

        def told(trace: Trace) -> None:
            for one, two in ((process, other), (other, process)):
                if trace.wants("link", one):
                    self._tell(trace, "link", one, None, two.pid)
                    break

        self._each(told)

    def ended(self, process: Process, reason: object) -> None:
        """Note that `process` ends with `reason`; it still has its name."""

        def told(trace: Trace) -> None:
            if trace.wants("exit", process):
                self._tell(trace, "exit", process, reason)
            trace.processes.discard(process)

        self._each(told)

    def _each(self, tell: Callable[[Trace], object]) -> None:
        """Tell each trace of an event; leave one out from then on whose listener raises. The event goes its way."""
        for trace in tuple(self.traces):
            try:
                self._scheduler.limit.run(tell, trace)
            except BaseException as error:
                leave(self._scheduler, trace)
                trouble.tell("A trace is left out from now on: its listener", error)

    def _tell(self, trace: Trace, kind: str, process: Process, value: object, other: Pid | None = None) -> None:
        now = self._scheduler.clock.now()
        if trace.has_room(now):
            trace.add(TraceEvent(now, kind, process.pid, process.name, medium(value), other))


def follow(scheduler: Scheduler, trace: Trace) -> None:
    """Begin to tell `trace` the events of the processes of `scheduler`. On its thread, between two turns."""
    tracer = scheduler.tracer
    if tracer is None:
        tracer = Tracer(scheduler)
        tracer.enter()
    tracer.traces.append(trace)


def leave(scheduler: Scheduler, trace: Trace) -> None:
    """Tell `trace` no more; with the last one the hooks go. A trace that was not joined is not an error."""
    tracer = scheduler.tracer
    if tracer is not None and trace in tracer.traces:
        tracer.traces.remove(trace)
        if not tracer.traces:
            tracer.leave()
