"""Midflight: Erlang's hot code loading for Python, at the editor. The public names, and nothing else."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from midflight.code import live
from midflight.driver import Runtime, run, run_process
from midflight.errors import (
    AlreadyStarted,
    CallError,
    CallTimeout,
    ChildError,
    CodeChangeError,
    InitFailed,
    MidflightError,
    NoSuchName,
    NoSuchProcess,
    NotInProcess,
    ProcessExit,
    RegistrationError,
    TaskError,
    TaskTimeout,
)
from midflight.kernel import Client, CrashReport, Down, Exit, Pid, Ref
from midflight.kernel.calls import (
    demonitor,
    exit,
    group_leader,
    is_alive,
    link,
    monitor,
    process_dictionary,
    process_info,
    processes,
    self_,
    spawn,
    spawn_link,
    spawn_monitor,
    trap_exit,
    unlink,
)
from midflight.kernel.core import receive
from midflight.kernel.messages import alias, cancel_timer, make_ref, send, send_after, sleep, unalias
from midflight.kernel.names import register, registered, unregister, whereis
from midflight.otp import (
    IGNORE,
    NOREPLY,
    Agent,
    ChildSpec,
    Continue,
    DynamicSupervisor,
    GenServer,
    Next,
    PartitionSupervisor,
    Registry,
    StateMachine,
    Stop,
    Supervisor,
    Task,
    TaskSupervisor,
    Timeout,
    call,
    cast,
    reply,
    started,
    stop,
)

if _TYPE_CHECKING:
    from midflight.embedded import EmbeddedServer, serve, serve_in_background

__version__ = "0.1.0"

__all__ = [
    "IGNORE",
    "NOREPLY",
    "Agent",
    "AlreadyStarted",
    "CallError",
    "CallTimeout",
    "ChildError",
    "ChildSpec",
    "Client",
    "CodeChangeError",
    "Continue",
    "CrashReport",
    "Down",
    "DynamicSupervisor",
    "EmbeddedServer",
    "Exit",
    "GenServer",
    "InitFailed",
    "MidflightError",
    "Next",
    "NoSuchName",
    "NoSuchProcess",
    "NotInProcess",
    "PartitionSupervisor",
    "Pid",
    "ProcessExit",
    "Ref",
    "RegistrationError",
    "Registry",
    "Runtime",
    "StateMachine",
    "Stop",
    "Supervisor",
    "Task",
    "TaskError",
    "TaskSupervisor",
    "TaskTimeout",
    "Timeout",
    "alias",
    "call",
    "cancel_timer",
    "cast",
    "demonitor",
    "exit",
    "group_leader",
    "is_alive",
    "link",
    "live",
    "make_ref",
    "monitor",
    "process_dictionary",
    "process_info",
    "processes",
    "receive",
    "register",
    "registered",
    "reply",
    "run",
    "run_process",
    "self_",
    "send",
    "send_after",
    "serve",
    "serve_in_background",
    "sleep",
    "spawn",
    "spawn_link",
    "spawn_monitor",
    "started",
    "stop",
    "trap_exit",
    "unalias",
    "unlink",
    "unregister",
    "whereis",
]

_EMBEDDED = ("EmbeddedServer", "serve", "serve_in_background")


def __getattr__(name: str) -> _Any:
    if name not in _EMBEDDED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # The whole server, which most programs never start.
    return getattr(_import_module("midflight.embedded"), name)
