"""Processes as text: the table of all, the table of names, the backtrace of one."""

from __future__ import annotations

from midflight.kernel import Pid, Scheduler, describe, is_kernel_frame
from midflight.text import columns, stack_text

__all__ = ["backtrace", "name_table", "process_table"]


def process_table(scheduler: Scheduler) -> str:
    """Return one line a process, oldest first, under a heading, and how many they are."""
    rows = [("Pid", "Name or initial call", "Runs", "At", "Status", "Msgs")]
    everyone = list(scheduler.processes.values())
    for process in everyone:
        info = describe(scheduler, process)
        version = "" if info["version"] is None else f" v{info['version']}"
        rows.append(
            (
                repr(process.pid),
                info["registered_name"] or info["initial_call"],
                f"{info['module']}{version}",
                f"{info['function']}:{info['line']}",
                str(info["status"]),
                str(info["message_queue_len"]),
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
    """Return where `pid` is, as a traceback shows it; its last line says what it waits for."""
    process = pid.process
    if process is None:
        return f"{pid!r} is not alive\n"
    info = describe(scheduler, process)
    frames = [frame for frame in scheduler.frames(process) if not is_kernel_frame(frame)]
    text = stack_text(frames) or f"  {info['initial_call']}, not begun\n"
    return f"{pid!r} is {info['status']}, {info['message_queue_len']} messages in its mailbox\n{text}"
