"""The functions on nodes that programs call, by OTP's names where it has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from midflight.cluster.errors import ClusterError, NodeDown
from midflight.cluster.net_server import NET
from midflight.cluster.this_node import Node
from midflight.errors import AlreadyStarted, RegistrationError
from midflight.kernel import NODE, Pid, Ref, arguments, current_process, current_scheduler, ends, self_
from midflight.otp import call

__all__ = ["GlobalName", "call_function", "monitor_node", "monitor_nodes", "node", "nodes", "spawn"]


def node(of: Pid | Ref | None = None) -> str:
    """Return the name of this node, or of the node of a pid or ref; "nonode@nohost" outside a cluster.

    OTP: node/0, node/1.
    """
    nodes = current_scheduler().nodes
    if nodes is None:
        return NODE
    return nodes.name if of is None else nodes.name_of(of)


def nodes() -> list[str]:
    """Return the names of the other nodes that are connected, sorted; none outside a cluster. OTP: nodes/0."""
    here = current_scheduler().nodes
    return [] if here is None else here.others()


def monitor_node(name: str, flag: bool = True) -> None:
    """Send ("nodedown", name) to the calling process when that node is lost, at once if it is not reached; or no more.

    Each call sends one message. Raises: ClusterError outside a cluster; TypeError; NotInProcess. OTP: monitor_node/2.
    """
    me = current_process("monitor_node()")
    monitors = _here().monitors
    if arguments.flag("monitor_node: flag", flag):
        monitors.watch(me, arguments.given_name("monitor_node()", name))
    else:
        monitors.unwatch(me, arguments.given_name("monitor_node()", name))


def monitor_nodes(flag: bool = True) -> None:
    """Send ("nodeup", name) and ("nodedown", name) to the calling process for every node; or no more.

    Raises: as `monitor_node`. OTP: net_kernel:monitor_nodes/1.
    """
    me = current_process("monitor_nodes()")
    monitors = _here().monitors
    if arguments.flag("monitor_nodes: flag", flag):
        monitors.watch_all(me)
    else:
        monitors.unwatch_all(me)


async def spawn(
    name: str,
    function: Callable[..., Any],
    *args: Any,
    link: bool = False,
    monitor: bool = False,
    timeout: float | None = 5,
) -> Any:
    """Start a process on the node `name` and return its pid; with `monitor` (pid, ref), as `spawn_monitor`.

    `function` goes by its module and name: that node runs it in its own current version. With `link` the process is
    linked before it runs. Its output goes where that node's does.
    Raises: NodeDown; CallError with what kept it from being started; CallTimeout; Unsendable; ClusterError outside a
    cluster; NotInProcess. OTP: spawn/4, which returns a pid of nobody for a node that is not reached.
    """
    arguments.callable_("cluster.spawn", function, "nothing was spawned")
    here = _here()
    me = current_process("cluster.spawn()")
    _reached(here, name)
    pid: Pid = await call((NET, name), ("spawn", function, args, self_() if link else None), timeout)
    if not monitor:
        return pid
    return pid, ends.monitor(here.scheduler, me, pid.process, pid)


async def call_function(name: str, function: Callable[..., Any], *args: Any, timeout: float | None = 5) -> Any:
    """Call `function(*args)` in a new process of the node `name`; return what it returned.

    `function` is async or plain, and goes by its module and name. It runs on if the caller waits no longer.
    Raises: NodeDown; CallError with the reason that its process ended for (what it raised is the `__cause__`);
    CallTimeout; as `spawn` else. OTP: erpc:call/5.
    """
    arguments.callable_("cluster.call_function", function, "nothing was called")
    _reached(_here(), name)
    return await call((NET, name), ("apply", function, args), timeout)


class GlobalName:
    """A name of the scope "global" as a destination: `call(GlobalName("shop"), request)`, `start(name=...)`.

    OTP: {global, Name}.
    """

    def __init__(self, name: str) -> None:
        self.name = arguments.given_name("a global name", name)

    def __repr__(self) -> str:
        return f"GlobalName({self.name!r})"

    def whereis(self) -> Pid | None:
        """Return the pid that has the name."""
        return _here().names.whereis(self.name)

    def claim(self) -> None:
        """Take the name for the calling process. Raises: AlreadyStarted if another has it."""
        try:
            _here().names.register(self.name, self_())
        except RegistrationError:
            raise AlreadyStarted(self.whereis()) from None


def _here() -> Node:
    here = current_scheduler().nodes
    if not isinstance(here, Node):
        raise ClusterError("this runtime is not a node; nothing was done. Start it with Runtime(node=...)")
    return here


def _reached(here: Node, name: str) -> None:
    if not here.is_reached(arguments.given_name("a node", name)):
        raise NodeDown(name)
