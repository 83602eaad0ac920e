"""Signals about other processes: the exit of a linked one, the end of a monitored one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from midflight.kernel.core import Pid
    from midflight.kernel.refs import Ref

__all__ = ["NODE", "Down", "Exit", "is_normal", "is_word"]

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
    """Say whether `reason` is "normal"."""
    return is_word(reason, "normal")


def is_word(reason: object, word: str) -> bool:
    """Say whether `reason` is the string `word`. Runs no code of the reason's, whose == and class may say anything."""
    equals: Callable[[Any, str], bool] = str.__eq__
    return issubclass(type(reason), str) and equals(reason, word)
