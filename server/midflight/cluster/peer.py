"""One session with another node: what is sent to its processes, and what they have to do with ours until it ends.

Operations are tuples, what comes first says which; a process is its number there, or a name; R is a ref's number.
("s", to) message | ("r", R) message to an alias | ("c", to, from, R) request of a call | ("a", R) its answer |
("m", to, from, R) monitor | ("d", R) demonitor | ("D", R) reason: a Down | ("l", to, from) link | ("u", to, from)
unlink | ("e", to, from) reason: exit by a link | ("x", to, from) reason: exit/2 | ("g", name, number) a global name, or
None for the number: it is free | ("n",) text: a message was refused, which the sender's log is to say.
"""

from __future__ import annotations

import logging
from _thread import get_ident
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from midflight.cluster.errors import Unsendable
from midflight.cluster.frames import MOST_OPERATION_BYTES
from midflight.cluster.holding import Holding
from midflight.cluster.outbox import HIGH_BYTES, MOST_BYTES, Outbox
from midflight.cluster.pickling import dumps
from midflight.kernel import Address, Client, DistantCore, DistantRef, Down, Pid, Process, Ref, System, ends
from midflight.otp import Call
from midflight.text import exception_said, medium, short

if TYPE_CHECKING:
    from midflight.cluster.frames import FrameReader
    from midflight.cluster.handshake import Greeting
    from midflight.cluster.this_node import Node

__all__ = ["Peer"]

_log = logging.getLogger("midflight.cluster")


class Peer(DistantCore):
    """Another node, as long as a session with it lasts. `reader` is of the session; `outbox` is set by who makes it."""

    outbox: Outbox

    def __init__(self, here: Node, name: str, number: int, creation: int, reader: FrameReader, session: bytes) -> None:
        super().__init__(here.scheduler, number, creation)
        self.here, self.name, self.reader, self.session = here, name, reader, session
        self.proof: Greeting | None = None  # with which it began
        self.is_lost = False
        self.holding = Holding(here.scheduler)
        self.serving: dict[int, tuple[Ref, Process, Process]] = {}  # their monitors and calls: ref, watcher, watched
        self._named: WeakValueDictionary[str, Process] = WeakValueDictionary()

    # --- Their processes -------------------------------------------------------------------------------------

    def process(self, number: int) -> Process:
        """Return the record of their process of that number."""
        pid = self.here.life.pid(Address(self.node, self.creation, number))
        return pid.process or self.adopt(pid)

    def named(self, name: str) -> Process:
        """Return the record that stands for the process that has `name` over there."""
        found = self._named.get(name)
        if found is None:
            self._named[name] = found = super().named(name)
        return found

    def ref(self, number: int) -> Ref:
        """Return their ref of that number."""
        return self.attach(self.here.life.ref(Address(self.node, self.creation, number)))

    def attach(self, ref: Ref) -> Ref:
        """Have what is sent to a ref of theirs go there; return it."""
        if isinstance(ref, DistantRef):
            ref.core = self
        return ref

    # --- Sending -----------------------------------------------------------------------------------------------

    def _send_slowly(self, process: Process, message: Any) -> None:
        kind = type(message)
        if kind is Call and type(message.client) is Client:
            client = message.client
            try:
                self._send(("c", _address(process), client.pid.number, client.number), message.request)
            except Unsendable:
                client.close()
                raise
            self.here.watching[client.number] = client, client.alias, process
            return
        if kind is System and type(message.ref) is Client:  # a call, too, which does not say so
            client = message.ref
            self.here.watching[client.number] = client, client.alias, process
            self.put(("m", _address(process), client.pid.number, client.number))
        self._send(("s", _address(process)), message)

    def send_to_ref(self, number: int, message: object) -> None:
        """Send to an alias of theirs, from any thread. Raises: Unsendable."""
        self._send(("r", number), message)

    def answer(self, number: int, value: object) -> None:
        """Answer the call that has the ref `number`, from any thread; what cannot be sent ends it with that error."""
        try:
            self._send(("a", number), value)
        except Unsendable as error:
            self.put(("D", number), error)

    def _send(self, header: tuple[Any, ...], value: object) -> None:
        """Send what a program wants sent. Raises: Unsendable."""
        if self.is_lost:
            return
        try:
            operation = dumps(header, value, self.here)
        except Exception as error:
            raise Unsendable(
                f"{short(value)} cannot be sent to node {self.name}: {exception_said(error)}; nothing was sent"
            ) from error
        if len(operation) > MOST_OPERATION_BYTES:
            raise Unsendable(
                f"a message of {len(operation):,} bytes is too large for node {self.name}, which takes "
                f"{MOST_OPERATION_BYTES:,}; nothing was sent. Send it in parts"
            )
        outbox = self.outbox
        if outbox.size + len(operation) > MOST_BYTES:
            raise Unsendable(
                f"{outbox.size:,} bytes wait to be sent to node {self.name}, as many as may; nothing was sent. "
                "A process that sends much has to wait now and then: await sleep(0)"
            )
        outbox.put(operation)
        if outbox.size > HIGH_BYTES:
            self._slow_down()

    def put(self, header: tuple[Any, ...], value: object = None) -> None:
        """Send what the runtime wants sent: never refused. A value that cannot be pickled goes as text."""
        if self.is_lost:
            return
        try:
            operation = dumps(header, value, self.here)
        except Exception:
            operation = dumps(header, medium(value), self.here)
        self.outbox.put(operation)

    def _slow_down(self) -> None:
        """Have the sender wait for the node: a process is held after its step, another thread waits here."""
        if get_ident() != self.scheduler.thread:
            self.outbox.wait_for_room()
        elif (process := self.scheduler.current()) is not None:
            self.holding.ask(process)

    # --- What the kernel tells ---------------------------------------------------------------------------------

    def signal(self, target: Process, sender: Pid, reason: object, by_link: bool) -> None:
        """Send an exit signal."""
        self.put(("e" if by_link else "x", _address(target), sender.number), reason)

    def link(self, process: Process, target: Process) -> None:
        """Link over there."""
        self.put(("l", _address(target), process.pid.number))

    def unlink(self, process: Process, target: Process) -> None:
        """Unlink over there."""
        self.put(("u", _address(target), process.pid.number))

    def monitor(self, ref: Ref, watcher: Process, target: Process) -> None:
        """Monitor over there."""
        self.here.watching[ref.number] = ref, watcher, target
        self.put(("m", _address(target), watcher.pid.number, ref.number))

    def demonitor(self, ref: Ref) -> None:
        """Stop a monitor, or a call that waits no longer."""
        if self.here.watching.pop(ref.number, None) is not None:
            self.put(("d", ref.number))

    def down(self, ref: Ref, reason: object) -> None:
        """Tell a monitor, or a call, of theirs."""
        if self.serving.pop(ref.number, None) is not None:
            self.put(("D", ref.number), reason)

    # --- The end -------------------------------------------------------------------------------------------------

    def lose(self) -> None:
        """End: links, monitors and calls across hear "noconnection", those of theirs here are gone."""
        self.is_lost = True
        self.outbox.close()
        self.holding.release()
        pids = self.here.life.pids_of(self.node, self.creation)
        theirs = [pid.process for pid in pids if pid.process is not None] + list(self._named.values())
        for pid in pids:
            pid.process = None
        for ref in self.here.life.refs_of(self.node, self.creation):
            if isinstance(ref, DistantRef):
                ref.core = None
        for process in theirs:
            process.pid.process = None
            self._forget(process)
        for process in theirs:
            links, process.links = process.links, None
            for linked in links or ():
                (linked.links or {}).pop(process, None)
                ends.signal(self.scheduler, linked, process.pid, "noconnection", by_link=True)
            watched, process.monitored_by = process.monitored_by, None
            for ref, (watcher, shown) in (watched or {}).items():
                self.here.watching.pop(ref.number, None)
                (watcher.monitors or {}).pop(ref, None)
                if watcher.pid.process is not None:
                    ref.close()
                    self.scheduler.deliver(watcher, Down(ref, shown, "noconnection"))

    def _forget(self, process: Process) -> None:
        """Take their monitors out of what they watch here."""
        for ref, target in (process.monitors or {}).items():
            (target.monitored_by or {}).pop(ref, None)
            ref.alias = None
        process.monitors = None
        self.serving.clear()


def _address(process: Process) -> int | str:
    return process.pid.number if process.name is None else process.name
