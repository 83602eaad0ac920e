"""What a process is told about others: the exit of a linked one, the end of a monitored one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from midflight.kernel.core import Pid
    from midflight.kernel.refs import Ref

__all__ = ["NODE", "Down", "Exit", "is_normal"]

NODE = "nonode@nohost"  # this node's name, as an Erlang node without distribution calls itself


class Exit(NamedTuple):
    """An exit signal, come as a message because the receiver traps exits. OTP: {'EXIT', Pid, Reason}."""

    pid: Pid
    reason: object


class Down(NamedTuple):
    """A monitored process has ended. `pid` is (name, node) if it was monitored by name.

    OTP: {'DOWN', Ref, process, Pid, Reason}.
    """

    ref: Ref
    pid: Pid | tuple[str, str]
    reason: object


def is_normal(reason: object) -> bool:
    """Say whether `reason` is "normal"; safe for reasons whose == is strange (arrays, mocks)."""
    return isinstance(reason, str) and reason == "normal"
