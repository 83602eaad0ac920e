"""Processes in requests: a pid as it is shown, or a registered name."""

from __future__ import annotations

import re

from midflight.epc.methods.arguments import text
from midflight.errors import RequestError
from midflight.kernel import Pid, Scheduler

__all__ = ["find_pid", "pid_text"]

_PID = re.compile(r"0\.([0-9]{1,18})\.0|<0\.([0-9]{1,18})\.0>")


def find_pid(scheduler: Scheduler, pid: object) -> Pid:
    """Return the process that `pid` means, dead or alive: "<0.37.0>", "0.37.0" or a registered name.

    Raises: RequestError if it is neither.
    """
    wanted = text(pid, "PID")
    named = scheduler.names.get(wanted)
    if named is not None:
        return named.pid
    match = _PID.fullmatch(wanted)
    if match is None:
        raise RequestError(
            f"{wanted!r} is neither a pid nor a registered name; nothing was done. "
            "Send a pid like <0.37.0>, or see midflight ps."
        )
    number = int(match[1] or match[2])
    process = scheduler.processes.get(number)
    return Pid(number) if process is None else process.pid


def pid_text(number: int) -> str:
    """Return a pid as it is shown."""
    return f"<0.{number}.0>"
