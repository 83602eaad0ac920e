"""asyncio tasks next to processes: one row a task of every event loop, its stack, and how late the loops are.

Those of Midflight itself are left out, and so are processes. A task is known by a number that it gets when it is first
listed, as "t7". asyncio does not keep when a task began, so its age is counted from then on, and is at least what the
row has. Looks from another thread: a task may go on while its row is made.
"""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from itertools import count
from types import FrameType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from midflight.all_tasks import event_loops, tasks_alone
from midflight.errors import RequestError
from midflight.kernel import is_own_frame, stack_of, version_of
from midflight.text import encodable, stack_text, type_name

__all__ = [
    "AnyTask",
    "LoopRow",
    "TaskRow",
    "cancel_task",
    "find_task",
    "loop_rows",
    "task_row",
    "task_rows",
    "task_stack",
    "tasks_of_program",
]

LAG_SECONDS = 0.5  # the longest that an event loop is waited for

AnyTask = asyncio.Task[Any]

_seen: WeakKeyDictionary[AnyTask, tuple[int, float]] = WeakKeyDictionary()  # the number, and when it was given
_count = count(1)
_lock = threading.Lock()


class TaskRow(NamedTuple):
    """A task in a list. `waiting` is "running", "ready", or the function or the object that it waits for.

    `thread` is the name of the thread whose event loop runs it, "" if that is not known. `seen_seconds` is how long ago
    it was first listed.
    """

    id: str
    name: str
    module: str
    version: int | None
    function: str
    line: int
    waiting: str
    thread: str
    seen_seconds: float


class LoopRow(NamedTuple):
    """An event loop: the seconds from a wish to its callback, None if it did not come within half a second."""

    thread: str
    lag_seconds: float | None


def task_rows() -> list[TaskRow]:
    """Return the rows of all tasks of the program, in the order in which they were first listed."""
    return sorted(map(task_row, tasks_of_program()), key=lambda row: int(row.id[1:]))


def tasks_of_program() -> list[AnyTask]:
    """Return the tasks of all event loops that are not Midflight's own, in no order."""
    tasks = (task for loop in event_loops() for task in tasks_alone(loop))
    return [task for task in tasks if not _is_ours(task, stack_of(task.get_coro()))]


def task_row(task: AnyTask) -> TaskRow:
    """Return the row of a task as it is now."""
    loop, frames = task.get_loop(), stack_of(task.get_coro())
    return _row(task, frames, _thread_of(loop), is_running=task is _current(loop))


def task_stack(id: str) -> str:
    """Return the stack of a task as a traceback shows it, after a line with its name. Raises: RequestError."""
    task = find_task(id)
    frames = stack_of(task.get_coro())
    waiting = _waiting(task, frames, None, is_running=False)
    return f"{id}, {encodable(task.get_name())}, waits for: {waiting}\n{stack_text(frames)}"


def cancel_task(id: str) -> None:
    """Cancel a task, as soon as its event loop has a moment. Raises: RequestError if there is none of that id."""
    task = find_task(id)
    try:
        task.get_loop().call_soon_threadsafe(task.cancel)
    except RuntimeError:
        raise RequestError(f"The event loop of {id} is closed; nothing was cancelled. See midflight tasks.") from None


def loop_rows() -> list[LoopRow]:
    """Return the event loops of the program, and how late they are. Waits for each; not to be called in a loop."""
    asked = []
    for loop in event_loops():
        answer: Future[float] = Future()
        began = time.perf_counter()
        try:
            loop.call_soon_threadsafe(_note_time, answer)
        except RuntimeError:  # it is closed by now
            continue
        asked.append((_thread_of(loop), began, answer))
    return [LoopRow(thread, _seconds(began, answer)) for thread, began, answer in asked]


def _note_time(answer: Future[float]) -> None:
    answer.set_result(time.perf_counter())


def _seconds(began: float, answer: Future[float]) -> float | None:
    try:
        return answer.result(max(0.0, began + LAG_SECONDS - time.perf_counter())) - began
    except FutureTimeout:
        return None


def _row(task: AnyTask, frames: list[FrameType], thread: str, *, is_running: bool) -> TaskRow:
    place = _place(frames)
    number, since = _note(task)
    return TaskRow(
        f"t{number}",
        encodable(task.get_name()),
        "?" if place is None else _module(place),
        None if place is None else version_of(place.f_globals),
        type_name(task.get_coro()) if place is None else place.f_code.co_qualname,
        0 if place is None else place.f_lineno,
        _waiting(task, frames, place, is_running=is_running),
        thread,
        round(time.monotonic() - since, 3),
    )


def _is_ours(task: AnyTask, frames: list[FrameType]) -> bool:
    """Say whether a task is one of Midflight's own, with nobody else's code in it."""
    if not frames or not (is_own_frame(frames[0]) or task.get_name().startswith("midflight-")):
        return False
    return all(is_own_frame(each) or _module(each).partition(".")[0] == "asyncio" for each in frames)


def _place(frames: list[FrameType]) -> FrameType | None:
    """Return the innermost frame in a module with versions, else the innermost that is not asyncio's."""
    for frame in reversed(frames):
        if version_of(frame.f_globals) is not None:
            return frame
    for frame in reversed(frames):
        if _module(frame).partition(".")[0] != "asyncio":
            return frame
    return frames[-1] if frames else None


def _waiting(task: AnyTask, frames: list[FrameType], place: FrameType | None, *, is_running: bool) -> str:
    waiter = getattr(task, "_fut_waiter", None)
    if waiter is None:
        return "running" if is_running else "ready"
    if isinstance(waiter, asyncio.Task):
        return f"task {encodable(waiter.get_name())}"
    if frames and frames[-1] is not place:
        return f"{_module(frames[-1])}.{frames[-1].f_code.co_qualname}"
    return type_name(waiter)


def _module(frame: FrameType) -> str:
    name = dict.get(frame.f_globals, "__name__", "?")
    return name if type(name) is str else "?"


def _note(task: AnyTask) -> tuple[int, float]:
    """Return the number of a task and when it got that."""
    with _lock:
        if (found := _seen.get(task)) is None:
            found = _seen[task] = (next(_count), time.monotonic())
    return found


def find_task(id: str) -> AnyTask:
    """Return the task of that id. Raises: RequestError if there is none."""
    for loop in event_loops():
        for task in tasks_alone(loop):
            if f"t{_note(task)[0]}" == id:
                return task
    raise RequestError(f"No task {id} is there; nothing was done. See midflight tasks.")


def _current(loop: asyncio.AbstractEventLoop) -> AnyTask | None:
    try:
        return asyncio.current_task(loop)
    except RuntimeError:
        return None


def _thread_of(loop: asyncio.AbstractEventLoop) -> str:
    number = getattr(loop, "_thread_id", None)
    return next((each.name for each in threading.enumerate() if each.ident == number), "")
