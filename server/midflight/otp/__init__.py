"""OTP's behaviours: processes of a known shape, which start, answer, are supervised and change their code alike."""

from midflight.otp import sys
from midflight.otp.calls import call, cast, reply, stop
from midflight.otp.child_spec import ChildSpec
from midflight.otp.children import ChildInfo
from midflight.otp.gen_server import GenServer
from midflight.otp.protocol import IGNORE, NOREPLY, Call, Cast, Dest, Stop
from midflight.otp.registry import Registry
from midflight.otp.serving import Revived
from midflight.otp.supervisor import Supervisor
from midflight.otp.task import Task

__all__ = [
    "IGNORE",
    "NOREPLY",
    "Call",
    "Cast",
    "ChildInfo",
    "ChildSpec",
    "Dest",
    "GenServer",
    "Registry",
    "Revived",
    "Stop",
    "Supervisor",
    "Task",
    "call",
    "cast",
    "reply",
    "stop",
    "sys",
]
