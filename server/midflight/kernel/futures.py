"""A process's wait for an asyncio future, and how it goes on: as a Task does, with a Task's complaints."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from midflight.kernel import trouble
from midflight.kernel.task_face import FIELDS_OF_THE_RECORD, TaskFace
from midflight.text import medium

if TYPE_CHECKING:
    from midflight.kernel.core import Process

__all__ = ["FutureWaiter", "problem", "wait_for"]


class FutureWaiter(TaskFace):
    """The ways in which a process goes on that has waited for a future, or that an exception is thrown into."""

    __slots__ = FIELDS_OF_THE_RECORD

    resume: Callable[[Any], Any]

    def raise_pending(self, _: object) -> Any:
        """Raise the pending exception where the process waits."""
        error, self.pending = self.pending, None
        assert error is not None
        try:
            return self._raise(error)
        finally:
            del error, self  # what was raised holds this frame

    def _raise(self, error: BaseException) -> Any:
        coro = self.coro
        try:
            if coro is None:  # not begun
                raise error
            self.resume = coro.send
            return coro.throw(error)
        finally:
            del error, self, coro

    def wake_up(self, future: Any) -> None:
        """Let the process go on after `future`, which is done. The process counts as waiting for it until its step."""
        if self.waiting is future:
            self.resume = self._after_future
            try:
                self.core.step_now(self)
            finally:
                del self, future  # what was raised holds this frame
        else:  # killed meanwhile
            _mark_as_seen(future)

    def _after_future(self, _: object) -> Any:
        """Go on with the future's result: a task's step is the same, so an exception is thrown, not returned."""
        future, self.waiting = self.waiting, None
        error, self.pending = self.pending, None
        if error is None or type(error) is CancelledError:
            try:
                future.result()
            except BaseException as failure:
                if error is None or isinstance(failure, CancelledError):
                    error = failure
        else:
            _mark_as_seen(future)
        try:
            if error is not None:
                return self._raise(error)
            assert self.coro is not None
            self.resume = self.coro.send
            return self.coro.send(None)
        finally:
            del error, self, future  # what was raised holds this frame


def problem(process: Process, request: Any) -> str | None:
    """Say why `process` cannot wait for the `request` that its coroutine yielded; None if it can.

    The sentences are asyncio's, with the process in the place of the task.
    """
    is_blocking = getattr(request, "_asyncio_future_blocking", None)
    if is_blocking is None:
        if type(request) is GeneratorType:
            return f"yield was used instead of yield from for generator in task {process!r} with {medium(request)}"
        return f"Task got bad yield: {medium(request)}"
    if _loop_of(request) is not process.core.loop:
        return f"Task {process!r} got Future {medium(request)} attached to a different loop"
    if not is_blocking:
        return f"yield was used instead of yield from in task {process!r} with {medium(request)}"
    if request is process:
        return f"Task cannot await on itself: {process!r}"
    return None


def wait_for(process: Process, future: Any) -> None:
    """Let `process` wait for `future`, which wakes it. A cancellation that is pending is the future's to answer."""
    future._asyncio_future_blocking = False
    process.waiting = future
    future.add_done_callback(process.wake_up, context=process.core.context)
    error = process.pending
    if error is not None:
        was_told = future.cancel(msg=error.args[0] if error.args else None)
        if was_told and type(error) is CancelledError:
            process.pending = None  # it comes back by the future


def _loop_of(future: Any) -> Any:
    try:
        get_loop = future.get_loop
    except AttributeError:
        return future._loop
    return get_loop()


def _mark_as_seen(future: Any) -> None:
    """Ask `future`, which is done, for its exception; else asyncio would log it as never retrieved."""
    try:
        if not future.cancelled():
            future.exception()
    except BaseException as error:  # of a future of the program's own making
        trouble.tell("A future that a process had awaited", error)
