"""The kernel: processes, messages, exits and time. It knows no socket, no thread of its own and no editor."""

from midflight.kernel.break_in import is_user_code
from midflight.kernel.calls import exit, self_, sleep, spawn_monitor
from midflight.kernel.core import Pid, Process, receive
from midflight.kernel.crash import CrashReport
from midflight.kernel.frames import is_kernel_frame, stack_of
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
    "exit",
    "group_leader_var",
    "is_kernel_frame",
    "is_user_code",
    "messages_of",
    "receive",
    "routed_stdout",
    "schedulers",
    "self_",
    "sleep",
    "spawn_monitor",
    "stack_of",
    "status_of",
]
