"""`PartitionSupervisor`: the same child several times, each for a part of the keys, so that none is a bottleneck."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any
from zlib import crc32

from midflight.errors import NoSuchName, RegistrationError
from midflight.kernel import Pid, arguments, server_of
from midflight.otp.calls import whereis_dest
from midflight.otp.child_spec import ChildSpec, checked_children
from midflight.otp.protocol import Dest
from midflight.otp.restart import Strategy
from midflight.otp.supervising import OWN, Given, Options, starter
from midflight.otp.supervisor import Supervisor
from midflight.text import short

__all__ = ["Partition", "PartitionSupervisor"]


class PartitionSupervisor(Supervisor):
    """A supervisor of `partitions` children that are all started by one ChildSpec; `via(key)` is the one for a key.

    How many there are is said at the start, and stays: one that is terminated, or deleted, leaves its keys to nobody.

    Their ids are 0, 1, 2 and so on, in the place of the spec's id. `with_arguments(args, partition)` returns the
    arguments of one. One that ends is started again, and the others run on.
    OTP: Elixir's PartitionSupervisor, where the children are as many as schedulers, unless you say.

    Example:

        async def log(): await receive()

        await PartitionSupervisor.start_link(ChildSpec("log", log), partitions=4, name="logs")
        PartitionSupervisor.via("logs", 6).whereis() == PartitionSupervisor.via("logs", 2).whereis()  # -> True
        PartitionSupervisor.partitions("logs")  # -> 4
    """

    @classmethod
    def init_arguments(cls, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, ...]:
        """Return the arguments of init. Raises: TypeError or ValueError for wrong ones."""
        return (Given(*cls._parted(*args, **options), starter()),)

    @classmethod
    def _parted(
        cls,
        child: ChildSpec,
        partitions: int = 8,
        strategy: Strategy = OWN,
        intensity: int = OWN,
        period: float = OWN,
        with_arguments: Callable[[tuple[Any, ...], int], tuple[Any, ...]] | None = None,
    ) -> tuple[tuple[ChildSpec, ...], Options]:
        if type(partitions) is not int or partitions < 1:
            raise ValueError(f"partitions must be a whole number >= 1, not {short(partitions)}; nothing was started")
        if not issubclass(type(child), ChildSpec):
            raise TypeError(f"a child is described by a ChildSpec, not {short(child)}; nothing was started")
        if child.name is not None:
            raise ValueError(f"ChildSpec {short(child.id)}: {partitions} children cannot have one name; leave it out")
        options = strategy, intensity, period, OWN
        specs = [
            replace(child, id=number, args=child.args if with_arguments is None else with_arguments(child.args, number))
            for number in range(partitions)
        ]
        return checked_children(specs, cls.flags_of(*options)), options

    @staticmethod
    def via(supervisor: Dest, key: Hashable) -> Partition:
        """Return the partition of `key` as a name for `call`, `cast` and `stop`.

        That of a whole number is its remainder; any other key has always the same one.
        OTP: Elixir's {:via, PartitionSupervisor, {name, key}}.

        Example:

            await PartitionSupervisor.start_link(ChildSpec("till", shop.Till), name="tills")
            await call(PartitionSupervisor.via("tills", "ada"), 5)  # -> 5
        """
        return Partition(supervisor, arguments.hashable("a key", key))

    @staticmethod
    def partitions(supervisor: Dest) -> int:
        """Return how many partitions there are. Raises: NoSuchName. OTP: Elixir's PartitionSupervisor.partitions/1."""
        return len(_server(supervisor).asked)


class Partition:
    """The child of a PartitionSupervisor for a key, as a name."""

    __slots__ = ("key", "supervisor")

    def __init__(self, supervisor: Dest, key: Hashable) -> None:
        self.supervisor = supervisor
        self.key = key

    def whereis(self) -> Pid | None:
        """Return its pid; None if it does not run now. Raises: NoSuchName if the supervisor is not there."""
        server = _server(self.supervisor)
        child = server.children.get(_number(self.key) % len(server.asked))
        return None if child is None else child.running

    def claim(self) -> None:
        """Refuse: a supervisor's child has the key already. Raises: RegistrationError."""
        raise RegistrationError(f"{self!r} is a partition, no name to start by; nothing was started")

    def __repr__(self) -> str:
        return f"PartitionSupervisor.via({self.supervisor!r}, {self.key!r})"


def _server(supervisor: Dest) -> PartitionSupervisor:
    pid = whereis_dest(supervisor)
    server = None if pid is None or pid.process is None else server_of(pid.process)
    if not isinstance(server, PartitionSupervisor):
        raise NoSuchName(supervisor)
    return server


def _number(key: Hashable) -> int:
    if isinstance(key, int):
        return abs(key)
    if isinstance(key, str):  # whose hash is another one in each run
        return crc32(key.encode("utf-8", "surrogatepass"))
    return hash(key)
