"""OTP's behaviours: processes of a known shape, which start, answer, are supervised and change their code alike."""

from midflight.otp import sys
from midflight.otp.calls import call, cast, reply, stop
from midflight.otp.child_spec import ChildSpec
from midflight.otp.children import ChildInfo
from midflight.otp.gen_server import GenServer
from midflight.otp.protocol import IGNORE, NOREPLY, Call, Cast, Continue, Dest, Stop, Timeout
from midflight.otp.registry import Registry
from midflight.otp.serving import Revived
from midflight.otp.starting import started
from midflight.otp.state_machine import Next, StateMachine
from midflight.otp.supervisor import Supervisor
from midflight.otp.task import Task

__all__ = [
    "IGNORE",
    "NOREPLY",
    "Call",
    "Cast",
    "ChildInfo",
    "ChildSpec",
    "Continue",
    "Dest",
    "GenServer",
    "Next",
    "Registry",
    "Revived",
    "StateMachine",
    "Stop",
    "Supervisor",
    "Task",
    "Timeout",
    "call",
    "cast",
    "reply",
    "started",
    "stop",
    "sys",
]
