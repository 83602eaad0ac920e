"""The differences that follow from a law of Midflight, each with its reason. Any other difference is a fault."""

from __future__ import annotations

from fnmatch import fnmatchcase

__all__ = ["REASONS", "reason_for"]

TEXT = "A process has a text of its own, `<Process <0.1.0>>`: the pid is what its user knows."
PRIVATE = "The test sets or reads a private attribute of asyncio.Task, which nothing but asyncio uses."
IN_C = (
    "The test calls a method of the C type Future on the task. A process is an object of another type, which "
    "`isinstance` takes for a Task; `task.set_result` and `task.set_exception` raise as a task's do."
)
STOPPED = (
    "The loop is stopped when the test asks for all tasks. The processes of a loop that runs are in "
    "`asyncio.all_tasks()`; those of a stopped one are not, so that `asyncio.run` at its end leaves them to the "
    "runtime, which ends them in order."
)
RUN_QUEUE = (
    "The test has `loop.call_soon` fail when a task asks for its first step. Processes are stepped from a run queue, "
    "which asks the loop for a turn, not for each step."
)
COUNTED = (
    "The test counts the tasks that its loop's task factory makes. The first of them is a process, which `spawn` "
    "makes; so it counts one less."
)

# By kind of run: the names of tests, and why they differ.
REASONS: dict[str, dict[str, str]] = {
    "process": {
        "test_eager_task_factory.py::NonEager*::test_awaitables_chain": COUNTED,
        "test_eager_task_factory.py::NonEager*::test_recursive_*": COUNTED,
    },
    "task": {
        "*::test_cancelling": TEXT,
        "*::test_uncancel_basic": TEXT,
        "*::test_get_stack": TEXT,
        "*::test_task_repr*": TEXT,
        "*::test_log_traceback": PRIVATE,
        "*::test_task_cancel_message_setter": PRIVATE,
        "*::test_task_source_traceback": PRIVATE,
        "*::test_set_exception_causes_invalid_state": IN_C,
        "*::test_set_result_causes_invalid_state": IN_C,
        "*::test_log_destroyed_pending_task": STOPPED,
        "*::test_error_in_call_soon": RUN_QUEUE,
    },
}


def reason_for(kind: str, test: str) -> str | None:
    """Return why `test` may differ in a run of this kind; None if it may not."""
    return next((why for pattern, why in REASONS[kind].items() if fnmatchcase(test, pattern)), None)
