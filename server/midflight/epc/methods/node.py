"""The method about nodes.

(call 4 node/list nil)
(return 4 ((:name "a" :shown "<0.N.0>" :here t) (:name "b" :shown "<1.N.0>" :here nil)))
"""

from __future__ import annotations

from midflight.epc.method import Lane, Method
from midflight.epc.services import Services

__all__ = ["NodeMethods"]


class NodeMethods:
    """The nodes that the runtime reaches, as any connection may list them."""

    def __init__(self, services: Services) -> None:
        self._scheduler = services.scheduler

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (Method("node/list", self.list, Lane.ASIDE),)

    def list(self) -> list[dict[str, object]]:
        """Return this node, then those that are connected; none outside a cluster."""
        nodes = self._scheduler.nodes
        if nodes is None:
            return []
        names = [nodes.name, *nodes.others()]
        return [{"name": name, "shown": f"<{nodes.number_of(name)}.N.0>", "here": name == nodes.name} for name in names]
