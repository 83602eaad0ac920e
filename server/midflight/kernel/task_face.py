"""The face of an asyncio task that a process shows to asyncio and its libraries: all that a Task has, a process has.

Laws:
1. What a Task would answer at a moment, the process answers: `cancel` asks the awaited future first; a future that is
   done stays the one that is waited for until the step.
2. It costs a process that nobody takes for a task one empty slot.
3. Callbacks are called by the event loop, after the end, each in its own context.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, TextIO, cast

from midflight.errors import ProcessExit
from midflight.kernel import trouble
from midflight.kernel.mailbox import RECEIVE, Receive, Sleep
from midflight.kernel.signals import is_normal
from midflight.kernel.task_parts import MessageWaiter, Unbegun, print_frames, stack_of_task

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import FrameType

    from midflight.kernel.core import Pid

__all__ = ["FIELDS_OF_THE_RECORD", "TaskFace"]

FIELDS_OF_THE_RECORD: tuple[str, ...] = ()  # as slots: it has them all itself, in Python or in C


class TaskFace:
    """The methods that asyncio.timeout, TaskGroup, gather, anyio and aiohttp call on the task that runs them.

    `exit_reason` is a 1-tuple once the reason is settled; after a normal end `value` is what was returned.
    `extras` is None until somebody uses the process as a task in a way that has to be remembered.
    """

    __slots__ = FIELDS_OF_THE_RECORD

    pid: Pid
    core: Any
    context: Context
    coro: Coroutine[Any, Any, Any] | None
    cancels: int
    exit_reason: tuple[object] | None
    extras: Extras | None
    pending: BaseException | None
    value: Any
    waiting: Any

    # --- Cancelling -------------------------------------------------------------------------------------

    def cancel(self, msg: object = None) -> bool:
        """Cancel the future that the process awaits, else throw CancelledError at its next step.

        This is asyncio's; ours is `exit`. Returns False if the process has ended.
        """
        if self.done():
            return False
        self.cancels += 1
        if not (asyncio.isfuture(self.waiting) and self.waiting.cancel(msg=msg)):
            self.core.interrupt(self, asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg))
        return True

    def cancelling(self) -> int:
        """Return how many cancellations were asked for and not taken back."""
        return self.cancels

    def uncancel(self) -> int:
        """Take one cancellation back; return how many are left. As in Python 3.13, 0 undoes one not yet thrown."""
        if self.cancels:
            self.cancels -= 1
            if not self.cancels:
                self.core.forget_cancel(self)
        return self.cancels

    # --- The end ----------------------------------------------------------------------------------------

    def done(self) -> bool:
        """Say whether the process has ended."""
        return self.pid.process is None

    def cancelled(self) -> bool:
        """Say whether the process ended by a CancelledError, which an exit signal is, too."""
        return self.done() and isinstance(self._failure(), asyncio.CancelledError)

    def result(self) -> Any:
        """Return the value that the process function returned.

        Raises: InvalidStateError before the end; the exit reason, if that is an exception, else ProcessExit(reason)
        unless it is normal.
        """
        if not self.done():
            raise asyncio.InvalidStateError("Result is not ready.")
        failure = self._failure()
        if failure is None:
            return self.value
        try:
            raise failure
        finally:
            del failure  # its traceback holds this frame

    def exception(self) -> BaseException | None:
        """Return the exception that the process raised, None after a normal end.

        Raises: InvalidStateError before the end; CancelledError if that is how it ended.
        """
        if not self.done():
            raise asyncio.InvalidStateError("Exception is not set.")
        failure = self._failure()
        if not isinstance(failure, asyncio.CancelledError):
            return failure
        try:
            raise failure
        finally:
            del failure

    def _failure(self) -> BaseException | None:
        reason = None if self.exit_reason is None else self.exit_reason[0]
        if issubclass(type(reason), BaseException):
            return cast(BaseException, reason)
        return None if reason is None or is_normal(reason) else ProcessExit(reason)

    def set_result(self, _: object) -> None:
        """Raise RuntimeError: the result of a process is the value of its function alone."""
        raise RuntimeError("Task does not support set_result operation")

    def set_exception(self, _: object) -> None:
        """Raise RuntimeError: the process function alone raises; `exit` ends a process from outside."""
        raise RuntimeError("Task does not support set_exception operation")

    def add_done_callback(self, function: Callable[[Any], object], /, *, context: Context | None = None) -> None:
        """Have the loop call `function(process)` after the end, in `context` or a copy of the caller's."""
        context = copy_context() if context is None else context
        if self.done():
            self.core.loop.call_soon(function, self, context=context)
        else:
            self._own_extras().callbacks.append((function, context))

    def remove_done_callback(self, function: Callable[[Any], object], /) -> int:
        """Take back every callback that equals `function`; return how many there were."""
        if self.extras is None:
            return 0
        before = self.extras.callbacks
        self.extras.callbacks = [(each, context) for each, context in before if each != function]
        return len(before) - len(self.extras.callbacks)

    def tell_callbacks(self) -> None:
        """Have the loop call all callbacks: the process has ended."""
        if self.extras is not None:
            callbacks, self.extras.callbacks = self.extras.callbacks, []
            for function, context in callbacks:
                try:
                    self.core.loop.call_soon(function, self, context=context)
                except Exception as error:  # the loop is closed, or takes no such function
                    trouble.tell(f"A done callback of {self.pid!r}", error)

    def __await__(self) -> Generator[Any, Any, Any]:
        if not self.done():
            self._asyncio_future_blocking = True
            yield self
        if not self.done():
            raise RuntimeError("await wasn't used with future")
        return self.result()

    __iter__ = __await__

    # --- Looking ----------------------------------------------------------------------------------------

    def get_coro(self) -> Coroutine[Any, Any, Any] | None:
        """Return the coroutine that the process runs now, which a tail call replaces.

        One that has not begun, or runs a plain function, has none: an object that stands for it. None after the end.
        """
        return Unbegun(self) if self.coro is None and not self.done() else self.coro

    def get_name(self) -> str:
        """Return the name given by `set_name`, else the pid as text. It is not the registered name."""
        return repr(self.pid) if self.extras is None or self.extras.name is None else self.extras.name

    def set_name(self, value: object, /) -> None:
        """Have `get_name` return `str(value)`."""
        self._own_extras().name = str(value)

    def get_context(self) -> Context:
        """Return the process's own context."""
        return self.context

    def get_loop(self) -> Any:
        """Return the event loop that the process runs in."""
        return self.core.loop

    def get_stack(self, *, limit: int | None = None) -> list[FrameType]:
        """Return the frames as Task.get_stack does: those of its suspension, or those of its exception."""
        return stack_of_task(self.coro, self._raised(), limit)

    def print_stack(self, *, limit: int | None = None, file: TextIO | None = None) -> None:
        """Print the frames of `get_stack` with their lines, to `file` or stderr."""
        print_frames(repr(self), self.get_stack(limit=limit), self._raised(), file)

    def _raised(self) -> BaseException | None:
        failure = self._failure() if self.done() else None
        return None if isinstance(failure, asyncio.CancelledError) else failure

    # --- What asyncio and anyio read of a Task besides its public methods --------------------------------

    def _own_extras(self) -> Extras:
        if self.extras is None:
            self.extras = Extras()
        return self.extras

    @property
    def _asyncio_future_blocking(self) -> bool:  # its presence makes a future
        return self.extras is not None and self.extras.blocking

    @_asyncio_future_blocking.setter
    def _asyncio_future_blocking(self, value: bool) -> None:
        self._own_extras().blocking = value

    @property  # type: ignore[misc]  # a class is expected; isinstance takes what this says, too
    def __class__(self) -> type:
        return asyncio.Task  # libraries ask isinstance(task, asyncio.Task); type(process) tells the truth

    @property
    def _loop(self) -> Any:
        return self.core.loop

    # asyncio writes these on tasks that it was handed. A process that lives is held; its crash is reported otherwise.
    _log_destroy_pending = property(lambda _: False, lambda *_: None)
    _log_traceback = property(lambda _: False, lambda *_: None)
    _source_traceback = None

    @property
    def _callbacks(self) -> list[tuple[Callable[[Any], object], Context]]:
        return [] if self.extras is None else list(self.extras.callbacks)

    @property
    def _cancel_message(self) -> object:
        failure = self._failure() if self.done() else self.pending
        return failure.args[0] if isinstance(failure, asyncio.CancelledError) and failure.args else None

    def _make_cancelled_error(self) -> BaseException:
        failure = self._failure()
        return failure if isinstance(failure, asyncio.CancelledError) else asyncio.CancelledError()

    @property
    def _must_cancel(self) -> bool:
        return self.pending is not None and not self.done()

    @property
    def _fut_waiter(self) -> Any:
        if asyncio.isfuture(self.waiting):
            return self.waiting
        waiting = self.waiting
        return MessageWaiter(self) if waiting is RECEIVE or type(waiting) in (Receive, Sleep) else None


class Extras:
    """The data that only a process used as a task needs: its blocker, its callbacks and its name."""

    __slots__ = ("blocking", "callbacks", "name")

    def __init__(self) -> None:
        self.blocking = False
        self.callbacks: list[tuple[Callable[[Any], object], Context]] = []
        self.name: str | None = None
