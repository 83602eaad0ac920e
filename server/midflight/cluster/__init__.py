"""Several runtimes, on one machine or more, as nodes of one cluster: OTP's distribution, on Zenoh.

    async with Runtime(node="b", join=["tcp/127.0.0.1:7447"]):
        pid = await cluster.spawn("a", shop.start)
        pid << ("order", 5)

A program that gives its runtime no `node` imports nothing of this. The way of a message to a process of another node:

    pid << message        its record has a core of no thread, so `Core._send_slowly`: peer.py
    -> pickling.py        made bytes in the sender's thread: pids by the name of their node
    -> outbox.py          bounded; its thread makes frames of what waits: frames.py numbers and signs them
    -> zenoh_link.py      one publisher a node, which blocks and drops nothing
    -> inbox.py           over there, from a foreign thread, bounded, to the runtime's thread
    -> arriving.py        checks, loads and does what each operation says

How nodes meet: a liveliness token of Zenoh says that a node is there -> handshake.py: both prove that they know the
cookie, and make the key of this session -> `Node` (this_node.py) has a `Peer`. How they part: the token is gone, a
frame is missing, or the other one says so; then peer.py tells all links, monitors and calls "noconnection".

Laws:
1. Nothing is parsed that is not signed with the cookie, and nothing unpickled that is not signed with the key of a
   session. A node that has the cookie can run any code: it is of one trust domain with this one.
2. Between two connected nodes all operations keep their order, and none is missing: else the session ends.
3. A node's life has a creation. Pids of an earlier life are dead; those of the same life work again when the
   node is reached again.
4. All state is the runtime's thread's. Other threads get at the outbox and the inbox only.
5. The runtime's thread never waits for another node. What a process sends too much, it waits for: holding.py.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from midflight.lazy import names_of as _names_of

if _TYPE_CHECKING:
    from midflight.cluster.cookies import default_cookie
    from midflight.cluster.endpoints import checked_endpoints, checked_node_name
    from midflight.cluster.errors import ClusterError, NodeDown, Unsendable, VersionSkew
    from midflight.cluster.functions import (
        GlobalName,
        call_function,
        monitor_node,
        monitor_nodes,
        node,
        nodes,
        spawn,
    )
    from midflight.cluster.starting import start_node
    from midflight.cluster.this_node import Link, Node
else:
    __getattr__ = _names_of(
        __name__,
        {
            "midflight.cluster.cookies": "default_cookie",
            "midflight.cluster.endpoints": "checked_endpoints checked_node_name",
            "midflight.cluster.errors": "ClusterError NodeDown Unsendable VersionSkew",
            "midflight.cluster.functions": ("GlobalName call_function monitor_node monitor_nodes node nodes spawn"),
            "midflight.cluster.this_node": "Link Node",
            "midflight.cluster.starting": "start_node",
        },
    )

__all__ = [
    "ClusterError",
    "GlobalName",
    "Link",
    "Node",
    "NodeDown",
    "Unsendable",
    "VersionSkew",
    "call_function",
    "checked_endpoints",
    "checked_node_name",
    "default_cookie",
    "monitor_node",
    "monitor_nodes",
    "node",
    "nodes",
    "spawn",
    "start_node",
]
