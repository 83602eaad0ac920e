"""Names on all nodes: `register(name, pid, scope="global")`.

Each node says to the others which names its own processes have: all when they meet, then each change. So a name may for
a moment, or while nodes are apart, have several processes. Law: it is the one's of the node whose name sorts first, on
each node that knows of both; the node of another process takes the name from it, and sends it the exit signal
("global_name_conflict", name). OTP: global, which locks all nodes to give a name, and at a conflict kills one of two.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from midflight.cluster.net_server import NET
from midflight.errors import RegistrationError
from midflight.kernel import OUTSIDE, Pid, ends

if TYPE_CHECKING:
    from midflight.cluster.peer import Peer
    from midflight.cluster.this_node import Node

__all__ = ["GlobalNames"]

_log = logging.getLogger("midflight.cluster")


class GlobalNames:
    """The names of all nodes, as far as this one knows: for each the process of each node that claims it."""

    def __init__(self, here: Node) -> None:
        self._here = here
        self._claims: dict[str, dict[str, Pid]] = {}

    def register(self, name: str, pid: Pid) -> None:
        """Give a living process of this node a name. Raises: RegistrationError if it is taken or the process dead."""
        process = pid.process
        if process is None:
            raise RegistrationError(f"{pid!r} is not alive; the global name {name!r} was not given")
        holder = self.whereis(name)
        if holder is not None:
            raise RegistrationError(f"{name!r} is the global name of {holder!r}; it keeps it")
        self._claims.setdefault(name, {})[self._here.name] = pid
        here = self._here.scheduler
        if (net := here.names.get(NET)) is not None:
            ends.monitor(here, net, process, pid)  # the Down comes to `ended`
        for peer in self._here.peers.values():
            peer.put(("g", name, pid.number))

    def unregister(self, name: str) -> None:
        """Free a name of this node's. Raises: RegistrationError."""
        if self._here.name not in self._claims.get(name, ()):
            raise RegistrationError(f"no process of this node has the global name {name!r}; nothing was done")
        self._withdraw(name)

    def whereis(self, name: str) -> Pid | None:
        """Return who has the name."""
        claims = self._claims.get(name)
        return claims[min(claims)] if claims else None

    def registered(self) -> list[str]:
        """Return the names, sorted."""
        return sorted(self._claims)

    def tell_all(self, peer: Peer) -> None:
        """Tell a node that was met which names this one has."""
        for name, claims in self._claims.items():
            if self._here.name in claims:
                peer.put(("g", name, claims[self._here.name].number))

    def heard(self, peer: Peer, name: str, number: int | None) -> None:
        """Take in that a process of another node has the name, or none any more."""
        if number is None:
            self._drop(name, peer.name)
            return
        claims = self._claims.setdefault(name, {})
        claims[peer.name] = peer.process(number).pid
        mine = claims.get(self._here.name)
        if mine is not None and peer.name < self._here.name:
            _log.warning(
                "The global name %s is also %r's, of node %s, which keeps it: %r has lost it.",
                name,
                claims[peer.name],
                peer.name,
                mine,
            )
            self._withdraw(name)
            if mine.process is not None:
                ends.signal(self._here.scheduler, mine.process, OUTSIDE, ("global_name_conflict", name))

    def forget(self, node: str) -> None:
        """Drop the names of a node that is lost."""
        for name in list(self._claims):
            self._drop(name, node)

    def ended(self, pid: Pid) -> None:
        """Free the names of a process of this node that has ended."""
        for name in [name for name, claims in self._claims.items() if claims.get(self._here.name) is pid]:
            self._withdraw(name)

    def _withdraw(self, name: str) -> None:
        self._drop(name, self._here.name)
        for peer in self._here.peers.values():
            peer.put(("g", name, None))

    def _drop(self, name: str, node: str) -> None:
        claims = self._claims.get(name)
        if claims is not None and claims.pop(node, None) is not None and not claims:
            del self._claims[name]
