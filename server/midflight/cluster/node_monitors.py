"""The processes that are told of nodes that are reached or lost: `monitor_node` and `monitor_nodes`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from midflight.kernel import Process

if TYPE_CHECKING:
    from midflight.cluster.this_node import Node

__all__ = ["NodeMonitors"]


class NodeMonitors:
    """The processes of a node that are told of others. OTP: erlang:monitor_node/2, net_kernel:monitor_nodes/1."""

    def __init__(self, here: Node) -> None:
        self._here = here
        self._of_one: dict[str, WeakKeyDictionary[Process, int]] = {}
        self._of_all: WeakKeyDictionary[Process, int] = WeakKeyDictionary()

    def watch(self, process: Process, name: str) -> None:
        """Send ("nodedown", name) to `process` when the node is lost, at once if it is not reached; once a call."""
        if self._here.is_reached(name):
            watchers = self._of_one.setdefault(name, WeakKeyDictionary())
            watchers[process] = watchers.get(process, 0) + 1
        else:
            self._here.scheduler.deliver(process, ("nodedown", name))

    def unwatch(self, process: Process, name: str) -> None:
        """Take one call of `watch` back."""
        _take_one(self._of_one.get(name), process)

    def watch_all(self, process: Process) -> None:
        """Send ("nodeup", name) and ("nodedown", name) to `process` for every node; once a call."""
        self._of_all[process] = self._of_all.get(process, 0) + 1

    def unwatch_all(self, process: Process) -> None:
        """Take one call of `watch_all` back."""
        _take_one(self._of_all, process)

    def up(self, name: str) -> None:
        """Tell of a node that is reached."""
        self._tell(self._of_all, ("nodeup", name))

    def down(self, name: str) -> None:
        """Tell of a node that is lost. Who watched that one watches it no more."""
        watchers = self._of_one.pop(name, None)
        if watchers is not None:
            self._tell(watchers, ("nodedown", name))
        self._tell(self._of_all, ("nodedown", name))

    def _tell(self, watchers: WeakKeyDictionary[Process, int], message: tuple[str, str]) -> None:
        for process, times in sorted(watchers.items(), key=lambda item: item[0].pid):
            for _ in range(times):
                if process.pid.process is process:
                    self._here.scheduler.deliver(process, message)


def _take_one(watchers: WeakKeyDictionary[Process, int] | None, process: Process) -> None:
    if watchers is not None and process in watchers:
        watchers[process] -= 1
        if not watchers[process]:
            del watchers[process]
