"""Midflight: Erlang's hot code loading for Python, at the editor. The public names, and nothing else.

Each is imported when it is first used: the code server and the wire are in no program that does not use them.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from midflight.lazy import names_of as _names_of

if _TYPE_CHECKING:
    from midflight.asking import get_line
    from midflight.code import live
    from midflight.driver import Runtime, run, run_process
    from midflight.durable import StoreError
    from midflight.embedded import EmbeddedServer, serve, serve_in_background
    from midflight.errors import (
        AlreadyStarted,
        ApplicationError,
        CallError,
        CallTimeout,
        ChildError,
        CodeChangeError,
        InitFailed,
        MidflightError,
        NoSuchName,
        NoSuchProcess,
        NotDurable,
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
        MailboxWatch,
        Next,
        PartitionSupervisor,
        PubSub,
        Registry,
        StateMachine,
        Stop,
        Supervisor,
        Table,
        TableTransfer,
        Task,
        TaskSupervisor,
        Timeout,
        call,
        cast,
        limit_process,
        reply,
        started,
        stop,
    )
else:
    __getattr__ = _names_of(
        __name__,
        {
            "midflight.asking": "get_line",
            "midflight.code": "live",
            "midflight.driver": "Runtime run run_process",
            "midflight.durable": "StoreError",
            "midflight.embedded": "EmbeddedServer serve serve_in_background",
            "midflight.errors": (
                "AlreadyStarted ApplicationError CallError CallTimeout ChildError CodeChangeError InitFailed "
                "MidflightError NoSuchName NoSuchProcess NotDurable NotInProcess ProcessExit RegistrationError "
                "TaskError TaskTimeout"
            ),
            "midflight.kernel": "Client CrashReport Down Exit Pid Ref",
            "midflight.kernel.calls": (
                "demonitor exit group_leader is_alive link monitor process_dictionary process_info "
                "processes self_ spawn spawn_link spawn_monitor trap_exit unlink"
            ),
            "midflight.kernel.core": "receive",
            "midflight.kernel.messages": "alias cancel_timer make_ref send send_after sleep unalias",
            "midflight.kernel.names": "register registered unregister whereis",
            "midflight.otp": (
                "IGNORE NOREPLY Agent ChildSpec Continue DynamicSupervisor GenServer MailboxWatch Next "
                "PartitionSupervisor PubSub Registry StateMachine Stop Supervisor Table TableTransfer Task "
                "TaskSupervisor Timeout call cast limit_process reply started stop"
            ),
        },
        modules=("code", "driver", "errors", "kernel", "otp"),
    )

__version__ = "0.1.0"

__all__ = [
    "IGNORE",
    "NOREPLY",
    "Agent",
    "AlreadyStarted",
    "ApplicationError",
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
    "MailboxWatch",
    "MidflightError",
    "Next",
    "NoSuchName",
    "NoSuchProcess",
    "NotDurable",
    "NotInProcess",
    "PartitionSupervisor",
    "Pid",
    "ProcessExit",
    "PubSub",
    "Ref",
    "RegistrationError",
    "Registry",
    "Runtime",
    "StateMachine",
    "Stop",
    "StoreError",
    "Supervisor",
    "Table",
    "TableTransfer",
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
    "get_line",
    "group_leader",
    "is_alive",
    "limit_process",
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
