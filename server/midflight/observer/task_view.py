"""The view of one asyncio task: its row, its frames with their locals, the tasks it waits for and that wait for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import NamedTuple, TypeVar

from midflight.kernel import stack_of
from midflight.observer.process_view import FrameView, frame_view
from midflight.observer.tasks import AnyTask, TaskRow, find_task, task_row, tasks_of_program

__all__ = ["TaskView", "task_view"]

Result = TypeVar("Result")

LOOK_SECONDS = 0.5
FRAMES = 100


class TaskView(NamedTuple):
    """One task at one moment: `frames` outermost first, `awaits` and `awaited_by` the rows of other tasks."""

    row: TaskRow
    frames: tuple[FrameView, ...]
    awaits: TaskRow | None
    awaited_by: tuple[TaskRow, ...]


def task_view(id: str) -> TaskView:
    """Return the view of a task. Not to be called in its event loop. Raises: RequestError if no task has that id."""
    task = find_task(id)
    waiter = _waiter(task)
    others = tasks_of_program()
    awaits = next((task_row(other) for other in others if other is waiter), None)
    awaited_by = tuple(task_row(other) for other in others if _waiter(other) is task)
    return TaskView(task_row(task), _on_its_loop(task, lambda: _frames(task)), awaits, awaited_by)


def _frames(task: AnyTask) -> tuple[FrameView, ...]:
    return tuple(frame_view(frame, frame.f_lineno) for frame in stack_of(task.get_coro())[-FRAMES:])


def _waiter(task: AnyTask) -> AnyTask | None:
    return getattr(task, "_fut_waiter", None)


def _on_its_loop(task: AnyTask, look: Callable[[], Result]) -> Result:
    """Return the value of `look`, called between two steps of the loop of `task`; here if that does not come soon."""
    answer: Future[Result] = Future()

    def run() -> None:
        if answer.set_running_or_notify_cancel():
            try:
                answer.set_result(look())
            except BaseException as error:  # of an object that the look prints
                answer.set_exception(error)

    try:
        task.get_loop().call_soon_threadsafe(run)
        return answer.result(LOOK_SECONDS)
    except (RuntimeError, FutureTimeout):  # closed, or held by a step that does not end: nothing changes meanwhile
        answer.cancel()
        return look()
