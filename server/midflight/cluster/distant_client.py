"""The client of a call that comes from another node: what handle_call is given, and `reply` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from midflight.kernel import Client, Pid, Process

if TYPE_CHECKING:
    from midflight.cluster.peer import Peer

__all__ = ["DistantClient"]


class DistantClient(Client):
    """A client whose owner waits on another node. An answer to it goes there, from any thread, and once."""

    __slots__ = ("creation", "node")

    @classmethod
    def of(cls, owner: Process, number: int, target: Pid) -> DistantClient:
        """Return the client of the call with the ref `number` of `owner`, a process of another node, to `target`."""
        made = cls.__new__(cls)
        made.node, made.creation, made.number = owner.pid.node, owner.pid.creation, number
        made.owner = made.pid = owner.pid
        made.alias = owner
        made.target = target
        made.request = made.hold = None
        made.mark, made.once = 0, True
        return made

    def answer_slowly(self, value: object) -> None:
        """Answer: it always comes here, for the owner's core is of no thread."""
        owner = self.alias
        if owner is None:
            return
        core: Any = owner.core
        if core.scheduler.is_own_thread():
            self._answer(value)
        else:
            core.scheduler.on_own_thread(self._answer, value)

    def _answer(self, value: object) -> None:
        owner = self.alias
        if owner is None:
            return
        if self.hold is not None:
            self.hold(self, value)
            return
        peer: Peer = owner.core
        self.close()
        peer.serving.pop(self.number, None)
        peer.answer(self.number, value)

    def fail(self, reason: object) -> None:
        """Have the call end as if its target had ended with `reason`. From any thread."""
        owner = self.alias
        if owner is not None:
            core: Any = owner.core
            core.scheduler.on_own_thread(self._fail, reason)

    def _fail(self, reason: object) -> None:
        owner = self.alias
        if owner is not None:
            self.close()
            peer: Peer = owner.core
            peer.serving.pop(self.number, None)
            peer.put(("D", self.number), reason)
