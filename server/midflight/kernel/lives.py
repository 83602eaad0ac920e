"""Lives of nodes: what a pid or ref is called where it is written down, and which one a written name means.

A node is one runtime, known by a number, 0 as long as there is only one; each life of it, from start to end, has a
creation. In memory a pid of this life of this node has 0 for both. Written down it has three numbers: node, creation,
number. OTP: the external term format's NEW_PID_EXT and NEWER_REFERENCE_EXT, which write the node's name.

Laws:
1. A pid of an earlier life, or of another node, is a dead one for this kernel, and never becomes somebody else's.
2. Of two that were written with the same name one object is made, so pids and refs stay equal to themselves only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from weakref import WeakValueDictionary

from midflight.kernel.core import Pid
from midflight.kernel.refs import Ref

if TYPE_CHECKING:
    from midflight.kernel.core import Process
    from midflight.kernel.distant import DistantCore

__all__ = ["Address", "DistantRef", "Life"]

Message = TypeVar("Message")


class Address(NamedTuple):
    """The name of a pid or ref where it is written down."""

    node: int
    creation: int
    number: int


class DistantRef(Ref):
    """A ref of an earlier life, or of another node. What is sent to it, `core` passes on, as long as it is not None."""

    __slots__ = ("core", "creation", "node")

    def __init__(self, address: Address) -> None:
        super().__init__()
        self.node, self.creation, self.number = address
        self.core: DistantCore | None = None

    def __lshift__(self, message: Message) -> Message:
        """Send `message` to the ref, which may be an alias on its node."""
        if self.core is not None:
            self.core.send_to_ref(self.number, message)
        return message


class Life:
    """This life of this node: `node` and `creation` are its numbers, and `processes` those that live, by number.

    Raises: ValueError for a creation of 0, which tells nothing apart, and for a number that 32 bits do not hold.
    """

    def __init__(self, processes: Mapping[int, Process], creation: int, node: int = 0) -> None:
        if not (0 <= node < 2**32 and 0 < creation < 2**32):
            raise ValueError(
                f"a life has a node from 0 and a creation from 1, both below 2**32, not {node} and {creation}; "
                "nothing was changed"
            )
        self.node = node
        self.creation = creation
        self._processes = processes
        self._written: WeakValueDictionary[Address, Pid] = WeakValueDictionary()
        self._written_refs: WeakValueDictionary[Address, Ref] = WeakValueDictionary()

    def address(self, of: Pid | Ref) -> Address:
        """Return what `of` is called outside this life. It is found again by that as long as anybody has it."""
        address = Address(of.node or self.node, of.creation or self.creation, of.number)
        if isinstance(of, Ref):
            self._written_refs[address] = of
        else:
            self._written[address] = of
        return address

    def pids_of(self, node: int, creation: int) -> list[Pid]:
        """Return the pids of that life of that node that anybody here has."""
        return [pid for at, pid in list(self._written.items()) if at.node == node and at.creation == creation]

    def refs_of(self, node: int, creation: int) -> list[Ref]:
        """Return the refs of that life of that node that anybody here has."""
        return [ref for at, ref in list(self._written_refs.items()) if at.node == node and at.creation == creation]

    def pid(self, address: Address) -> Pid:
        """Return the pid with that address; a dead one unless a process of this life has it."""
        address = self._whole(address)
        found = self._written.get(address)
        if found is None:
            process = self._processes.get(address.number) if self._is_here(address) else None
            found = Pid(address.number, None, *self._numbers(address)) if process is None else process.pid
            self._written[address] = found
        return found

    def ref(self, address: Address) -> Ref:
        """Return the ref with that address: of this life, if anybody has it still; else one that takes nothing."""
        address = self._whole(address)
        found = self._written_refs.get(address)
        if found is None:
            found = DistantRef(Address(*self._numbers(address), address.number))
            self._written_refs[address] = found
        return found

    def _is_here(self, address: Address) -> bool:
        return address.node == self.node and address.creation == self.creation

    def _whole(self, address: Address) -> Address:
        """Return `address` with this node where it has 0: it was written when the node had no number."""
        return address if address.node else address._replace(node=self.node)

    def _numbers(self, address: Address) -> tuple[int, int]:
        """Return node and creation as they are in memory."""
        if self._is_here(address):
            return 0, 0
        return (0 if address.node == self.node else address.node), address.creation
