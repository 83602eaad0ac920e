"""Processes as text: the table of all, the table of names, the backtrace of one."""

from __future__ import annotations

from midflight.kernel import Pid, Scheduler, describe, is_kernel_frame
from midflight.observer.process_rows import row_of
from midflight.text import columns, stack_text

__all__ = ["backtrace", "name_table", "process_table"]


def process_table(scheduler: Scheduler) -> str:
    """Return one line a process, oldest first, under a heading, and how many they are."""
    rows = [("Pid", "Name or initial call", "Runs", "At", "Status", "Msgs")]
    everyone = list(scheduler.processes.values())
    for process in everyone:
        row = row_of(scheduler, process)
        version = "" if row.place.version is None else f" v{row.place.version}"
        rows.append(
            (
                repr(process.pid),
                row.name or process.initial_call,
                f"{row.place.module}{version}",
                f"{row.place.function}:{row.place.line}",
                row.status,
                str(row.messages),
            )
        )
    return columns(rows) + f"{len(everyone)} processes\n"


def name_table(scheduler: Scheduler) -> str:
    """Return one line a registered name, in the order they were given, under a heading."""
    rows = [("Name", "Pid", "Initial call")]
    for name, process in list(scheduler.names.items()):
        rows.append((name, repr(process.pid), describe(scheduler, process)["initial_call"]))
    return columns(rows)


def backtrace(scheduler: Scheduler, pid: Pid) -> str:
    """Return the stack of `pid` as a traceback shows it, after a line with its status."""
    process = pid.process
    if process is None:
        return f"{pid!r} is not alive\n"
    info = describe(scheduler, process)
    frames = [frame for frame in scheduler.frames(process) if not is_kernel_frame(frame)]
    text = stack_text(frames) or f"  {info['initial_call']}, not begun\n"
    return f"{pid!r} is {info['status']}, {info['message_queue_len']} messages in its mailbox\n{text}"
