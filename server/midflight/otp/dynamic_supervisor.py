"""`DynamicSupervisor`: a supervisor that gets its children one by one, each by a spec of its own."""

from __future__ import annotations

from typing import Any

from midflight.otp.supervising import OWN, Given, Options, starter
from midflight.otp.supervisor import Supervisor
from midflight.text import short

__all__ = ["DynamicSupervisor"]


class DynamicSupervisor(Supervisor):
    """A supervisor of children that come and go: connections, rooms, jobs. `start_child` adds one by its ChildSpec.

    Its children have no ids: they are known by their pids, and the `id` of a spec is only shown. One that ends and is
    not restarted is forgotten. When the supervisor ends, all are stopped at the same time.
    `start_link(max_children=None, intensity=3, period=5)`, or a class of your own with these as attributes.
    `restart_child` and `delete_child` are refused. A child beyond `max_children` is refused with ChildError
    ("max_children"); one that is being restarted counts.
    OTP: Elixir's DynamicSupervisor; simple_one_for_one is OTP's own, with one spec for all.

    Example:

        rooms = await DynamicSupervisor.start_link(max_children=1)
        pid = await Supervisor.start_child(rooms, ChildSpec("room", receive))
        await Supervisor.which_children(rooms) == [(None, pid, "worker")]  # -> True
        await Supervisor.terminate_child(rooms, pid)
        await Supervisor.count_children(rooms)  # -> {'specs': 0, 'active': 0, 'supervisors': 0, 'workers': 0}
    """

    is_dynamic = True
    intensity = 3

    @classmethod
    def init_arguments(cls, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, ...]:
        """Return the arguments of init. Raises: TypeError or ValueError for wrong ones."""
        if cls.init is not DynamicSupervisor.init:
            return super().init_arguments(args, options)
        return (Given(*cls._limited(*args, **options), starter()),)

    @classmethod
    def _limited(
        cls, max_children: int | None = OWN, intensity: int = OWN, period: float = OWN
    ) -> tuple[int | None, Options]:
        cls._most(max_children)
        options = OWN, intensity, period, OWN
        cls.flags_of(*options)
        return max_children, options

    @classmethod
    def _most(cls, given: Any) -> int | None:
        most: object = cls.max_children if given is OWN else given
        if most is None or (type(most) is int and most >= 0):
            return most
        raise ValueError(f"max_children must be a whole number >= 0 or None, not {short(most)}; nothing was started")

    def init(self, *args: Any) -> Any:
        """Set up; an `init` of your own returns None, or IGNORE. OTP: Elixir's DynamicSupervisor, init/1."""
        given: Given[int | None] = self.given(args)
        self.max_children = self._most(given.value)
        self.flags = self.flags_of(*given.options)
