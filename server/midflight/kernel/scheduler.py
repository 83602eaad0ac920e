"""The scheduler: the core, with time, names, other threads and asyncio's futures around it. It waits for nothing.

`step(now)` does what can be done at `now` and returns when it wants to be called again. Its driver sets
`on_wake` (called on the scheduler's thread) and `on_wake_threadsafe` (called on any other).
"""

from __future__ import annotations

import asyncio
import copy
import math
from _thread import get_ident
from collections import deque
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from itertools import count
from types import FrameType
from typing import Any, TypeVar

from midflight.errors import ProcessExit, RegistrationError
from midflight.kernel import arguments, ends, futures, trouble
from midflight.kernel.core import Core, Pid, Process, Queue, again
from midflight.kernel.crash import CrashReport
from midflight.kernel.distant import NO_THREAD, Nodes
from midflight.kernel.doomed import Doom
from midflight.kernel.frames import stack_of
from midflight.kernel.group_leader import Sink, group_leader_var
from midflight.kernel.limit import Limit
from midflight.kernel.mailbox import HANDED, TIMED_OUT, Receive, Sleep
from midflight.kernel.timers import Clock, SystemClock, Timers
from midflight.kernel.tracing import Tracer
from midflight.outside import is_from_outside

__all__ = ["OUTSIDE", "Scheduler"]

Result = TypeVar("Result")

TURN_SECONDS = 0.001  # then sockets and timers of the event loop are served
OUTSIDE = Pid(0)  # <0.0.0>, who signals when nobody's process does


class Scheduler(Core):
    """All processes of one thread.

    `copy_messages` gives each receiver a deep copy, as Erlang does; by default messages are shared.
    `on_crash` listeners get each CrashReport; with none it is logged.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        loop: Any = None,
        tasks: MutableMapping[Any, Any] | None = None,
        copy_messages: bool = False,
    ) -> None:
        super().__init__(loop, {} if tasks is None else tasks)
        self.clock: Clock = clock or SystemClock()
        self.processes: dict[int, Process] = {}
        self.names: dict[str, Process] = {}
        self.timers = Timers()
        self.limit = Limit()  # of what is not a process's step, and may run code of the program's
        self.on_crash: list[Callable[[CrashReport], None]] = []
        self.on_result: dict[Process, Callable[[object, Any], None]] = {}  # of a process that somebody waits for
        self.on_empty: Callable[[], object] = lambda: None  # called when the last process has ended
        self.states: Any = None  # of durable servers, in a store; None without a store
        self.nodes: Nodes | None = None  # the other nodes; None outside a cluster
        self.on_store_trouble: list[Callable[[str], object]] = []  # called when it fails, and when it works again
        self.turns = 0  # how many were taken: what the watchdog looks at
        self.tracer: Tracer | None = None  # while something is traced
        self.context = copy_context()  # of the callbacks in which turns are taken: nobody's process is in it
        self.doomed: dict[Process, Doom] = {}  # those that another thread has killed and that may never yield
        self.on_wake: Callable[[], object] = lambda: None
        self.on_wake_threadsafe: Callable[[], None] = lambda: None
        self.numbers = count(1)
        self._calls: deque[Callable[[], None]] = deque()
        self._one: deque[Process] = Queue()  # the one that step_now steps, else empty
        self._next_turn: list[Process] = []  # those that let the event loop have its turn first
        self._copies = copy_messages
        if copy_messages:
            self.fast_thread = NO_THREAD

    # --- Running ----------------------------------------------------------------------------------------

    def step(self, now: float) -> float | None:
        """Fire the timers due at `now`, run processes for a turn; return when to call again, None: when woken.

        A return value that is not later than `now` means that some processes can still run.
        """
        self.awake = True
        self.turns += 1
        more = False
        try:
            for _ in range(len(self._calls)):
                try:
                    self._calls.popleft()()
                except BaseException as error:
                    trouble.tell("What another thread asked for", error)
            self.timers.fire(now)
            self.queue.extend(self._next_turn)
            self._next_turn.clear()
            more = self.turn(self.clock.now, now + TURN_SECONDS)
        finally:
            self.awake = False
        return now if more or self._calls or self._next_turn else self.timers.next_deadline()

    def step_now(self, process: Process) -> None:
        """Step `process`, and no other, in the callback of the event loop that calls this.

        So what it awaited is followed by its step as closely as a task's: libraries count on what comes between. The
        event loop serves the world between two steps of a process, as it does for tasks.
        """
        if self.tasks.get(self.loop) is not None:  # within a task's step, from a future that does not use the loop
            self.enqueue(process)
            return
        was_awake, self.awake = self.awake, True
        before, deadline = len(self._next_turn), None if was_awake else self.timers.next_deadline()
        self.turns += 1
        self._one.append(process)
        try:
            self.turn(self.clock.now, math.inf, self._one)
        except BaseException:  # the user's Ctrl-C, within the step; the processes may still have to unwind
            deadline = -math.inf
            raise
        finally:
            self.awake = was_awake
            if len(self._next_turn) > before:  # asyncio.sleep(0): behind all that is ready now
                self._next_turn.pop()
                self.loop.call_soon(self.step_now, process, context=self.context)
            del process  # what it raised holds this frame
            if not was_awake and (self.queue or self.timers.next_deadline() != deadline):
                self._wake()

    def run_until_idle(self) -> None:
        """Step until every process waits. Time stands still unless the clock moves by itself."""
        while True:
            now = self.clock.now()
            deadline = self.step(now)
            if deadline is None or deadline > now:
                return

    def current(self) -> Process | None:
        """Return the process that is running now, None between two steps."""
        task = self.tasks.get(self.loop)
        return task if isinstance(task, Process) else None

    def wake_up(self) -> None:
        """Ask the driver for a turn, if none is running or asked for."""
        if not self.awake:
            self._wake()

    def _wake(self) -> None:
        self.awake = True
        self.on_wake()

    # --- Other threads ----------------------------------------------------------------------------------

    def is_own_thread(self) -> bool:
        """Say whether the caller is on the thread that runs the processes."""
        return get_ident() == self.thread

    def call_threadsafe(self, function: Callable[..., Result], *args: Any) -> Future[Result]:
        """Call `function` on the scheduler's thread, between two turns, from any thread; what it returns or raises
        is the future's. Not to be waited for on the scheduler's own thread."""
        future: Future[Result] = Future()

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function(*args))
            except BaseException as error:
                future.set_exception(error)

        self._calls.append(call)
        self.on_wake_threadsafe()
        return future

    def on_own_thread(self, function: Callable[..., Any], *args: Any) -> None:
        """Call `function` now if this is the scheduler's thread, else soon on that thread."""
        if self.is_own_thread():
            function(*args)
        else:
            self._calls.append(lambda: function(*args))
            self.on_wake_threadsafe()

    def copy_of(self, message: Any) -> Any:
        """Return what the receiver of `message` gets: a deep copy, or itself. Raises: what copying it raises."""
        return copy.deepcopy(message) if self._copies else message

    def _send_slowly(self, process: Process, message: Any) -> None:
        self.on_own_thread(self.deliver, process, self.copy_of(message))

    @contextmanager
    def in_python(self) -> Iterator[None]:
        """Have this thread, which is the scheduler's, call the functions in Python while the block runs."""
        door, self.fast_thread = self.fast_thread, NO_THREAD
        try:
            yield
        finally:
            self.fast_thread = door

    def deliver(self, process: Process, message: Any) -> None:
        """Put `message` into the mailbox of `process` as it is: no copy, no detour."""
        door, self.fast_thread = self.fast_thread, self.thread
        try:
            process.pid << message
        finally:
            self.fast_thread = door

    # --- Processes --------------------------------------------------------------------------------------

    def spawn(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        *,
        name: str | None = None,
        group_leader: Sink | None = None,
        parent: Process | None = None,
    ) -> Process:
        """Make a process that will call `function(*args)` in its own first step.

        It starts with a copy of the caller's context, so with its group leader unless another is given.
        Raises: TypeError if `function` is not callable; RegistrationError if `name` is taken. Nothing is spawned then.
        """
        arguments.callable_("spawn", function, "nothing was spawned")
        if name is not None:
            name = self.check_name(name)
        context = copy_context()
        if group_leader is not None:
            context.run(group_leader_var.set, group_leader)
        process = Process(next(self.numbers), self, context, (function, args))
        if parent is not None:
            process.parent = parent.pid
        self.processes[process.pid.number] = process
        if name is not None:
            process.name = name
            self.names[name] = process
        if get_ident() == self.thread:
            self.queue.append(process)
            if not self.awake:
                self._wake()
        else:
            self.on_own_thread(self.enqueue, process)
        return process

    def check_name(self, name: object) -> str:
        """Return `name` as a plain str. Raises: RegistrationError if no process could be given it; TypeError."""
        found = arguments.name("a process", name)
        if not found or found == "undefined":
            raise RegistrationError(f"a name is a non-empty string other than 'undefined', not {found!r}")
        if found in self.names:
            raise RegistrationError(
                f"{found!r} is the name of {self.names[found].pid!r}; it keeps it. unregister({found!r}) first"
            )
        return found

    def frames(self, process: Process) -> list[FrameType]:
        """Return the frames of `process`, outermost first; none before its first step."""
        return stack_of(process.coro)

    # --- Waiting ----------------------------------------------------------------------------------------

    def _park(self, process: Process, request: Any) -> None:
        try:
            if type(request) is Receive and request.looked == process.arrived and process.pending is None:
                process.waiting = request  # the commonest case: a call, or a receive, with nothing to take
                if request.timeout is not None:
                    self._set_deadline(process, request)
                return
            self._let_wait(process, request)
        except BaseException as error:  # of an awaitable of the program's own making
            process.waiting = None
            process.pending = error
            self._throw_pending(process)

    def _let_wait(self, process: Process, request: Any) -> None:
        if type(request) in (Receive, Sleep):
            process.waiting = request
            if process.pending is not None:
                self._throw_pending(process)
                return
            if request.timeout is not None:
                self._set_deadline(process, request)
            if type(request) is Receive and request.looked != process.arrived:  # its own predicate has sent to it
                process.waiting, process.value, process.resume = None, request, again
                self.queue.append(process)
        elif request is None:  # asyncio.sleep(0): the event loop's other callbacks go first
            if process.pending is not None:
                self._throw_pending(process)
            else:
                self._next_turn.append(process)
        else:
            problem = futures.problem(process, request)
            if problem is None:
                futures.wait_for(process, request)
            else:
                process.pending = process.pending or RuntimeError(problem)
            if process.pid.process is None or problem is not None:
                self._throw_pending(process)

    def _set_deadline(self, process: Process, request: Receive | Sleep) -> None:
        """Time out `request` later. A process has one timer; it is set again only if it would ring too late."""
        deadline = request.deadline
        if not deadline:
            assert request.timeout is not None
            request.deadline = deadline = self.clock.now() + request.timeout
        timer = process.timer
        if timer is not None and timer.ahead:
            if timer.deadline <= deadline:
                return
            self.timers.cancel(timer)
        process.timer = self.timers.set(deadline, lambda: self._ring(process))

    def _ring(self, process: Process) -> None:
        waiting = process.waiting
        if waiting is None and process.resume is again:  # woken for a message; its receive looks at that first
            waiting = process.value
        if type(waiting) not in (Receive, Sleep) or waiting.timeout is None:
            return
        if waiting.deadline > self.clock.now():
            self._set_deadline(process, waiting)
        elif process.waiting is waiting:
            assert process.coro is not None
            process.waiting = None
            process.resume = process.coro.send
            process.value = TIMED_OUT
            self.enqueue(process)
        else:
            waiting.timeout = 0  # its last look decides: a match beats the timeout

    def interrupt(self, process: Process, error: BaseException) -> None:
        """Throw `error` into `process` where it waits, or where it next will if it runs.

        A message that it was handed and has not seen goes back to the front of its mailbox. A ProcessExit
        on its way is not overtaken.
        """
        if process.pid.process is None or issubclass(type(process.pending), ProcessExit):
            return
        process.pending = error
        if self.current() is process:
            return
        if _is_future(process.waiting):
            try:
                process.waiting.cancel()  # its callback wakes the process, which then gets `pending`
            except BaseException as worse:  # of a future of the program's own making
                trouble.tell(f"What {process.pid!r} awaited, which an exit signal cancelled,", worse)
                self._redirect(process)
                self.enqueue(process)
        else:
            is_queued = process.waiting is None or process.waiting is HANDED
            self._redirect(process)
            if not is_queued:
                self.enqueue(process)

    def forget_cancel(self, process: Process) -> None:
        """Take back a cancellation that `process` has not been told of; one that has woken it stays."""
        if type(process.pending) is asyncio.CancelledError and process.resume != process.raise_pending:
            process.pending = None

    def _throw_pending(self, process: Process) -> None:
        if process.pid.process is None:  # killed while it ran
            process.pending = None
            coro, process.coro = process.coro, None
            if coro is not None:
                ends.close(self, process.pid, process.context, coro)
        elif process.pending is not None:
            self._redirect(process)
            self.queue.append(process)

    def _redirect(self, process: Process) -> None:
        """Let the next step throw the pending exception instead of going on."""
        if process.waiting is HANDED:
            if process.mailbox is None:
                process.mailbox = Queue()
            process.mailbox.appendleft(process.value)
            process.arrived += 1
        process.waiting = process.value = None
        process.resume = process.raise_pending

    def _ended(self, process: Process, error: BaseException | None, value: Any) -> None:
        ends.ended(self, process, error, value)

    def _failed(self, process: Process | None, error: BaseException) -> None:
        trouble.tell("The turn of the run queue", error)
        if process is not None and process.pid.process is not None:
            ends.ended(self, process, error, None)  # it waits for nothing that is known


def _is_future(awaited: object) -> bool:
    """Say whether asyncio takes `awaited` for a future; not if it raises when it is asked."""
    try:
        return asyncio.isfuture(awaited)
    except BaseException as error:
        if is_from_outside(error):
            raise
        return False
