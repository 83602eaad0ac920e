"""The kernel: processes, messages, exits and time. It knows no socket, no thread of its own and no editor."""

from typing import TYPE_CHECKING

from midflight.lazy import names_of

if TYPE_CHECKING:
    from midflight.kernel import arguments, ends, trouble
    from midflight.kernel.async_exc import Target, is_user_code
    from midflight.kernel.behaviour import Behaviour
    from midflight.kernel.calls import (
        demonitor,
        exit,
        link,
        monitor,
        self_,
        spawn,
        spawn_link,
        spawn_monitor,
        trap_exit,
        unlink,
    )
    from midflight.kernel.choice import KERNEL, WHY_THIS_KERNEL
    from midflight.kernel.client import TIMED_OUT, CallMessage, Client, dead_client
    from midflight.kernel.core import (
        RECEIVE_CODE,
        RECEIVE_TYPES,
        Pid,
        Process,
        again,
        answering,
        fast_call,
        in_python,
        receive,
    )
    from midflight.kernel.crash import CrashReport, StuckReport, log_crash
    from midflight.kernel.distant import DistantCore
    from midflight.kernel.doomed import why_not_ended
    from midflight.kernel.frames import (
        function_name,
        globals_of,
        is_kernel_frame,
        is_own_frame,
        locals_of,
        module_of,
        stack_of,
        version_of,
    )
    from midflight.kernel.group_leader import Sink, group_leader_var, routed_output
    from midflight.kernel.identities import value_identities
    from midflight.kernel.info import describe, message_count, messages_of, status_of
    from midflight.kernel.lives import Address, DistantRef, Life
    from midflight.kernel.mailbox import RECEIVE, Receive, matches
    from midflight.kernel.messages import MessageTimer, cancel_timer, send_after, sleep, timer_noter_var
    from midflight.kernel.names import process_named
    from midflight.kernel.reentry import obstacle, reenter
    from midflight.kernel.refs import Ref
    from midflight.kernel.returned import coroutine_in, is_coroutine
    from midflight.kernel.running import current_process, current_scheduler, schedulers
    from midflight.kernel.scheduler import OUTSIDE, Scheduler
    from midflight.kernel.seconds import LONG, NUMBERS
    from midflight.kernel.signals import NODE, Down, Exit, is_word
    from midflight.kernel.system import System, server_of
    from midflight.kernel.timers import Clock, ManualClock, SystemClock
    from midflight.kernel.tracing import KINDS, Trace, TraceEvent, follow, leave
else:
    __getattr__ = names_of(
        __name__,
        {
            "midflight.kernel.async_exc": "Target is_user_code",
            "midflight.kernel.behaviour": "Behaviour",
            "midflight.kernel.calls": (
                "demonitor exit link monitor self_ spawn spawn_link spawn_monitor trap_exit unlink"
            ),
            "midflight.kernel.choice": "KERNEL WHY_THIS_KERNEL",
            "midflight.kernel.client": "TIMED_OUT CallMessage Client dead_client",
            "midflight.kernel.core": (
                "RECEIVE_CODE RECEIVE_TYPES Pid Process again answering fast_call in_python receive"
            ),
            "midflight.kernel.crash": "CrashReport StuckReport log_crash",
            "midflight.kernel.distant": "DistantCore",
            "midflight.kernel.doomed": "why_not_ended",
            "midflight.kernel.frames": (
                "function_name globals_of is_kernel_frame is_own_frame locals_of module_of stack_of version_of"
            ),
            "midflight.kernel.group_leader": "Sink group_leader_var routed_output",
            "midflight.kernel.identities": "value_identities",
            "midflight.kernel.info": "describe message_count messages_of status_of",
            "midflight.kernel.lives": "Address DistantRef Life",
            "midflight.kernel.mailbox": "RECEIVE Receive matches",
            "midflight.kernel.messages": "MessageTimer cancel_timer send_after sleep timer_noter_var",
            "midflight.kernel.names": "process_named",
            "midflight.kernel.reentry": "obstacle reenter",
            "midflight.kernel.refs": "Ref",
            "midflight.kernel.returned": "coroutine_in is_coroutine",
            "midflight.kernel.running": "current_process current_scheduler schedulers",
            "midflight.kernel.scheduler": "OUTSIDE Scheduler",
            "midflight.kernel.seconds": "LONG NUMBERS",
            "midflight.kernel.signals": "NODE Down Exit is_word",
            "midflight.kernel.system": "System server_of",
            "midflight.kernel.timers": "Clock ManualClock SystemClock",
            "midflight.kernel.tracing": "KINDS Trace TraceEvent follow leave",
        },
        modules=("arguments", "ends", "trouble"),
    )

__all__ = [
    "KERNEL",
    "KINDS",
    "LONG",
    "NODE",
    "NUMBERS",
    "OUTSIDE",
    "RECEIVE",
    "RECEIVE_CODE",
    "RECEIVE_TYPES",
    "TIMED_OUT",
    "WHY_THIS_KERNEL",
    "Address",
    "Behaviour",
    "CallMessage",
    "Client",
    "Clock",
    "CrashReport",
    "DistantCore",
    "DistantRef",
    "Down",
    "Exit",
    "Life",
    "ManualClock",
    "MessageTimer",
    "Pid",
    "Process",
    "Receive",
    "Ref",
    "Scheduler",
    "Sink",
    "StuckReport",
    "System",
    "SystemClock",
    "Target",
    "Trace",
    "TraceEvent",
    "again",
    "answering",
    "arguments",
    "cancel_timer",
    "coroutine_in",
    "current_process",
    "current_scheduler",
    "dead_client",
    "demonitor",
    "describe",
    "ends",
    "exit",
    "fast_call",
    "follow",
    "function_name",
    "globals_of",
    "group_leader_var",
    "in_python",
    "is_coroutine",
    "is_kernel_frame",
    "is_own_frame",
    "is_user_code",
    "is_word",
    "leave",
    "link",
    "locals_of",
    "log_crash",
    "matches",
    "message_count",
    "messages_of",
    "module_of",
    "monitor",
    "obstacle",
    "process_named",
    "receive",
    "reenter",
    "routed_output",
    "schedulers",
    "self_",
    "send_after",
    "server_of",
    "sleep",
    "spawn",
    "spawn_link",
    "spawn_monitor",
    "stack_of",
    "status_of",
    "timer_noter_var",
    "trap_exit",
    "trouble",
    "unlink",
    "value_identities",
    "version_of",
    "why_not_ended",
]
