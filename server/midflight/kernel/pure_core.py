"""The hot core in Python: receive, run queue, step. With `pure_record`, which sends, all that a message passes.

It is the reference for the compiled one. The door is narrow: `Pid <<`, `receive`, `sleep`, `Core.turn`; out of it
the core calls `_ended`, `_failed`, `_park`, `_throw_pending`, `_send_slowly` and `_wake` only. It knows no link,
name, clock or socket.

Laws:
1. One thread touches a core. A send from another thread, and every send of a core that copies or traces,
   takes the slow door: such a core's `fast_thread` is the number of no thread.
2. A process is in the run queue at most once. `waiting` says why it is not there: RECEIVE, a Receive, a Sleep or
   an asyncio future; HANDED: it is there (or runs), and was given its message past the mailbox; else None.
3. The running process is the current task of its loop in asyncio's own table, and nowhere else.
"""

from __future__ import annotations

import math
from _thread import get_ident
from collections import deque
from collections.abc import Callable, Generator, MutableMapping
from types import CoroutineType, GeneratorType, ModuleType, coroutine
from typing import Any, Protocol, TypeVar

from midflight.kernel.async_exc import absorb
from midflight.kernel.frames import locals_of
from midflight.kernel.mailbox import HANDED, NOT_FOUND, RECEIVE, TIMED_OUT, YIELD, Receive, Sleep
from midflight.kernel.pure_record import Pid, Process, Queue, again
from midflight.kernel.returned import coroutine_in
from midflight.kernel.seconds import INFINITY, LONG, NUMBERS, checked_timeout

__all__ = [
    "RECEIVE_CODE",
    "RECEIVE_TYPES",
    "Core",
    "Pid",
    "Process",
    "Queue",
    "again",
    "answering",
    "fast_call",
    "fast_path",
    "fast_path_of_timers",
    "in_python",
    "is_receive",
    "receive",
    "sleep_in_process",
    "takes_any_message",
]

Function = TypeVar("Function", bound=Callable[..., Any])


class Answering(Protocol):
    """The awaitable that `answering` returns: it returns the next message that it has not answered.

    Or itself, if `handle_call` has returned something that is more than a reply. `client` is the one whose call it
    handles, None between two calls.
    """

    client: Any

    def take(self) -> Any:
        """Return what `handle_call` has returned, and hold it no longer."""

    def __await__(self) -> Generator[Any, Any, Any]: ...


RECEIVES_A_TURN = 200  # messages that one process may take before the others run
STEPS_A_LOOK = 32  # processes stepped between two looks at the clock, at most
NEVER = object()


class Core:
    """The run queue of one thread, and the loop that steps it.

    `tasks` is asyncio's table of current tasks (or any mapping) and `loop` the key in it.
    """

    def __init__(self, loop: Any, tasks: MutableMapping[Any, Any]) -> None:
        self.loop = loop
        self.tasks = tasks
        self.queue: deque[Process] = deque()
        self.awake = False  # a turn is running or asked for
        self.thread = get_ident()
        self.fast_thread = self.thread
        self.struck: type[BaseException] | None = None  # what another thread has dealt to the process that runs
        self.tail_called: Callable[[Process, CoroutineType[Any, Any, Any]], object] | None = None  # while one traces

    def enqueue(self, process: Process) -> None:
        """Let `process` run in this turn or the next."""
        self.queue.append(process)
        if not self.awake:
            self._wake()

    def turn(self, now: Callable[[], float], until: float, only: deque[Process] | None = None) -> bool:
        """Step processes until none can run or the time is `until`; say whether some still can.

        `only` are the processes to be stepped in place of those in the run queue, each once.
        """
        queue, tasks, loop = self.queue if only is None else only, self.tasks, self.loop
        popleft, tail_called = queue.popleft, self.tail_called
        steps = a_look = 1  # more while they are quick
        looked = -math.inf
        process: Process | None = None
        try:
            while queue:
                process = tasks[loop] = popleft()
                value = process.value
                process.value = last = None
                budget = RECEIVES_A_TURN
                while True:
                    try:
                        request = process.context.run(process.resume, value)
                    except StopIteration as stop:
                        if self.struck is not None:  # it may not have hit: it is to hit here
                            try:
                                absorb(self.struck)
                            except self.struck:
                                pass
                            self.struck = None
                        coro = stop.value
                        if type(coro) is not CoroutineType:
                            returned, coro = coro, coroutine_in(coro)
                            if coro is None:
                                self._ended(process, None, returned)
                                break
                        if tail_called is not None:
                            tail_called(process, coro)
                        process.coro = coro  # the tail call: the old frame is gone
                        process.resume = coro.send
                        if value is not None:
                            last, value = value, None
                        budget -= 1
                        if budget and process.pending is None:
                            continue
                        self._yield(process)
                        break
                    except BaseException as error:
                        if self.struck is not None:  # it may not have hit: it is to hit here
                            try:
                                absorb(self.struck)
                            except self.struck:
                                pass
                            self.struck = None
                        if value is not None or last is not None:
                            process.last_message = last if value is None else value
                        self._ended(process, error, None)
                        break
                    if request is RECEIVE:
                        if process.mailbox:
                            value = process.mailbox.popleft()
                            budget -= 1
                            if budget:
                                continue
                            process.value = value
                            process.waiting = HANDED
                            self._yield(process)
                            break
                        process.waiting = RECEIVE
                        if process.pending is not None:
                            self._throw_pending(process)
                        break
                    if type(request) is Receive:
                        try:
                            found = request.take(process)
                        except BaseException as error:  # not an Exception: a blow, or Ctrl-C, in a predicate
                            process.waiting = None
                            process.pending = error
                            self._throw_pending(process)
                            break
                        if request.cost:
                            budget -= request.cost
                            request.cost = 0
                        if found is NOT_FOUND and request.timeout == 0:
                            found = TIMED_OUT
                        if found is not NOT_FOUND:
                            value = found
                            process.resume = process.coro.send  # type: ignore[union-attr]  # it has begun
                            budget -= 1
                            if budget > 0:
                                continue
                            process.value = value
                            process.waiting = None if value is TIMED_OUT else HANDED
                            self._yield(process)
                            break
                    elif request is YIELD:
                        self._yield(process)
                        break
                    if value is not None:
                        process.last_message = value
                    self._park(process, request)
                    break
                used = RECEIVES_A_TURN - budget + 1
                process.reductions += used
                steps -= used
                if steps <= 0:
                    time = now()
                    if time >= until:
                        break
                    # As many would take half of what is left, at the most.
                    is_quick = until - time >= 4 * (time - looked) or looked == -math.inf
                    steps = a_look = min(2 * a_look, STEPS_A_LOOK) if is_quick else 1
                    looked = time
        except BaseException as error:  # not of a step, but of what is around it
            self._failed(process, error)
        finally:
            tasks.pop(loop, None)
            # What a process raised holds this frame by its traceback; so the frame is to hold nothing of it.
            process = value = last = request = coro = None
        return bool(queue)

    def _yield(self, process: Process) -> None:
        """Let the others run before `process` goes on."""
        if process.pending is not None:
            self._throw_pending(process)
        else:
            self.queue.append(process)

    # What the core asks of its surroundings.

    def _ended(self, process: Process, error: BaseException | None, value: Any) -> None:
        """Take in that `process` returned `value` or, if `error` is not None, raised it."""
        raise NotImplementedError

    def _failed(self, process: Process | None, error: BaseException) -> None:
        """Take in that something around a step of `process` raised `error`; the others go on in the next turn."""
        raise NotImplementedError

    def _park(self, process: Process, request: Any) -> None:
        """Let `process` wait for the Receive, the Sleep or the asyncio future that it yielded."""
        raise NotImplementedError

    def _throw_pending(self, process: Process) -> None:
        """Have the `pending` exception thrown into `process`, which has just stopped to wait."""
        raise NotImplementedError

    def _send_slowly(self, process: Process, message: Any) -> None:
        """Send from another thread, or in a core that copies or traces."""
        raise NotImplementedError

    def _wake(self) -> None:
        """Ask for a turn."""
        raise NotImplementedError


@coroutine
def receive(*patterns: object, timeout: float | None = None, default: object = NEVER) -> Generator[Any, Any, Any]:
    """Wait for the oldest message that any of `patterns` matches, take it out of the mailbox and return it.

    No pattern: any message. A pattern is a type (isinstance), a tuple (same length, element by element), `...`
    (anything), a plain predicate function, else equality. One that raises does not match. `timeout` is in seconds;
    0 looks through the whole mailbox once. On timeout: `default` if given.

    Raises: TimeoutError on timeout without `default`; ValueError for a negative timeout or NaN, TypeError for one that
    is not a number; RuntimeError outside a process.
    OTP: receive ... after.

    Example:

        self_() << ("price", 5)
        await receive(tuple)  # -> ('price', 5)
        await receive(timeout=0, default="nothing")  # -> 'nothing'
    """
    if not patterns and timeout is None:
        return (yield RECEIVE)
    if timeout is not None and not (type(timeout) in NUMBERS and 0 <= timeout <= LONG):
        timeout = checked_timeout("receive: timeout", timeout, "nothing was received")
    message = yield Receive(patterns, timeout)
    if message is TIMED_OUT:
        if default is NEVER:
            raise TimeoutError(f"receive: no message matched within {timeout} s")
        return default
    return message


@coroutine
def sleep_in_process(seconds: float) -> Generator[Any, Any, None]:
    """Wait for `seconds`; messages stay in the mailbox. 0 lets the others run once."""
    yield Sleep(None if seconds == INFINITY else seconds) if seconds else YIELD


receive.__module__ = "midflight.kernel.core"  # where either kernel has it: so it is pickled, and shown
RECEIVE_CODE = receive.__code__
RECEIVE_TYPES: frozenset[type] = frozenset()  # of the awaitables of another `receive` than the one in Python


def is_receive(awaited: object) -> bool:
    """Say whether `awaited` is what a call of `receive` returned."""
    return type(awaited) is GeneratorType and awaited.gi_code is RECEIVE_CODE


def takes_any_message(awaited: object) -> bool:
    """Say whether `awaited` is a `receive()` without patterns and limit."""
    if type(awaited) is not GeneratorType or awaited.gi_code is not RECEIVE_CODE or awaited.gi_frame is None:
        return False
    values = locals_of(awaited.gi_frame)
    return values["patterns"] == () and values["timeout"] is None


def fast_path(function: Function) -> Function:
    """Return `function`, or what does the same in C where it can; in this kernel there is nothing in C."""
    return function


def fast_path_of_timers(_: type) -> Callable[[Function], Function]:
    """Return a decorator as `fast_path`, for a function that makes or takes such a timer."""
    return fast_path


def fast_call(**_: object) -> Callable[[Function], Function]:
    """Return a decorator as `fast_path`, for `call`.

    It is given, by name, `Call` and `Client`, the classes of the message and of the caller that waits, and
    `call_failed(dest, request, message, client, timeout)`, which raises the error of a call that got no reply.
    """
    return fast_path


def answering(
    server: object,  # noqa: ARG001  # all are for the kernel in C
    home: ModuleType,  # noqa: ARG001
    kind: type,  # noqa: ARG001
    no_reply: object,  # noqa: ARG001
    more: tuple[type, ...],  # noqa: ARG001
) -> Answering | None:
    """Return an awaitable in which the loop of a server can receive, and that answers plain calls itself, in C.

    It does so as long as the namespace of `home` is that of now: messages of type `kind`, by `server.handle_call`. The
    value returned is the reply, unless it is `no_reply`, a coroutine, or of a type in `more`. None in this kernel.
    """
    return None


def in_python(function: object) -> object:
    """Return the function in Python that `function` does the same as, itself unless it is one of ours in C."""
    return function
