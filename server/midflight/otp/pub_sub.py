"""`PubSub`: messages to all processes that have subscribed to a topic. It is a Registry with duplicate keys."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from midflight.kernel import Pid, current_process
from midflight.otp.protocol import Dest
from midflight.otp.registry import Registry
from midflight.otp.starting import Starting

__all__ = ["PubSub"]


class PubSub:
    """A handle to a hub by its name; it costs nothing and needs no hub to be there yet.

    A subscription goes with its process. A broadcast is a plain send to each subscriber, in the order in which they
    subscribed: no process is between them, so messages of one sender keep their order. If the hub ends, so do those
    that have subscribed, as a registry's do. Every function raises NoSuchName if no hub runs by that name.
    OTP: Elixir's Registry with duplicate keys; Phoenix.PubSub has the names.

    Example:

        await PubSub.start_link("news")  # or ChildSpec("news", PubSub, ("news",))
        news = PubSub("news")
        news.subscribe("weather")  # the calling process
        news.broadcast("weather", "rain")  # -> 1
        await receive()  # -> 'rain'
    """

    __slots__ = ("_registry",)

    def __init__(self, dest: Dest) -> None:
        self._registry = Registry(dest)

    @classmethod
    def start_link(cls, name: str) -> Starting:
        """Start a hub, linked to the caller; to be awaited for its pid. Raises: AlreadyStarted."""
        return Registry.start_link(name, "duplicate")

    def subscribe(self, topic: Hashable, value: Any = None) -> None:
        """Subscribe the calling process, with a value for `subscribers`; nothing happens if it has done so before.

        Raises: NotInProcess.
        """
        if not self._has(topic):
            self._registry.register(topic, value)

    def unsubscribe(self, topic: Hashable) -> None:
        """Take the subscription of the calling process back, if there is one. Raises: NotInProcess."""
        self._registry.unregister(topic)

    def broadcast(self, topic: Hashable, message: Any) -> int:
        """Send `message` to all subscribers; return how many there are."""
        return self._send([pid for pid, _ in self._registry.lookup(topic)], message)

    def broadcast_from(self, topic: Hashable, message: Any) -> int:
        """Send `message` to all subscribers but the calling process; return how many there are.

        Raises: NotInProcess.
        """
        me = current_process("broadcast_from()").pid
        return self._send([pid for pid, _ in self._registry.lookup(topic) if pid is not me], message)

    def subscribers(self, topic: Hashable) -> list[tuple[Pid, Any]]:
        """Return (pid, value) of those that have subscribed, in the order in which they did."""
        return self._registry.lookup(topic)

    def _has(self, topic: Hashable) -> bool:
        me = current_process("subscribe()").pid
        return any(pid is me for pid, _ in self._registry.lookup(topic))

    @staticmethod
    def _send(pids: list[Pid], message: Any) -> int:
        for pid in pids:
            pid << message
        return len(pids)

    def __repr__(self) -> str:
        return f"PubSub({self._registry.dest!r})"
