"""Nodes in one interpreter: schedulers that take turns, and a network in memory that can be cut and healed.

What the network carries, and what the outboxes' threads do, is real; only Zenoh is not there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from midflight.cluster.net_server import NET, NetServer
from midflight.cluster.this_node import Node
from midflight.kernel import CrashReport, ManualClock, Pid, Scheduler
from midflight.kernel.running import enter, leave
from midflight.otp import Revived

SECONDS = 20.0
COOKIE = b"a cookie for tests"


class Network:
    """Who is there, and who can reach whom. Every link sees the others come and go."""

    def __init__(self) -> None:
        self.links: list[MemoryLink] = []
        self.cuts: set[frozenset[str]] = set()
        self.lock = threading.RLock()

    def joined(self, one: MemoryLink, two: MemoryLink) -> bool:
        """Say whether two links reach each other."""
        return one is not two and frozenset({one.name, two.name}) not in self.cuts

    def cut(self, one: str, two: str) -> None:
        """Part two nodes: both see the other go."""
        with self.lock:
            self.cuts.add(frozenset({one, two}))
            self._say("down", one, two)

    def heal(self, one: str, two: str) -> None:
        """Join two nodes again."""
        with self.lock:
            self.cuts.discard(frozenset({one, two}))
            self._say("up", one, two)

    def _say(self, what: str, one: str, two: str) -> None:
        for link in self.links:
            for other in self.links:
                if {link.name, other.name} == {one, two} and link is not other:
                    link.heard((what, other.name, other.creation), 0)


class MemoryLink:
    """A `Link` in memory. `spoil` may change or drop (None) what is sent through it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.name, self.creation = "", 0
        self.heard: Callable[[Any, int], object] = lambda event, size: None
        self.spoil: Callable[[bytes], bytes | None] = lambda packet: packet
        self.sent: list[bytes] = []
        self.gate = threading.Event()
        self.gate.set()

    def open(self, name: str, creation: int, heard: Callable[[Any, int], object]) -> None:
        """Be there."""
        self.name, self.creation, self.heard = name, creation, heard
        with self.network.lock:
            self.network.links.append(self)
            for other in self.network.links:
                if self.network.joined(self, other):
                    heard(("up", other.name, other.creation), 0)
                    other.heard(("up", name, creation), 0)

    def send(self, name: str, creation: int, packet: bytes) -> None:
        """Carry a packet; frames wait at the gate."""
        if packet[:1] == b"F":
            self.gate.wait(SECONDS)
        self.sent.append(packet)
        spoiled = self.spoil(packet)
        with self.network.lock:
            for other in self.network.links:
                is_it = (other.name, other.creation) == (name, creation) and self.network.joined(self, other)
                if is_it and spoiled is not None:
                    other.heard(("packet", spoiled), len(spoiled))

    def close(self) -> None:
        """Be there no more."""
        self.gate.set()
        with self.network.lock:
            self.network.links.remove(self)
            for other in self.network.links:
                if self.network.joined(self, other):
                    other.heard(("down", self.name, self.creation), 0)


class Member:
    """One node of a world: `spawn` starts a process in it; `crashes` are its reports."""

    def __init__(self, world: World, name: str, cookie: bytes, **options: Any) -> None:
        self.world, self.clock = world, ManualClock()
        self.scheduler = Scheduler(self.clock if world.is_timeless else None, **options)
        self.scheduler.on_wake_threadsafe = world.woken.set
        self.crashes: list[CrashReport] = []
        self.scheduler.on_crash.append(self.crashes.append)
        self.link = MemoryLink(world.network)
        self.node = Node(self.scheduler, name, cookie, self.link)
        self.node.open()
        self.scheduler.spawn(Revived(NetServer(self.node.names)), (), name=NET)

    def spawn(self, function: Callable[..., Any], *args: Any, name: str | None = None) -> Pid:
        """Start a process."""
        return self.scheduler.spawn(function, args, name=name).pid

    def do(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function as the runtime's thread of this node."""
        enter(self.scheduler)
        try:
            return function(*args)
        finally:
            leave(self.scheduler)

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a process here, and the world with it, until it ends; return its value. Raises: its exit reason."""
        ends: list[tuple[object, Any]] = []
        process = self.scheduler.spawn(function, args)
        self.scheduler.on_result[process] = lambda reason, value: ends.append((reason, value))
        self.world.until(lambda: bool(ends), f"{function} to end")
        reason, value = ends[0]
        if isinstance(reason, BaseException):
            raise reason
        assert reason == "normal", reason
        return value

    def stop(self) -> None:
        """Leave, as a node that ends."""
        self.do(self.node.close)
        self.world.members.remove(self)


class World:
    """Several nodes, and the turns that they take."""

    def __init__(self) -> None:
        self.is_timeless = True  # else the clocks of nodes that are added go by themselves
        self.network = Network()
        self.woken = threading.Event()
        self.members: list[Member] = []

    def add(self, name: str, cookie: bytes = COOKIE, **options: Any) -> Member:
        """Start a node, and wait until all that are there have met it, if they have one cookie."""
        member = Member(self, name, cookie, **options)
        self.members.append(member)
        return member

    def meet(self) -> None:
        """Wait until every two nodes that are not parted are connected."""
        names = {each.node.name for each in self.members}
        self.until(lambda: all({*each.node.peers, each.node.name} == names for each in self.members), "nodes to meet")

    def pair(self) -> tuple[Member, Member]:
        """Start the nodes a and b, connected."""
        one, two = self.add("a"), self.add("b")
        self.meet()
        return one, two

    def step(self) -> None:
        """Let every node take the turns that it can."""
        for each in list(self.members):
            enter(each.scheduler)
            try:
                each.scheduler.run_until_idle()
            finally:
                leave(each.scheduler)

    def until(self, is_so: Callable[[], bool], what: str = "it") -> None:
        """Run all nodes until `is_so` answers yes."""
        deadline = time.monotonic() + SECONDS
        while True:
            self.woken.clear()
            self.step()
            if is_so():
                return
            left = deadline - time.monotonic()
            assert left > 0, f"waited {SECONDS} s for {what}"
            self.woken.wait(min(left, 0.5))

    def close(self) -> None:
        """End all nodes."""
        for each in list(self.members):
            each.stop()
