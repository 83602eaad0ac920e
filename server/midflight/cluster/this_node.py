"""A node: this runtime under its name, the others that it reaches, and the numbers by which it shows them.

The life of a session: the link says that a node is `up` -> the one of the two whose name sorts first sends HELLO, and
again until it is answered -> handshake.py -> a `Peer`, and "nodeup" -> frames, until the link says `down`, a
frame is missing, or BYE comes -> the peer is lost, "nodedown" -> if its token is still there, the two greet again.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any, Protocol

from midflight.cluster.arriving import arrive
from midflight.cluster.distant_client import DistantClient
from midflight.cluster.frames import FrameReader, FrameWriter, session_of
from midflight.cluster.global_names import GlobalNames
from midflight.cluster.handshake import BYE, HELLO, PROOF, WELCOME, Greeting, new_nonce, read_greeting
from midflight.cluster.inbox import Inbox
from midflight.cluster.node_monitors import NodeMonitors
from midflight.cluster.outbox import Outbox
from midflight.cluster.peer import Peer
from midflight.kernel import NODE, Address, Life, Pid, Process, Ref, Scheduler

__all__ = ["Link", "Node"]

AGAIN_SECONDS = 0.25
LAST_SECONDS = 1.0  # to send what waits when this node ends

_log = logging.getLogger("midflight.cluster")


class Link(Protocol):
    """The network, as a node sees it. Its threads call `heard` with ("up", name, creation), ("down", name, creation)
    or ("packet", bytes), in the order in which these come from each node."""

    def open(self, name: str, creation: int, heard: Callable[[Any, int], object]) -> None:
        """Say to all that this node is there, and listen. `heard` takes an event and its size in bytes."""

    def send(self, name: str, creation: int, packet: bytes) -> None:
        """Send to that life of a node; blocks while the way is full."""

    def close(self) -> None:
        """Be there no more."""


class Node:
    """This runtime among others: `nodes` of its scheduler. `peers` are those connected, by name."""

    def __init__(
        self, scheduler: Scheduler, name: str, cookie: bytes, link: Link, *, creation: int | None = None
    ) -> None:
        self.scheduler, self.name = scheduler, name
        self._cookie, self._link = cookie, link
        self.creation = creation or secrets.randbelow(2**32 - 1) + 1
        self.life = Life(scheduler.processes, self.creation)
        self.peers: dict[str, Peer] = {}
        self.watching: dict[int, tuple[Any, Process | None, Process]] = {}  # ref, its owner, the target; by its number
        self.names = GlobalNames(self)
        self.monitors = NodeMonitors(self)
        self._seen: dict[str, int] = {}  # creations of those whose token is there
        self._greetings: dict[str, Greeting] = {}  # the last that was sent to each that is not connected
        self._node_numbers = {name: 0, NODE: 0}
        self._node_names = [name]
        self._inbox = Inbox(scheduler.call_threadsafe, self._take)
        self._is_closed = False

    def open(self) -> None:
        """Be a node. Raises: what opening the link raises; nothing is changed then."""
        self._link.open(self.name, self.creation, self._inbox.add)
        self.scheduler.nodes = self

    def close(self) -> None:
        """Leave: what waits is sent, for a second at the most, then the others are told that this node is gone."""
        self._is_closed = True
        self._inbox.close()
        peers = list(self.peers.values())
        for peer in peers:
            peer.outbox.close(drop=False)
        for peer in peers:
            peer.outbox.join(LAST_SECONDS)
        self._link.close()
        for peer in peers:
            peer.lose()
        self.peers.clear()
        self.scheduler.nodes = None

    # --- Names and addresses ---------------------------------------------------------------------------------

    def number_of(self, node: str) -> int:
        """Return the number by which this node shows that one: 0 for itself, the others in the order it met them."""
        number = self._node_numbers.get(node)
        if number is None:
            number = self._node_numbers[node] = len(self._node_names)
            self._node_names.append(node)
        return number

    def name_of(self, pid: Pid | Ref) -> str:
        """Return the name of the node that `pid` is of."""
        return self._node_names[pid.node] if pid.node < len(self._node_names) else f"node{pid.node}"

    def is_reached(self, node: str) -> bool:
        """Say whether `node` is this one or a connected one."""
        return node in self.peers or node in (self.name, NODE)

    def named(self, name: str, node: str) -> Process | None:
        """Return who has `name` on `node`, or stands for it here; None for nobody, or if the node is not reached."""
        if node in (self.name, NODE):
            return self.scheduler.names.get(name)
        peer = self.peers.get(node)
        return None if peer is None else peer.named(name)

    def address_of(self, value: Pid | Ref) -> tuple[str, int, int]:
        """Return what `value` is called on every node: node, creation, number."""
        node, creation, number = self.life.address(value)
        return self._node_names[node], creation, number

    def pid_at(self, node: str, creation: int, number: int) -> Pid:
        """Return the pid with that address; it has a record if its node is connected."""
        pid = self.life.pid(Address(self.number_of(node), creation, number))
        peer = self.peers.get(node)
        if pid.process is None and peer is not None and peer.creation == creation and number:
            peer.adopt(pid)
        return pid

    def ref_at(self, node: str, creation: int, number: int) -> Ref:
        """Return the ref with that address."""
        peer = self.peers.get(node)
        if peer is not None and peer.creation == creation:
            return peer.ref(number)
        return self.life.ref(Address(self.number_of(node), creation, number))

    def own_ref(self, number: int) -> Ref:
        """Return this node's ref of that number: a dead one if nobody has it."""
        return self.life.ref(Address(0, self.creation, number))

    def client_at(self, node: str, creation: int, number: int, owner: int) -> Ref:
        """Return the client of a call with that address."""
        pid = self.pid_at(node, creation, owner)
        peer = self.peers.get(node)
        if peer is None or pid.process is None or pid.process.core is not peer:
            return self.ref_at(node, creation, number)
        served = peer.serving.get(number)
        return DistantClient.of(pid.process, number, Pid(0)) if served is None else served[0]

    def pid_shown(self, node: int, number: int) -> Pid | None:
        """Return the pid that is shown with these two numbers; None if no such node is connected."""
        peer = next((each for each in self.peers.values() if each.node == node), None)
        return None if peer is None else peer.process(number).pid

    def others(self) -> list[str]:
        """Return the names of the connected nodes, sorted."""
        return sorted(self.peers)

    def watch_nodes(self, process: Process) -> None:
        """Send ("nodeup", name) and ("nodedown", name) to `process` for every node."""
        self.monitors.watch_all(process)

    # --- Names for all nodes: what the kernel asks for --------------------------------------------------------

    def register(self, name: str, pid: Pid) -> None:
        """Give a process of this node a name on all nodes. Raises: RegistrationError."""
        self.names.register(name, pid)

    def unregister(self, name: str) -> None:
        """Free a name of all nodes. Raises: RegistrationError."""
        self.names.unregister(name)

    def whereis(self, name: str) -> Pid | None:
        """Return who has a name of all nodes."""
        return self.names.whereis(name)

    def registered(self) -> list[str]:
        """Return the names of all nodes, sorted."""
        return self.names.registered()

    # --- What the link says ------------------------------------------------------------------------------------

    def _take(self, event: tuple[Any, ...]) -> None:
        if self._is_closed:
            return
        match event:
            case ("packet", packet):
                self._packet(packet)
            case ("up", name, creation):
                self._up(name, creation)
            case ("down", name, creation):
                if self._seen.get(name) == creation:
                    del self._seen[name]
                    self._greetings.pop(name, None)
                peer = self.peers.get(name)
                if peer is not None and peer.creation == creation:
                    self._lose(peer)

    def _up(self, name: str, creation: int) -> None:
        if name == self.name:
            if creation != self.creation:
                _log.error("Another node is called %s, too: neither reaches the other. Give one another name.", name)
            return
        self._seen[name] = creation
        peer = self.peers.get(name)
        if peer is not None and peer.creation != creation:
            self._lose(peer)
        if self.name < name:
            self._greet(name)

    def _greet(self, name: str) -> None:
        """Say HELLO, and again as long as it is not answered."""
        creation = self._seen.get(name)
        if creation is None or name in self.peers or self._is_closed:
            return
        ours = self._greetings.get(name)
        if ours is None or ours.kind != HELLO or ours.receiver_creation != creation:
            ours = Greeting(HELLO, self.name, self.creation, name, creation, new_nonce())
        self._say(ours)
        self.scheduler.timers.set(self.scheduler.clock.now() + AGAIN_SECONDS, lambda: self._greet(name))
        self.scheduler.wake_up()

    def _say(self, greeting: Greeting) -> None:
        self._greetings[greeting.receiver] = greeting
        self._link.send(greeting.receiver, greeting.receiver_creation, greeting.packed(self._cookie))

    def _packet(self, packet: bytes) -> None:
        session = session_of(packet)
        if session is None:
            greeting = read_greeting(packet, self._cookie)
            if greeting is not None and (greeting.receiver, greeting.receiver_creation) == (self.name, self.creation):
                self._greeted(greeting)
            return
        peer = next((each for each in self.peers.values() if each.session == session), None)
        if peer is None:  # of a session that has ended, or of one whose PROOF was lost
            for each in [one for one in self._greetings.values() if one.kind == WELCOME]:
                if each.keys(self._cookie, self.name).id == session:
                    del self._greetings[each.receiver]
                    self._link.send(each.receiver, each.receiver_creation, each.as_kind(BYE).packed(self._cookie))
            return
        try:
            operations = peer.reader.read(packet)
        except EOFError as error:
            _log.error("Node %s: %s; what was on its way is lost, and both sides are told.", peer.name, error)
            self._lose(peer)
            return
        for operation in operations or ():
            arrive(peer, operation)
            if peer.is_lost:
                return

    def _greeted(self, greeting: Greeting) -> None:
        """Take the next step of a handshake; what does not fit the step before is ignored."""
        name, kind = greeting.sender, greeting.kind
        ours = self._greetings.get(name)
        if kind == HELLO and name < self.name:
            self._seen.setdefault(name, greeting.sender_creation)
            is_again = ours is not None and ours.kind == WELCOME and ours.first == greeting.first
            self._say(ours if ours is not None and is_again else greeting.answer(WELCOME, new_nonce()))
        elif kind == WELCOME and ours is not None and ours.kind == HELLO and _are_of_one(ours, greeting):
            proof = greeting.answer(PROOF)
            self._say(proof)
            self._connect(name, greeting.sender_creation, proof)
        elif kind == PROOF and ours is not None and ours.kind == WELCOME and _are_of_one(ours, greeting):
            if greeting.second == ours.second:
                self._connect(name, greeting.sender_creation, greeting)
        elif kind == BYE:  # the nonces say of which session
            peer = self.peers.get(name)
            if peer is not None and peer.session == greeting.keys(self._cookie, self.name).id:
                self._lose(peer, tells=False)

    def _connect(self, name: str, creation: int, proof: Greeting) -> None:
        """Begin a session."""
        if name in self.peers:
            self._lose(self.peers[name], tells=False)
        self._greetings.pop(name, None)
        keys = proof.keys(self._cookie, self.name)
        peer = Peer(self, name, self.number_of(name), creation, FrameReader(keys), keys.id)
        peer.proof = proof
        post = self.scheduler.call_threadsafe
        peer.outbox = Outbox(
            name,
            FrameWriter(keys),
            lambda frame: self._link.send(name, creation, frame),
            lambda: post(peer.holding.release),
            lambda _: post(self._lose, peer),
        )
        self.peers[name] = peer
        for pid in self.life.pids_of(peer.node, creation):
            if pid.number:
                peer.adopt(pid)
        for ref in self.life.refs_of(peer.node, creation):
            peer.attach(ref)
        self.names.tell_all(peer)
        _log.info("Node %s is connected.", name)
        self.monitors.up(name)

    def _lose(self, peer: Peer, *, tells: bool = True) -> None:
        """End a session; the other side is told, unless it was the one that told. Then the two may greet again."""
        if peer.is_lost:
            return
        if self.peers.get(peer.name) is peer:
            del self.peers[peer.name]
        peer.lose()
        if tells and peer.proof is not None:
            bye = peer.proof if peer.proof.sender == self.name else peer.proof.answer(BYE)
            try:
                self._link.send(peer.name, peer.creation, bye.as_kind(BYE).packed(self._cookie))
            except Exception as error:
                _log.info("Node %s could not be told that its session has ended: %s", peer.name, error)
        self.names.forget(peer.name)
        _log.info("Node %s is lost.", peer.name)
        self.monitors.down(peer.name)
        if self.name < peer.name and not self._is_closed:
            self._greet(peer.name)


def _are_of_one(ours: Greeting, theirs: Greeting) -> bool:
    """Say whether `theirs` answers `ours`: the same nonce, the same life of the other node."""
    return ours.first == theirs.first and ours.receiver_creation == theirs.sender_creation
