"""The functions on messages and time that programs call: send, send_after, sleep, make_ref, alias, by OTP's names."""

from __future__ import annotations

import asyncio
from _thread import get_ident
from collections.abc import Callable, Generator
from contextvars import ContextVar
from types import coroutine
from typing import Any, TypeVar

from midflight.errors import NoSuchName
from midflight.kernel import arguments
from midflight.kernel.core import Pid, Process, fast_path, fast_path_of_timers, sleep_in_process
from midflight.kernel.lives import DistantRef
from midflight.kernel.names import process_named
from midflight.kernel.refs import Ref, TimerRef, ref_numbers
from midflight.kernel.running import current_process, current_scheduler
from midflight.kernel.scheduler import Scheduler
from midflight.kernel.seconds import LONG, NUMBERS

__all__ = [
    "MessageTimer",
    "alias",
    "cancel_timer",
    "make_ref",
    "send",
    "send_after",
    "sleep",
    "timer_noter_var",
    "unalias",
]

Message = TypeVar("Message")
Dest = Pid | Ref | str | tuple[str, str]

timer_noter_var: ContextVar[Callable[[MessageTimer], object] | None] = ContextVar("midflight_timer_noter", default=None)
"""Called with each timer that is set in a context, by the function in Python: the compiled one does not ask."""


def send(dest: Dest, message: Message) -> Message:
    """Send `message` and return it. Safe from any thread.

    A dead pid, a closed alias or a (name, node) that nobody has: it is dropped.
    Raises: NoSuchName for a name that nobody has; TypeError for what is not a destination, ValueError for an empty
    name. A registry's `via` is not one (`call` and `cast` take it, as in OTP): send to its `whereis()`. OTP: `!`.

    Example:

        send(self_(), "hello")  # -> 'hello'
        await receive()  # -> 'hello'
    """
    where = arguments.destination("send()", dest)
    receiver = where if isinstance(where, Pid | Ref) else _holder(current_scheduler(), where)
    if receiver is not None:
        receiver << message
    elif isinstance(where, str):
        raise NoSuchName(where)
    return message


def _holder(scheduler: Scheduler, name: str | tuple[str, str]) -> Pid | None:
    """Return the process that has `name`, or None."""
    process = process_named(scheduler, *name) if isinstance(name, tuple) else scheduler.names.get(name)
    return None if process is None else process.pid


class MessageTimer(TimerRef):
    """A message to be sent at a deadline, until it is sent or cancelled; `send_after` returns it. A `Deadline`."""

    __slots__ = ()

    def __init__(self, scheduler: Scheduler, deadline: float, dest: Dest, message: object) -> None:
        # Ref's slots are set here and not by its __init__: that call would be a tenth of what a timer costs.
        self.number = next(ref_numbers)
        self.owner = self.alias = None
        self.mark = 0
        self.once = False
        self.scheduler = scheduler
        self.deadline = deadline
        self.dest = dest
        self.ahead = [message]

    def set(self) -> None:
        """Begin; on the thread of the scheduler. If it was cancelled before, that is counted, too."""
        scheduler = self.scheduler
        scheduler.timers.add(self)
        if not scheduler.awake:
            scheduler.wake_up()  # the driver may sleep past this deadline

    def cancel(self) -> float | None:
        """Send nothing; return the seconds that were left, None if it has ended. Safe from any thread."""
        scheduler = self.scheduler
        try:
            self.ahead.pop()
        except IndexError:
            return None
        if get_ident() == scheduler.thread:
            scheduler.timers.note_cancelled()
        else:
            scheduler.on_own_thread(scheduler.timers.note_cancelled)
        left = self.deadline - scheduler.clock.now()
        return left if left > 0 else 0.0

    def ring(self, what: object) -> None:
        """Send the message."""
        if isinstance(self.dest, DistantRef):
            self.dest << what
            return
        process = self._receiver(self.dest)
        if process is None:
            return
        if process.core is self.scheduler:
            self.scheduler.deliver(process, what)  # as it is: it was copied when the timer was set
        else:
            process.pid << what

    def _receiver(self, dest: Dest) -> Process | None:
        """Return the receiver of the message now, None if there is none."""
        if isinstance(dest, Ref):
            process = dest.alias
            if dest.once:
                dest.close()
            return process
        pid = dest if isinstance(dest, Pid) else _holder(self.scheduler, dest)
        return None if pid is None else pid.process


@fast_path_of_timers(MessageTimer)
def send_after(seconds: float, dest: Dest, message: object) -> Ref:
    """Send `message` to `dest` in `seconds`; return the timer. Nothing happens if `dest` is gone by then.

    A name is looked up when the time has come. With the runtime's option `copy_messages` the message is copied now.
    Raises: TypeError for what is neither a Pid nor a name, (name, node) or an alias (a registry's `via` is not: give
    its `whereis()`), and for `seconds` that are not a number; ValueError if they are negative, infinite or NaN. No
    timer is set then.
    OTP: erlang:send_after/3, in milliseconds, for a pid or a name.

    Example:

        send_after(0.01, self_(), "wake up")
        await receive()  # -> 'wake up'
    """
    if not (type(seconds) in NUMBERS and 0 <= seconds <= LONG):
        seconds = arguments.seconds("send_after: seconds", seconds, "no timer was set")
    where = dest if type(dest) is Pid else arguments.destination("send_after()", dest)
    scheduler = current_scheduler()
    timer = MessageTimer(scheduler, scheduler.clock.now() + seconds, where, scheduler.copy_of(message))
    note = timer_noter_var.get()
    if note is not None:
        note(timer)
    if get_ident() == scheduler.thread:
        timer.set()
    else:
        scheduler.on_own_thread(timer.set)
    return timer


@fast_path_of_timers(MessageTimer)
def cancel_timer(ref: Ref) -> float | None:
    """Cancel a timer; return the seconds it had left, or None if it rang, was cancelled, or is another kind of ref.

    Safe from any thread. Raises: TypeError if `ref` is not a Ref.
    OTP: erlang:cancel_timer/1, which answers milliseconds or false.

    Example:

        timer = send_after(60, self_(), "late")
        59 < cancel_timer(timer) <= 60  # -> True
        cancel_timer(timer)  # -> None
    """
    if type(ref) is MessageTimer:
        return ref.cancel()
    arguments.ref("cancel_timer()", ref)
    return None


@coroutine
def sleep(seconds: float) -> Generator[Any, Any, None]:
    """Wait for `seconds`; messages stay in the mailbox. 0 lets the others run once, infinity never ends.

    Outside a process it is asyncio.sleep. Raises: TypeError if `seconds` is not a number; ValueError if it is negative
    or NaN. OTP: timer:sleep/1.

    Example:

        self_() << "kept"
        await sleep(0.01)
        await receive()  # -> 'kept'
    """
    wait = arguments.seconds("sleep: seconds", seconds, or_ever=True)
    scheduler = current_scheduler()
    if scheduler.is_own_thread() and scheduler.current() is not None:
        yield from sleep_in_process(wait)
    else:
        yield from asyncio.sleep(wait).__await__()


@fast_path
def make_ref() -> Ref:
    """Return a new ref. A receive that waits for it skips earlier messages of the mailbox. OTP: make_ref/0.

    Example:

        ref = make_ref()
        self_() << (ref, 5)
        await receive(lambda message: message[0] == ref) == (ref, 5)  # -> True
    """
    scheduler = current_scheduler()
    return Ref(scheduler.current() if scheduler.is_own_thread() else None)


def alias(once: bool = False) -> Ref:
    """Return a ref that takes messages for the calling process (`ref << message`) until `unalias`.

    `once` closes it after its first message. Raises: TypeError unless `once` is True or False; NotInProcess.
    OTP: alias/1; `once` is [reply].

    Example:

        answers = alias(once=True)
        answers << "first"
        answers << "second"  # dropped
        await receive(), await receive(timeout=0, default=None)  # -> ('first', None)
    """
    me = current_process("alias()")
    ref = Ref(me)
    ref.once = arguments.flag("alias: once", once)
    ref.alias = me
    if me.aliases is None:
        me.aliases = set()
    me.aliases.add(ref)
    return ref


def unalias(ref: Ref) -> bool:
    """Close an alias of the calling process; say whether it was open. Later messages to it are dropped.

    A ref that is not an alias, or another process's: nothing is changed, and the answer is False.
    Raises: TypeError if `ref` is not a Ref; NotInProcess. OTP: unalias/1.

    Example:

        answers = alias()
        unalias(answers)  # -> True
        answers << "dropped"
        await receive(timeout=0, default=None)  # -> None
    """
    me = current_process("unalias()")
    if arguments.ref("unalias()", ref) not in (me.aliases or ()):
        return False
    ref.close()
    return True
