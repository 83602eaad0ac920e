"""The start of a node in a runtime: what `Runtime(node=...)` does."""

from __future__ import annotations

from collections.abc import Iterable

from midflight.cluster.cookies import checked_cookie, default_cookie
from midflight.cluster.endpoints import checked_endpoints, checked_node_name
from midflight.cluster.net_server import NET, NetServer
from midflight.cluster.this_node import Node
from midflight.cluster.zenoh_link import ZenohLink
from midflight.kernel import Scheduler
from midflight.otp import Revived

__all__ = ["start_node"]


def start_node(
    scheduler: Scheduler,
    name: str,
    *,
    listen: str | Iterable[str] = (),
    join: str | Iterable[str] = (),
    cookie: str | bytes | None = None,
) -> Node:
    """Make the runtime of `scheduler` the node `name`, on its thread; return the node, which is to be closed.

    Raises: ClusterError if it cannot be; the runtime is as it was then.
    """
    secret = default_cookie() if cookie is None else checked_cookie(cookie)
    link = ZenohLink(secret, checked_endpoints("listen", listen), checked_endpoints("join", join))
    node = Node(scheduler, checked_node_name(name), secret, link)
    node.open()
    scheduler.spawn(Revived(NetServer(node.names)), (), name=NET)
    return node
