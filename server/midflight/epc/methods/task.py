"""Methods about asyncio tasks, which are listed next to processes.

(call 4 task/list nil)
(return 4 (:tasks ((:id "t7" :name "Task-3" :module "shop" :version 2 :function "serve" :line 12
                    :waiting "asyncio.queues.Queue.get" :thread "MainThread"))
           :loops ((:thread "MainThread" :lag-ms 0.2))))
"""

from __future__ import annotations

from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import text
from midflight.observer import cancel_task, loop_rows, task_rows, task_stack

__all__ = ["TaskMethods"]

Plist = dict[str, object]

_MOST = 1000  # rows of an answer, which must fit into a frame


class TaskMethods:
    """The asyncio tasks of the program, as any connection may use them."""

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("task/list", self.list, Lane.ASIDE),
            Method("task/where", self.where, Lane.ASIDE),
            Method("task/cancel", self.cancel, Lane.ASIDE),
        )

    def list(self) -> Plist:
        """Return the first 1000 tasks of all event loops, how many more there are, and how late each loop is."""
        rows, loops = task_rows(), loop_rows()
        return {
            "tasks": [dict(each._asdict()) for each in rows[:_MOST]],
            "left": len(rows[_MOST:]),
            "loops": [
                {
                    "thread": each.thread,
                    "lag_ms": None if each.lag_seconds is None else round(each.lag_seconds * 1000, 2),
                }
                for each in loops
            ],
        }

    def where(self, task: object) -> str:
        """Return the stack of TASK, an id, as a traceback shows it."""
        return task_stack(text(task, "TASK"))

    def cancel(self, task: object) -> bool:
        """Cancel TASK, an id."""
        cancel_task(text(task, "TASK"))
        return True
