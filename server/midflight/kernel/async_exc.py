"""Raising an exception in Python code that runs on another thread, and in nothing else.

CPython offers one way: `PyThreadState_SetAsyncExc` notes an exception class for a thread, and the thread raises it at
the next check that it makes between two bytecodes (after a call, at the start of a function, at a jump backwards),
whatever runs there by then. A `Target` makes a synchronous piece of code a place where that can be done; a process
that nobody prepared is broken into by `break_into`, with the turn of the scheduler as the guarded place.

Laws:
1. The look and the blow are one. Who strikes finds the innermost frame of the thread and deals the exception in a
   chain of C functions that runs no bytecode, so no other thread runs between the two. The chain compares once more
   that the target is open and that the innermost frame is the one that was judged.
2. Nothing takes a dealt exception back. Calling the function with NULL would leave CPython 3.11 with a request that
   nobody clears: the next traced frame of the thread then spins without end. Who leaves a target closes it first,
   then, if it was struck, runs an empty loop until the exception has come: here it hits nothing.
3. Closing takes one assignment. The compiler puts no check between the end of the target's code and that assignment,
   so no exception falls between the two. No lock is taken: an exception in a lock's code would leave it locked.
4. The class that is dealt is made for that target, so another target's exception, or a Ctrl-C, is never mistaken for
   it; these are raised once more when this target's own has come.
5. The innermost code must be the user's. In the kernel (`pid << message` in a loop) a half-done step would lose
   a message; in the import system, `logging` or `threading` a lock would stay locked. The striker tries again.

Limits: code in C that does not return cannot be interrupted, and a thread has room for one exception: a second that
is dealt before the first has hit takes its place. A build without the interpreter's lock has no law 1.
"""

from __future__ import annotations

import ctypes
import dis
import os
import sys
import sysconfig
from _thread import get_ident
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import compress, repeat, starmap
from operator import attrgetter, eq, is_, itemgetter
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from midflight.collection import callers_of, frames_of_threads, without_collection

if TYPE_CHECKING:
    from midflight.kernel.core import Process
    from midflight.kernel.scheduler import Scheduler

__all__ = ["Target", "absorb", "break_into", "is_user_code", "is_users_own", "own_class"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Error = TypeVar("Error", bound=BaseException)

_STANDARD_LIBRARY = sysconfig.get_path("stdlib") + os.sep
_HOLD_LOCKS = (
    "<frozen importlib",
    _STANDARD_LIBRARY + os.path.join("importlib", ""),
    _STANDARD_LIBRARY + os.path.join("logging", ""),
    _STANDARD_LIBRARY + "threading.py",
)
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_ROUNDS = 8  # of an empty loop; one is enough
_NOBODY = 0  # no thread's number

_set_async_exc: Any = ctypes.pythonapi["PyThreadState_SetAsyncExc"]  # by item: nobody else sets its types
_set_async_exc.argtypes = (ctypes.c_ulong, ctypes.py_object)
_set_async_exc.restype = ctypes.c_int


class Target(Generic[Error]):
    """A synchronous piece of code that any other thread can raise an `error` in, as long as it runs.

    One piece at a time; when it has ended the target may be used for another. Targets nest, on one thread too.
    `came_late` says of the last piece that an exception was dealt and found it ended.
    """

    __slots__ = ("came_late", "dealt", "struck", "thread")

    def __init__(self, error: type[Error]) -> None:
        self.dealt = own_class(error)  # what is raised
        self.thread = _NOBODY  # the thread that runs the piece now
        self.struck = False  # an exception was dealt to this piece, or is about to be
        self.came_late = False

    @property
    def is_running(self) -> bool:
        """True while a piece of code runs in it."""
        return self.thread != _NOBODY

    def run(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Return the value of `function` or raise its exception, or the one of `interrupt`.

        An exception that was dealt and has not hit before `function` ended is dropped; `came_late` is true then. It is
        true, too, of one that hit between the last bytecode of `function` and the return: that one is raised.

        Raises: RuntimeError if the target runs something already.
        """
        if self.thread != _NOBODY:
            raise RuntimeError("this target runs something already; that goes on. Use a target of your own")
        self.struck = self.came_late = False
        thread = get_ident()
        try:
            self.thread = thread
            result = function(*args, **kwargs)
        except BaseException as error:
            self.thread = _NOBODY  # first of all: law 3
            if self.struck:
                try:
                    self.came_late = absorb(self.dealt)
                except self.dealt:  # at the start of that call
                    self.came_late = True
                if type(error) is self.dealt and error.__traceback__ is not None:
                    self.came_late = error.__traceback__.tb_next is None
            raise
        self.thread = _NOBODY
        if self.struck:
            try:
                self.came_late = absorb(self.dealt)
            except self.dealt:
                self.came_late = True
        return result

    def interrupt(self, *, amid_ours: bool = False) -> bool:
        """Raise `error`, without arguments, in the code that runs now; False, with no effect, if it cannot be just now.

        To be called from another thread: again after a moment if it was False, and also if it was True and the code
        goes on, for it may have caught the exception. What is raised is a `dealt`: an `error` by name and for
        `except`, of a class of this target's own. `amid_ours` strikes in Midflight's own code too: for a piece of code
        that holds nothing of ours.
        """
        thread = self.thread
        frame = frames_of_threads().get(thread)
        if thread in (_NOBODY, get_ident()) or frame is None or not may_be_struck(frame, amid_ours=amid_ours):
            return False
        self.struck = True
        is_open = map(eq, map(attrgetter("thread"), repeat(self)), repeat(thread))
        will_be_seen = map(attrgetter("struck"), repeat(self))
        return _deal(thread, frame, self.dealt, is_open, will_be_seen)


def own_class(error: type[Error], **attributes: object) -> type[Error]:
    """Return a new subclass of `error` that looks like `error` itself, also to pickle, and has these `attributes`."""

    def __reduce__(self: Error) -> Any:
        return (error, self.args)

    names = {"__module__": error.__module__, "__qualname__": error.__qualname__, "__doc__": error.__doc__}
    return type(error.__name__, (error,), {**names, "__reduce__": __reduce__, **attributes})


def absorb(dealt: type[BaseException]) -> bool:
    """Wait until a `dealt` that is on its way to this thread has come, and drop it; say whether one came.

    To be called within `try ... except dealt`: it may come at the start of this very call. Exceptions of another
    kind that come first (of a signal, of a target outside) are raised afterwards.
    """
    try:
        for _ in range(_ROUNDS):
            pass
    except dealt:
        return True
    except BaseException:
        try:
            absorb(dealt)
        except dealt:
            pass
        raise
    return False


def break_into(scheduler: Scheduler, process: Process, turn: int, error: type[BaseException]) -> bool:
    """Raise `error` in `process` if it still runs in turn number `turn`; say whether it was dealt.

    To be called from another thread than the scheduler's. Tries once, and may well miss: see law 5. `Core.turn`
    absorbs what does not hit before the process's step ends. `error` is raised without arguments.
    """
    thread = scheduler.thread
    frame = frames_of_threads().get(thread)
    if scheduler.turns != turn or scheduler.current() is not process or frame is None or not may_be_struck(frame):
        return False
    scheduler.struck = error
    return _deal(
        thread,
        frame,
        error,
        map(is_, map(scheduler.tasks.get, repeat(scheduler.loop)), repeat(process)),
        map(eq, map(attrgetter("turns"), repeat(scheduler)), repeat(turn)),
        map(is_, map(attrgetter("struck"), repeat(scheduler)), repeat(error)),
    )


def _deal(thread: int, frame: FrameType, error: type[BaseException], *conditions: Iterator[bool]) -> bool:
    """Deal `error` to `thread` if all `conditions` hold and `frame` is its innermost; say whether it was dealt.

    All is built first. Then `next` runs it in C, from the look to the blow: law 1.
    """
    look = map(is_, map(itemgetter(thread), iter(sys._current_frames, None)), repeat(frame))
    strikes: Iterable[tuple[ctypes.c_ulong, ctypes.py_object[Any]]]
    strikes = repeat((ctypes.c_ulong(thread), ctypes.py_object(error)), 1)
    for condition in (*conditions, look):
        strikes = compress(strikes, condition)
    try:
        return without_collection(next, starmap(_set_async_exc, strikes), 0) == 1
    except KeyError:  # the thread has ended
        return False


def may_be_struck(frame: FrameType, *, amid_ours: bool = False) -> bool:
    """Say whether an exception may be raised in `frame`, the innermost of a thread: law 5.

    The import system, `logging` and `threading` hold locks that all threads share, and not everywhere in a way that an
    exception cannot leave them locked. They are struck where they only wait.
    """
    filename = frame.f_code.co_filename
    if filename.startswith(_HOLD_LOCKS) and frame.f_lasti not in _waits_in(frame.f_code):
        return False
    return amid_ours or is_user_code(frame)


@lru_cache(maxsize=256)
def _waits_in(code: CodeType) -> frozenset[int]:
    """Return the places where a function of `threading` makes a call that may wait long, and cleans up if it raises."""
    if code.co_name not in ("wait", "join", "_wait_for_tstate_lock"):
        return frozenset()
    found, name = set(), None
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_METHOD", "LOAD_ATTR"):
            name = instruction.argval
        elif instruction.opname.startswith("CALL") and name in ("acquire", "join"):
            found.add(instruction.offset)
    return frozenset(found)


def is_user_code(frame: FrameType | None) -> bool:
    """Say whether `frame`, the innermost of a thread, works for the user's code and not for Midflight's.

    What is of the standard library counts as the code that called it.
    """
    for each in callers_of(frame):
        if each.f_code.co_filename.startswith(_OURS):
            return False
        if is_users_own(each):
            return True
    return False


def is_users_own(frame: FrameType) -> bool:
    """Say whether the code of `frame` is neither of the standard library nor Midflight's."""
    return not frame.f_code.co_filename.startswith((_OURS, _STANDARD_LIBRARY, "<frozen "))
