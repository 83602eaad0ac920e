"""A runtime for each event loop that somebody's test makes, and processes in it in the place of tasks.

The test knows nothing of a runtime: it makes a loop, runs coroutines in it, closes it. So the runtime is entered when
the first process is wanted and left when the loop is closed; between, the loop runs and stops as the test likes.
"""

from __future__ import annotations

import _signal
import asyncio
import threading
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import Context
from types import CoroutineType, coroutine
from typing import Any

from midflight import Runtime
from midflight.kernel import Process, schedulers
from midflight.kernel.running import enter, leave

__all__ = ["Host", "host_of", "leave_loop"]

NAME = "_midflight_host"  # the attribute of a loop


class Host:
    """The runtime of `loop`, which need not be running. `spawned` counts the processes of all hosts."""

    spawned = 0

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.runtime = Runtime(watchdog=False)
        self._leave_others()
        asyncio._set_running_loop(loop)
        try:
            with _another_ctrl_c():
                _drive(self.runtime.__aenter__())
        finally:
            asyncio._set_running_loop(None)
        setattr(loop, NAME, self)

    def activate(self) -> None:
        """Make this the runtime of the thread: its loop is about to run."""
        self._leave_others()
        if self.runtime.scheduler not in schedulers():
            enter(self.runtime.scheduler)

    def _leave_others(self) -> None:
        own = getattr(self.runtime, "scheduler", None)
        for scheduler in schedulers():
            if scheduler is not own and scheduler.is_own_thread():
                leave(scheduler)

    def spawn(self, coro: Coroutine[Any, Any, Any], context: Context | None = None, name: object = None) -> Process:
        """Make the process that a task of `coro` would be; in `context` itself, not in a copy, if it is given."""
        Host.spawned += 1
        process = self.runtime.scheduler.spawn(lambda: coro if type(coro) is CoroutineType else _steps(coro), ())
        self.runtime.scheduler.on_result[process] = self._ended
        if context is not None:
            process.context = context
        if name is not None:
            process.set_name(name)
        return process

    def _ended(self, reason: object, _: Any) -> None:
        """Make no crash report: the test asks the process itself. As midflight.run does, let these end the loop."""
        if isinstance(reason, (KeyboardInterrupt, SystemExit)):
            self.loop.call_soon(_raise, reason)

    def end(self) -> None:
        """End all processes and the runtime: the loop is about to be closed."""
        self.runtime.kill_all()
        _drive(self.runtime.__aexit__(None, None, None))
        delattr(self.loop, NAME)


def host_of(loop: asyncio.AbstractEventLoop) -> Host:
    """Return the host of `loop`, made if there is none."""
    return getattr(loop, NAME, None) or Host(loop)


def leave_loop(loop: asyncio.AbstractEventLoop) -> None:
    """End the host of `loop`, if it has one."""
    host = getattr(loop, NAME, None)
    if host is not None:
        host.end()


@contextmanager
def _another_ctrl_c() -> Iterator[None]:
    """Have a handler of SIGINT in place that is not Python's, as asyncio.Runner has when a program enters a runtime.

    Here the runtime is entered before Runner has set its own, which it does only in the place of Python's.
    """
    before = _signal.getsignal(_signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is not _signal.default_int_handler:
        yield
        return
    _signal.signal(_signal.SIGINT, lambda *_: None)  # not by the module `signal`, which tests replace
    try:
        yield
    finally:
        _signal.signal(_signal.SIGINT, before)


@coroutine
def _steps(coro: Any) -> Generator[Any, Any, Any]:
    """Give what `coro` gives, stepping it by its methods, as a Task does; a plain generator, too."""
    step, value = coro.send, None
    while True:
        try:
            request = step(value)
        except StopIteration as stop:
            return stop.value
        try:
            value = yield request
        except BaseException as error:
            step, value = coro.throw, error
        else:
            step = coro.send


def _drive(coro: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine that waits for nothing."""
    try:
        coro.send(None)
    except StopIteration:
        return
    coro.close()
    raise RuntimeError(f"{coro!r} waits")


def _raise(error: BaseException) -> None:
    raise error
