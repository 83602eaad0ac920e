"""The exceptions of nodes."""

from __future__ import annotations

from midflight.errors import MidflightError

__all__ = ["ClusterError", "NodeDown", "Unsendable", "VersionSkew"]


class ClusterError(MidflightError):
    """A node could not be started or used as asked; the text says what was done."""


class NodeDown(ClusterError, ConnectionError):
    """A node is not reached, so nothing was asked of it. `node` is its name."""

    def __init__(self, node: str) -> None:
        super().__init__(f"node {node} is not reached; nothing was sent to it; see nodes()")
        self.node = node


class Unsendable(ClusterError, TypeError):
    """A message to another node was not sent: it cannot be pickled, is too large, or too much waits to be sent."""


class VersionSkew(ClusterError):
    """A message was refused: it holds an object of a class that this node has with other fields, or does not have.

    `theirs` and `ours` are the versions of its module on the sending and on the receiving node; None for none.
    """

    def __init__(self, cls: str, theirs: str | None, ours: str | None, node: str = "the other node") -> None:
        there = f"version {theirs}" if theirs else "an unknown version"
        here = f"version {ours}" if ours else "none"
        super().__init__(
            f"{cls} is of {there} on {node}, and here the module has {here}; the message was dropped. "
            "Load the same version on both"
        )
        self.cls, self.theirs, self.ours, self.node = cls, theirs, ours, node

    def __reduce__(self) -> tuple[type[VersionSkew], tuple[str, str | None, str | None, str]]:
        return VersionSkew, (self.cls, self.theirs, self.ours, self.node)
