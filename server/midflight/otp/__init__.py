"""OTP's behaviours: processes of a known shape, which start, answer, are supervised and change their code alike."""

from midflight.otp import application, pg, sys
from midflight.otp.agent import Agent
from midflight.otp.application_controller import ApplicationReport
from midflight.otp.application_spec import ApplicationSpec
from midflight.otp.calls import call, cast, reply, stop
from midflight.otp.child_spec import ChildSpec
from midflight.otp.children import ChildInfo
from midflight.otp.dynamic_supervisor import DynamicSupervisor
from midflight.otp.gen_server import GenServer
from midflight.otp.keeper import Keeper, mark_refused_state
from midflight.otp.limits import LimitReport, limit_process
from midflight.otp.mailbox_watch import LongMailbox, MailboxWatch
from midflight.otp.partition_supervisor import PartitionSupervisor
from midflight.otp.protocol import IGNORE, NOREPLY, Call, Cast, Continue, Dest, Stop, Timeout, value_of
from midflight.otp.pub_sub import PubSub
from midflight.otp.registry import Registry
from midflight.otp.reports import ChildFacts, ProgressReport, Report, SupervisorReport, on_report
from midflight.otp.serving import Revived
from midflight.otp.starting import started
from midflight.otp.state_machine import Next, StateMachine
from midflight.otp.supervisor import Supervisor
from midflight.otp.table import Table, TableTransfer
from midflight.otp.task import Task
from midflight.otp.task_supervisor import TaskSupervisor

__all__ = [
    "IGNORE",
    "NOREPLY",
    "Agent",
    "ApplicationReport",
    "ApplicationSpec",
    "Call",
    "Cast",
    "ChildFacts",
    "ChildInfo",
    "ChildSpec",
    "Continue",
    "Dest",
    "DynamicSupervisor",
    "GenServer",
    "Keeper",
    "LimitReport",
    "LongMailbox",
    "MailboxWatch",
    "Next",
    "PartitionSupervisor",
    "ProgressReport",
    "PubSub",
    "Registry",
    "Report",
    "Revived",
    "StateMachine",
    "Stop",
    "Supervisor",
    "SupervisorReport",
    "Table",
    "TableTransfer",
    "Task",
    "TaskSupervisor",
    "Timeout",
    "application",
    "call",
    "cast",
    "limit_process",
    "mark_refused_state",
    "on_report",
    "pg",
    "reply",
    "started",
    "stop",
    "sys",
    "value_of",
]
