"""`process_info`: the view of a process from outside."""

from __future__ import annotations

from asyncio import isfuture
from typing import TYPE_CHECKING, Any

from midflight.kernel.frames import function_name, globals_of, innermost_user_frame, module_of, version_of
from midflight.kernel.group_leader import group_leader_var
from midflight.kernel.mailbox import HANDED, RECEIVE, Receive
from midflight.text import medium

if TYPE_CHECKING:
    from midflight.kernel.core import Process
    from midflight.kernel.scheduler import Scheduler

__all__ = ["describe", "message_count", "messages_of", "status_of"]


def messages_of(scheduler: Scheduler, process: Process) -> list[Any]:
    """Return the messages that wait for `process`, oldest first; one that it was handed counts."""
    handed = [process.value] if _is_handed_one(scheduler, process) else []
    return handed + list(process.mailbox or ())


def message_count(scheduler: Scheduler, process: Process) -> int:
    """Return how many messages wait for `process`; one that it was handed counts. No copy of them is made."""
    return len(process.mailbox or ()) + _is_handed_one(scheduler, process)


def _is_handed_one(scheduler: Scheduler, process: Process) -> bool:
    return process.waiting is HANDED and scheduler.current() is not process


def status_of(scheduler: Scheduler, process: Process) -> str:
    """Return "running", "runnable", "waiting" or "exiting".

    OTP: waiting there is always for a message; here it is for a message, a time or an asyncio future.
    """
    if process.exit_reason is not None:
        return "exiting"
    if scheduler.current() is process:
        return "running"
    waiting = process.waiting
    is_woken = waiting is None or waiting is HANDED or (isfuture(waiting) and waiting.done())
    return "runnable" if is_woken else "waiting"


def describe(scheduler: Scheduler, process: Process) -> dict[str, Any]:
    """Return the items of process_info, by OTP's names and ours.

    `reductions` are the steps and receives that the process was given (OTP: function calls, about). `links` are
    pids in the order they were made; `monitors` and `monitored_by` pids; `current_function` and `line` those of the
    innermost frame that is not the kernel's; `module` and `version` those of the function that the process runs now:
    what a load would leave in old code.
    """
    frames = scheduler.frames(process)
    frame = innermost_user_frame(frames)
    if frame is not None:
        namespace = frame.f_globals
        module = str(namespace.get("__name__", "?"))
        function, line = frame.f_code.co_qualname, frame.f_lineno
    else:
        start = process.start[0] if process.start is not None else None
        namespace = globals_of(start)
        module, line = module_of(start) or "?", 0
        function = function_name(start).removeprefix(f"{module}.")
    waiting = process.waiting
    return {
        "pid": process.pid,
        "status": status_of(scheduler, process),
        "message_queue_len": message_count(scheduler, process),
        "messages": messages_of(scheduler, process),
        "links": [other.pid for other in process.links or ()],
        "monitors": [target.pid for target in (process.monitors or {}).values()],
        "monitored_by": [watcher.pid for watcher, _ in (process.monitored_by or {}).values()],
        "reductions": process.reductions,
        "trap_exit": process.trap_exit,
        "registered_name": process.name,
        "initial_call": process.initial_call,
        "current_function": f"{module}.{function}",
        "dictionary": dict(process.dictionary or {}),
        "group_leader": process.context.get(group_leader_var),
        "parent": process.parent,
        "module": module,
        "version": version_of(namespace),
        "function": function,
        "line": line,
        "waiting_for": (
            "message"
            if waiting is RECEIVE or type(waiting) is Receive
            else None
            if waiting is None
            else medium(waiting)
        ),
    }
