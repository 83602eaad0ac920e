"""The children of one supervisor: a record of each, and the way to stop them."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple

from midflight.kernel import Down, Pid, Ref, current_scheduler, exit, monitor, receive, trouble
from midflight.otp.child_spec import ChildSpec
from midflight.otp.reports import report
from midflight.otp.restart import is_restarted

__all__ = ["Child", "ChildInfo", "stop_at_once", "stop_child"]

logger = logging.getLogger("midflight.supervisor")


class ChildInfo(NamedTuple):
    """A child as which_children shows it. `pid` is None if it does not run, "restarting" between two tries.

    `id` is None of a supervisor whose children have none: simple_one_for_one, or a DynamicSupervisor.
    """

    id: Hashable
    pid: Pid | str | None
    type: str


class Child:
    """A child, and its pid: the last one if `is_restarting`, None if it is not to run.

    `key` is its id, but a number of its own if the supervisor's children have no ids.
    """

    __slots__ = ("args", "is_restarting", "key", "pid", "spec")

    def __init__(self, key: Hashable, spec: ChildSpec, args: tuple[Any, ...]) -> None:
        self.key = key
        self.spec = spec
        self.args = args
        self.pid: Pid | None = None
        self.is_restarting = False

    def with_spec(self, spec: ChildSpec) -> Child:
        """Return the record of the same child by another spec; its arguments stay."""
        found = Child(self.key, spec, self.args)
        found.pid, found.is_restarting = self.pid, self.is_restarting
        return found

    @property
    def running(self) -> Pid | None:
        """The pid of the process that there is for it, None if there is none."""
        return None if self.is_restarting else self.pid


async def stop_child(spec: ChildSpec, pid: Pid) -> None:
    """Stop the process of a child and wait until it has ended: by "shutdown", and by `kill` when its time is up."""
    watch = monitor(pid)  # before the signal; and not its Exit, which a child that has unlinked itself never sends
    if spec.shutdown == "brutal_kill":
        exit(pid, "kill")
    else:
        exit(pid, "shutdown")
        seconds = None if isinstance(spec.shutdown, str) else spec.shutdown
        down = await receive((watch, ..., ...), timeout=seconds, default=None)
        if down is not None:
            if down.reason == "noproc":  # it had ended before, and its Exit says why
                return
            if is_restarted("transient", down.reason) or (down.reason == "normal" and spec.restart == "permanent"):
                report("shutdown_error", down.reason, spec, pid, "it has ended all the same")
            return
        exit(pid, "kill")
    down = await receive((watch, ..., ...))
    if spec.shutdown != "brutal_kill":
        report("shutdown_error", down.reason, spec, pid, f"it did not end within {spec.shutdown} s and was killed")
    elif down.reason != "killed":
        report("shutdown_error", down.reason, spec, pid, "it ended before it was killed")


async def stop_at_once(children: Iterable[tuple[ChildSpec, Pid]]) -> None:
    """Stop the processes of children, all at the same time; drops every message that comes.

    So only for a supervisor that ends. OTP stops the children of simple_one_for_one so, Elixir's DynamicSupervisor too.
    """
    clock = current_scheduler().clock
    watches: dict[Ref, Pid] = {}
    deadlines: dict[Ref, float] = {}
    times: dict[Ref, float] = {}
    for spec, pid in children:
        watch = monitor(pid)
        watches[watch] = pid
        if spec.shutdown is not None and not isinstance(spec.shutdown, str):
            times[watch] = spec.shutdown
            deadlines[watch] = clock.now() + spec.shutdown
        exit(pid, "kill" if spec.shutdown == "brutal_kill" else "shutdown")
    while watches:
        seconds = None if not deadlines else max(0.0, min(deadlines.values()) - clock.now())
        message = await receive(timeout=seconds, default=None)
        if type(message) is Down:
            watches.pop(message.ref, None)
            deadlines.pop(message.ref, None)
        elif late := [watch for watch, deadline in deadlines.items() if clock.now() >= deadline]:
            text = f"{len(late)} children did not end within {times[late[0]]} s of shutdown; killed"
            trouble.log(logger, logging.ERROR, text)
            for watch in late:
                del deadlines[watch]
                exit(watches[watch], "kill")
