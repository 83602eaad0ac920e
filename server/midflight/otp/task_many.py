"""Several tasks waited for at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from midflight.errors import TaskTimeout
from midflight.kernel import Down, arguments, current_scheduler, receive
from midflight.otp.task_process import Outcome, outcome_of

if TYPE_CHECKING:
    from midflight.otp.task import Task

__all__ = ["await_many", "yield_many"]


async def await_many(tasks: Iterable[Task], timeout: float | None = 5) -> list[Any]:
    """Wait for all of the tasks and return their values, in the order of `tasks`. `timeout` is for all together.

    Raises: at once what one of them raised, or TaskError if it ended for another reason; TaskTimeout for the first one
    that is not done in time, whose value is then lost; as Task.result.
    OTP: Elixir's Task.await_many/2, which exits.

    Example:

        tasks = [Task.start(pow, 2, number) for number in range(4)]
        await Task.await_many(tasks)  # -> [1, 2, 4, 8]
    """
    wanted = list(arguments.items("await_many: tasks", tasks))
    await _wait(wanted, timeout, stops_at_failure=True)
    failed = next((task for task in wanted if task.outcome is not None and task.outcome[0] == "exit"), None)
    late = next((task for task in wanted if task.outcome is None), None)
    if failed is not None:
        await failed.result(0)  # raises
    if late is not None:
        assert timeout is not None
        late.abandon()
        raise TaskTimeout(late.pid, timeout)
    return [await task.result(0) for task in wanted]


async def yield_many(tasks: Iterable[Task], timeout: float | None = 5) -> list[tuple[Task, Outcome | None]]:
    """Wait for all of the tasks, `timeout` seconds at most; return (task, outcome) for each, in the order of `tasks`.

    An outcome is what Task.yield_ returns, None if the task runs still.
    Raises: as Task.yield_. OTP: Elixir's Task.yield_many/2.

    Example:

        tasks = [Task.start(sleep, 0.01), Task.start(sleep, 60)]
        [outcome for _, outcome in await Task.yield_many(tasks, 0.1)]  # -> [('ok', None), None]
    """
    wanted = list(arguments.items("yield_many: tasks", tasks))
    await _wait(wanted, timeout, stops_at_failure=False)
    return [(task, task.outcome) for task in wanted]


async def _wait(tasks: list[Task], timeout: float | None, *, stops_at_failure: bool) -> None:
    seconds = arguments.timeout("tasks: timeout", timeout)
    for task in tasks:
        task.check_owner()
    clock = current_scheduler().clock
    deadline = None if seconds is None else clock.now() + seconds
    waiting = {task.ref: task for task in tasks if task.outcome is None}

    def is_theirs(message: Any) -> bool:
        return type(message) in (tuple, Down) and bool(message) and message[0] in waiting

    while waiting:
        left = None if deadline is None else max(0.0, deadline - clock.now())
        message = await receive(is_theirs, timeout=left, default=None)
        if message is None:
            return
        task = waiting.pop(message[0])
        task.outcome = outcome_of(message)
        if stops_at_failure and task.outcome[0] == "exit":
            return
