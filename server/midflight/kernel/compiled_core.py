"""The hot core of the compiled kernel: what `pure_core` has in Python, in C where it is hot. Same names, same laws.

The record of a process, its pid, the queues, `receive` and the turn are of `_compiled`. What they call back for all
that is rare is given to that module here, once.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

from midflight.kernel import _compiled, mailbox, pure_core
from midflight.kernel._compiled import Answering, Core, PatternReceive, Pid, PlainReceive, Queue
from midflight.kernel.async_exc import absorb
from midflight.kernel.behaviour import Behaviour
from midflight.kernel.frames import function_name
from midflight.kernel.futures import FutureWaiter
from midflight.kernel.pure_record import again
from midflight.kernel.refs import ref_numbers
from midflight.kernel.returned import coroutine_in
from midflight.kernel.seconds import checked_timeout

__all__ = [
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
    "takes_any_message",
]

Function = TypeVar("Function", bound=Callable[..., Any])

RECEIVE_TYPES = frozenset({PlainReceive, PatternReceive})


class Process(FutureWaiter, _compiled.Record):  # the fields of the one in Python, in C
    """One process. Only the kernel sees it; others hold its pid. See the class of that name in `pure_record`."""

    __slots__ = ("__weakref__",)

    @property
    def initial_call(self) -> str:
        """The name of the function that the process began with, or will."""
        return self.initial_name if self.start is None else function_name(self.start[0])

    def __repr__(self) -> str:
        return f"<Process {self.pid!r}>"


_compiled.setup(
    RECEIVE=mailbox.RECEIVE,
    YIELD=mailbox.YIELD,
    HANDED=mailbox.HANDED,
    NOT_FOUND=mailbox.NOT_FOUND,
    TIMED_OUT=mailbox.TIMED_OUT,
    Receive=mailbox.Receive,
    again=again,
    coroutine_in=coroutine_in,
    absorb=absorb,
    function_name=function_name,
    Behaviour=Behaviour,
    Process=Process,
    checked_timeout=checked_timeout,
    ref_numbers=ref_numbers,
    monotonic=time.monotonic,
)


def fast_path(function: Function) -> Function:
    """Return what does the same as `function` in C where it can, else `function`."""
    return _wrapped(function, _compiled.fast_path(function.__name__, function))


def fast_path_of_timers(timer: type) -> Callable[[Function], Function]:
    """Return a decorator as `fast_path`, for a function that makes or takes such a timer."""

    def decorate(function: Function) -> Function:
        return _wrapped(function, _compiled.fast_path(function.__name__, function, timer))

    return decorate


def fast_call(**objects: Any) -> Callable[[Function], Function]:
    """Return a decorator as `fast_path`, for `call`; see the one in `pure_core`."""

    def decorate(function: Any) -> Any:
        (timeout,) = function.__defaults__
        fast = _wrapped(function, _compiled.fast_call(call=function, call_timeout=timeout, **objects))
        if hasattr(inspect, "markcoroutinefunction"):  # since 3.12
            inspect.markcoroutinefunction(fast)
        return fast

    return decorate


def answering(
    server: object, home: ModuleType, kind: type, no_reply: object, more: tuple[type, ...]
) -> Answering | None:
    """Return the awaitable in which the loop of a server receives; see the one in `pure_core`."""
    if not issubclass(type(home), ModuleType):  # a program may put anything in sys.modules
        return None
    return Answering(server, home, home.__dict__, kind, no_reply, more)


def _wrapped(function: Function, fast: Any) -> Function:
    if fast is not function:
        functools.update_wrapper(fast, function)
    return fast  # type: ignore[no-any-return]  # it looks like the function


def in_python(function: Any) -> object:
    """Return the function in Python that `function` does the same as, itself unless it is one of ours in C."""
    return function.__wrapped__ if type(function) is FAST_PATH else function


receive = fast_path(pure_core.receive)
FAST_PATH: Any = type(receive)


def is_receive(awaited: object) -> bool:
    """Say whether `awaited` is what a call of `receive` returned."""
    return type(awaited) in RECEIVE_TYPES or pure_core.is_receive(awaited)


def takes_any_message(awaited: object) -> bool:
    """Say whether `awaited` is a `receive()` without patterns and limit, or does the same in C."""
    return type(awaited) in (PlainReceive, Answering) or pure_core.takes_any_message(awaited)
