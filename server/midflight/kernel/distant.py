"""Processes of other nodes, as this node sees them: records that no turn steps, in a core that passes on what they get.

A pid of another node that is reached has such a record in `process`. Its core is a `DistantCore`: `fast_thread` is the
number of no thread, so a send takes the slow door, which a send to a process of this node never looks for. Its links
and monitors are in the same fields as those of any process: an end finds them there, and so does a break.
"""

from __future__ import annotations

from contextvars import Context
from typing import TYPE_CHECKING, Any, Protocol

from midflight.kernel.core import Core, Pid, Process
from midflight.kernel.refs import Ref

if TYPE_CHECKING:
    from midflight.kernel.scheduler import Scheduler

__all__ = ["NO_THREAD", "DistantCore", "Nodes"]

NO_THREAD = -1
_NOBODYS = Context()


class DistantCore(Core):
    """The core of the processes of one life of another node. It never has a turn. `cluster` fills it in.

    What is called on the thread of this node's scheduler only: all but `_send_slowly` and `signal`.
    """

    def __init__(self, scheduler: Scheduler, node: int, creation: int) -> None:
        super().__init__(None, {})
        self.fast_thread = NO_THREAD
        self.scheduler = scheduler  # of this node
        self.node = node
        self.creation = creation

    def adopt(self, pid: Pid) -> Process:
        """Give `pid`, which is of this node and life, its record; return that."""
        process = Process(pid.number, self, _NOBODYS, (_never, ()))
        process.pid = pid
        pid.process = process
        return process

    def named(self, name: str) -> Process:
        """Return a record that stands for the process that has `name` over there when something arrives."""
        process = self.adopt(Pid(0, None, self.node, self.creation))
        process.name = name
        return process

    def signal(self, target: Process, sender: Pid, reason: object, by_link: bool) -> None:
        """Send an exit signal; `kill` ends the target at once, unless it comes by a link."""
        raise NotImplementedError

    def link(self, process: Process, target: Process) -> None:
        """Tell the other node that `process` of this one is linked to `target`."""
        raise NotImplementedError

    def unlink(self, process: Process, target: Process) -> None:
        """Tell the other node that the link of `process`, of this one, and `target` has ended."""
        raise NotImplementedError

    def monitor(self, ref: Ref, watcher: Process, target: Process) -> None:
        """Have the other node say, to `ref`, when `target` ends."""
        raise NotImplementedError

    def demonitor(self, ref: Ref) -> None:
        """Have the other node say nothing to `ref`."""
        raise NotImplementedError

    def send_to_ref(self, number: int, message: object) -> None:
        """Send to the ref of that number, an alias, from any thread."""
        raise NotImplementedError

    def down(self, ref: Ref, reason: object) -> None:
        """Tell the other node that what its monitor `ref` watches, a process of this node, has ended."""
        raise NotImplementedError


class Nodes(Protocol):
    """The other nodes, as the kernel asks for them: `nodes` of a scheduler whose runtime is in a cluster."""

    name: str

    def named(self, name: str, node: str) -> Process | None:
        """Return who has `name` on that node: a process of this node or a record as above; None if nobody has it.

        Also None for a node that is not reached; `is_reached` tells the two apart.
        """

    def is_reached(self, node: str) -> bool:
        """Say whether `node` is this one or one that is connected."""

    def name_of(self, pid: Pid | Ref) -> str:
        """Return the name of the node of `pid`."""

    def number_of(self, node: str) -> int:
        """Return the number by which this node shows that one: 0 for itself."""

    def pid_shown(self, node: int, number: int) -> Pid | None:
        """Return the pid that is shown with these two numbers; None if no such node is connected."""

    def others(self) -> list[str]:
        """Return the names of the connected nodes, sorted."""

    def watch_nodes(self, process: Process) -> None:
        """Send ("nodeup", name) and ("nodedown", name) to `process` for every node."""

    def register(self, name: str, pid: Pid) -> None:
        """Give `pid`, a process of this node, a name on all nodes. Raises: RegistrationError."""

    def unregister(self, name: str) -> None:
        """Free a name of all nodes that this node has given. Raises: RegistrationError."""

    def whereis(self, name: str) -> Pid | None:
        """Return who has a name of all nodes."""

    def registered(self) -> list[str]:
        """Return the names of all nodes."""


def _never() -> Any:
    """Stand for the function of a process that runs elsewhere."""
    raise AssertionError("a process of another node was stepped")
