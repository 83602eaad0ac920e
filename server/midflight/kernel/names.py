"""Registered names: `register`, `unregister`, `whereis`, `registered`."""

from __future__ import annotations

from midflight.errors import RegistrationError
from midflight.kernel import arguments
from midflight.kernel.core import Pid, Process
from midflight.kernel.distant import Nodes
from midflight.kernel.running import current_scheduler
from midflight.kernel.scheduler import Scheduler
from midflight.kernel.signals import NODE
from midflight.text import short

__all__ = ["process_named", "register", "registered", "unregister", "whereis"]

LOCAL = "local"


def register(name: str, pid: Pid, *, scope: str = LOCAL) -> None:
    """Give `pid` the name `name`; it goes when the process ends.

    With the scope "global" it is a name on all nodes of the cluster, apart from the local ones: `whereis(name,
    scope="global")` finds its process from each. If two nodes give the same name at the same time, or apart from each
    other, the process of the node whose own name sorts first keeps it, and the other process gets the exit signal
    ("global_name_conflict", name).
    Raises: RegistrationError for a taken name, a process that has one, "undefined", a dead pid, and for the scope
    "global" outside a cluster; TypeError if `name` is not a str or `pid` not a Pid; ValueError for a process of another
    runtime or node, and for another scope. OTP: register/2, global:register_name/2.

    Example:

        register("echo", self_())
        send("echo", "hello")
        await receive()  # -> 'hello'
    """
    scheduler = current_scheduler()
    if scope != LOCAL:
        _nodes(scheduler, scope).register(
            arguments.given_name("register()", name), arguments.own_pid("register()", pid, scheduler)
        )
        return
    name = scheduler.check_name(name)
    process = arguments.own_pid("register()", pid, scheduler).process
    if process is None:
        raise RegistrationError(f"{pid!r} is not alive; {name!r} was not given")
    if process.name is not None:
        raise RegistrationError(f"{pid!r} is registered as {process.name!r}; {name!r} was not given")
    process.name = name
    scheduler.names[name] = process


def unregister(name: str, *, scope: str = LOCAL) -> None:
    """Free the name; one of the scope "global" only on the node of its process.

    Raises: RegistrationError if nobody has it, or not here; TypeError if it is not a str; ValueError for another scope.
    OTP: unregister/1, global:unregister_name/1.

    Example:

        register("echo", self_())
        unregister("echo")
        whereis("echo")  # -> None
    """
    name = arguments.name("unregister()", name)
    if scope != LOCAL:
        _nodes(current_scheduler(), scope).unregister(name)
        return
    process = current_scheduler().names.pop(name, None)
    if process is None:
        raise RegistrationError(f"no process is registered as {name!r}; see registered()")
    process.name = None


def whereis(name: str, *, scope: str = LOCAL) -> Pid | None:
    """Return the pid that has `name`, or None; with the scope "global" the one that has it in the cluster.

    Raises: TypeError if it is not a str; ValueError for another scope; RegistrationError for the scope "global" outside
    a cluster. OTP: whereis/1, global:whereis_name/1.

    Example:

        pid = spawn(receive, name="echo")
        whereis("echo") == pid  # -> True
    """
    if scope != LOCAL:
        return _nodes(current_scheduler(), scope).whereis(arguments.name("whereis()", name))
    process = current_scheduler().names.get(arguments.name("whereis()", name))
    return None if process is None else process.pid


def registered(*, scope: str = LOCAL) -> list[str]:
    """Return the registered names, in the order of registration; those of the scope "global" sorted.

    Raises: as `whereis`. OTP: registered/0, global:registered_names/0.

    Example:

        spawn(receive, name="first")
        spawn(receive, name="second")
        registered()  # -> ['first', 'second']
    """
    if scope != LOCAL:
        return _nodes(current_scheduler(), scope).registered()
    return list(current_scheduler().names)


def process_named(scheduler: Scheduler, name: str, node: str = NODE) -> Process | None:
    """Return who has `name` on `node`: a process of this node, or a record that stands for it; None for nobody."""
    if scheduler.nodes is not None and node != NODE:
        return scheduler.nodes.named(name, node)
    return scheduler.names.get(name) if node == NODE else None


def _nodes(scheduler: Scheduler, scope: str) -> Nodes:
    """Return the other nodes. Raises: ValueError for an unknown scope; RegistrationError outside a cluster."""
    if scope != "global":
        raise ValueError(f'a scope is "local" or "global", not {short(scope)}; nothing was done')
    if scheduler.nodes is None:
        raise RegistrationError('the scope "global" needs a cluster; nothing was done. Start with Runtime(node=...)')
    return scheduler.nodes
