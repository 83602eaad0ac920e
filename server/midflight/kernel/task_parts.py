"""The parts of a Task's face that are objects or text of their own: stand-ins for a coroutine and a future, stacks."""

from __future__ import annotations

import linecache
import sys
import traceback
from collections.abc import Coroutine, Generator
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from midflight.collection import callers_of

if TYPE_CHECKING:
    from midflight.kernel.task_face import TaskFace

__all__ = ["MessageWaiter", "Unbegun", "print_frames", "stack_of_task"]


class MessageWaiter:
    """The future that a process waiting for a message or a time shows to asyncio: it is never done."""

    __slots__ = ("_process",)

    def __init__(self, process: TaskFace) -> None:
        self._process = process

    def done(self) -> bool:
        """Return False: as soon as it is, the process no longer waits."""
        return False

    cancelled = done

    def cancel(self, msg: object = None) -> bool:
        """Cancel the process."""
        return self._process.cancel(msg)

    def __repr__(self) -> str:
        return f"<{self._process!r} waits for a message or a time>"


class Unbegun(Coroutine[Any, Any, Any]):
    """The coroutine of a process that has not begun, so has none yet; or runs a plain function, which has none."""

    cr_await = None
    cr_frame = cr_code = object()  # inspect.getcoroutinestate: neither closed
    cr_running = cr_suspended = False  # nor begun

    def __init__(self, process: TaskFace) -> None:
        self.__qualname__ = self.__name__ = f"start of {process!r}"

    def __await__(self) -> Generator[Any, Any, Any]:
        self.send(None)
        yield

    def send(self, _: object) -> Any:
        """Raise RuntimeError: the kernel alone runs a process."""
        raise RuntimeError(f"the {self.__name__} is the kernel's; nothing was done")

    def throw(self, *_: Any) -> Any:
        """Raise RuntimeError: the kernel alone runs a process."""
        self.send(None)

    def close(self) -> None:
        """Do nothing: `exit(pid, "kill")` ends a process."""


def stack_of_task(coro: Any, error: BaseException | None, limit: int | None) -> list[FrameType]:
    """Return the frames of a coroutine that waits or runs, outermost first; else those of `error`.

    `limit` is how many: the newest of a coroutine, the oldest of an error. As Task.get_stack, and as there only the
    outermost frame of a coroutine that waits.
    """
    frames: list[FrameType] = []
    frame = getattr(coro, "cr_frame", None)
    if frame is not None:
        frames = callers_of(frame)[:limit][::-1]
    elif error is not None:
        trace = error.__traceback__
        while trace is not None and (limit is None or len(frames) < limit):
            frames.append(trace.tb_frame)
            trace = trace.tb_next
    return frames


def print_frames(what: str, frames: list[FrameType], error: BaseException | None, file: TextIO | None) -> None:
    """Print the stack of `what`, or if it has raised the traceback of `error`, to `file` or stderr."""
    out = sys.stderr if file is None else file
    if not frames:
        print(f"No stack for {what}", file=out)
        return
    if error is None:
        print(f"Stack for {what} (most recent call last):", file=out)
    else:
        print(f"Traceback for {what} (most recent call last):", file=out)
    summary = []
    for frame in frames:
        code = frame.f_code
        linecache.checkcache(code.co_filename)
        line = linecache.getline(code.co_filename, frame.f_lineno, frame.f_globals)
        summary.append(traceback.FrameSummary(code.co_filename, frame.f_lineno, code.co_name, line=line))
    traceback.print_list(summary, file=out)
    if error is not None:
        for text in traceback.format_exception_only(error):
            print(text, file=out, end="")
