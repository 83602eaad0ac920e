"""The kernel: processes, messages, exits and time. It knows no socket, no thread of its own and no editor."""

from midflight.kernel.core import Pid, Process
from midflight.kernel.crash import CrashReport
from midflight.kernel.group_leader import Sink, group_leader_var, routed_stdout
from midflight.kernel.info import describe, messages_of, status_of
from midflight.kernel.refs import Ref
from midflight.kernel.running import current_process, current_scheduler, schedulers
from midflight.kernel.scheduler import Scheduler
from midflight.kernel.signals import Down, Exit
from midflight.kernel.timers import Clock, ManualClock, SystemClock

__all__ = [
    "Clock",
    "CrashReport",
    "Down",
    "Exit",
    "ManualClock",
    "Pid",
    "Process",
    "Ref",
    "Scheduler",
    "Sink",
    "SystemClock",
    "current_process",
    "current_scheduler",
    "describe",
    "group_leader_var",
    "messages_of",
    "routed_stdout",
    "schedulers",
    "status_of",
]
