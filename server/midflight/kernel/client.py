"""`Client`, a caller that waits for one answer: the kernel's half of call, start, task and sys.

The life of a call: `Client(owner, target)` watches the target -> a request with the client in it is sent -> the
owner waits -> `answer` hands the value over, or a Down comes, or the time is up, whichever is first.

Laws:
1. Monitor before send: a target that ends after the request was sent is noticed.
2. A client takes one message at most. Once it is closed nothing comes through it, so a late answer never arrives.
3. An answer comes after what the target had sent before; `answer` only spares it the way through the mailbox when
   its owner waits for nothing else.
"""

from __future__ import annotations

from _thread import get_ident
from typing import TYPE_CHECKING, Any

from midflight.kernel import arguments
from midflight.kernel.choice import COMPILED
from midflight.kernel.core import Pid
from midflight.kernel.distant import DistantCore
from midflight.kernel.ends import unlink
from midflight.kernel.mailbox import TIMED_OUT, drop_first
from midflight.kernel.signals import Down, Exit

if TYPE_CHECKING:
    from midflight.kernel.core import Process

if TYPE_CHECKING or COMPILED is None:
    from midflight.kernel.pure_client import CallMessage, CallRef
else:
    CallMessage, CallRef = COMPILED.CallMessage, COMPILED.CallRef

__all__ = ["TIMED_OUT", "CallMessage", "Client", "dead_client"]


class Client(CallRef):
    """A ref that is a monitor and an alias at once: it takes one answer of `target` for its `owner`.

    OTP: what handle_call gets as From; a monitor with the option {alias, reply_demonitor}.
    """

    __slots__ = ()

    def refuse(self, owner: Process, target: Process) -> None:
        """Raise ValueError if `target` is a process of another runtime; one of another node is called like any."""
        arguments.reached_pid("a call", target.pid, owner.core)

    def answer_slowly(self, value: object) -> None:
        """Answer from another thread, or in a core that copies or traces; the client is open."""
        owner = self.alias
        if owner is None:
            return
        core: Any = owner.core
        if get_ident() == core.thread:
            if self.hold is not None:
                self.hold(self, value)
            else:
                self << (self, value)  # copied, or traced
        else:
            # Copied here: what cannot be copied is the answering thread's error, and the client stays open.
            core.on_own_thread(self._answer_copied, core.copy_of(value))

    def _answer_copied(self, value: object) -> None:
        owner = self.alias
        if owner is not None and self.hold is not None:
            self.hold(self, value)
        elif owner is not None:
            self.close()
            owner.core.deliver(owner, (self, value))

    def fail(self, reason: object) -> None:
        """Have the call of the owner end as if the target had ended with `reason`, and close. From any thread."""
        owner = self.alias
        if owner is not None:
            owner.core.on_own_thread(self._fail_here, reason)

    def _fail_here(self, reason: object) -> None:
        owner = self.alias
        if owner is not None:
            self.close()
            owner.core.deliver(owner, Down(self, self.target, reason))

    def abandon(self) -> None:
        """Close, and take the messages that have come already out of the mailbox."""
        self.close()
        there = self.target.process
        if there is not None and isinstance(there.core, DistantCore):
            there.core.demonitor(self)
        owner = self.pid.process
        if owner is not None:  # a client takes one message at most
            drop_first(owner, self, self._is_mine)

    def forget_exit(self) -> None:
        """Take the Exit of the target, which has ended or was unlinked, out of the owner's mailbox, if it came."""
        owner = self.pid.process
        if owner is not None:
            drop_first(owner, self, lambda message: type(message) is Exit and message.pid is self.target)

    def _is_mine(self, message: Any) -> bool:
        return type(message) in (tuple, Down) and bool(message) and message[0] is self

    def unlink(self) -> None:
        """Remove the link between owner and target, if there is one; on the scheduler's thread, in any process."""
        owner = self.pid.process
        if owner is not None:
            unlink(owner, self.target)


class DeadClient(Client):
    """A client that nobody waits in: of a call of an earlier life, read from a store. An answer to it is dropped."""

    __slots__ = ("creation", "node")


def dead_client(node: int, creation: int, number: int) -> Client:
    """Return the dead client with that address."""
    made = DeadClient.__new__(DeadClient)
    made.node, made.creation, made.number = node, creation, number
    made.owner = made.alias = made.request = made.hold = None
    made.pid = made.target = Pid(0)
    made.mark, made.once = 0, True
    return made
