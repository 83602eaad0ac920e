"""Methods about asyncio tasks, which are listed next to processes.

(call 4 task/list nil)
(return 4 (:tasks ((:id "t7" :name "Task-3" :module "shop" :version 2 :function "serve" :line 12
                    :waiting "asyncio.queues.Queue.get" :thread "MainThread" :seen-seconds 12.5))
           :loops ((:thread "MainThread" :lag-ms 0.2))))
"""

from __future__ import annotations

from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import text
from midflight.epc.methods.process_view import frames_plist
from midflight.observer import TaskRow, cancel_task, loop_rows, task_rows, task_stack, task_view

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
            Method("task/view", self.view, Lane.ASIDE),
            Method("task/cancel", self.cancel, Lane.ASIDE),
        )

    def list(self) -> Plist:
        """Return the first 1000 tasks of all event loops, how many more there are, and how late each loop is."""
        rows, loops = task_rows(), loop_rows()
        return {
            "tasks": [_plist(each) for each in rows[:_MOST]],
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

    def view(self, task: object) -> Plist:
        """Return the row of TASK, an id, with its frames and the rows of the tasks that it awaits and is awaited by."""
        found = task_view(text(task, "TASK"))
        return _plist(found.row) | {
            "frames": frames_plist(found.frames),
            "awaits": None if found.awaits is None else _plist(found.awaits),
            "awaited_by": [_plist(each) for each in found.awaited_by],
        }

    def cancel(self, task: object) -> bool:
        """Cancel TASK, an id."""
        cancel_task(text(task, "TASK"))
        return True


def _plist(row: TaskRow) -> Plist:
    return dict(row._asdict())
