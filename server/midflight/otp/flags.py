"""`Flags`: how a supervisor restarts its children as a whole, checked before anything is started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from midflight.kernel import arguments
from midflight.otp.child_spec import ChildSpec
from midflight.otp.restart import Strategy
from midflight.text import short

__all__ = ["SIMPLE", "Flags", "checked"]

STRATEGIES = get_args(Strategy)
SIMPLE = "simple_one_for_one"


@dataclass(frozen=True, slots=True)
class Flags:
    """The options of a supervisor. Raises: ValueError or TypeError for wrong values. OTP: sup_flags()."""

    strategy: Strategy
    intensity: int
    period: float

    def __post_init__(self) -> None:
        strategy: object = self.strategy
        if type(strategy) is not str or strategy not in STRATEGIES:
            raise ValueError(f"strategy must be one of {STRATEGIES}, not {short(self.strategy)}; nothing was started")
        intensity: object = self.intensity
        if type(intensity) is not int or intensity < 0:
            raise ValueError(f"intensity must be a whole number >= 0, not {short(self.intensity)}; nothing was started")
        period = arguments.seconds("period", self.period, "nothing was started", or_ever=True)
        if not period:
            raise ValueError(f"period must be seconds > 0, not {short(self.period)}; nothing was started")
        object.__setattr__(self, "period", period)


def checked(children: Iterable[ChildSpec], flags: Flags) -> tuple[ChildSpec, ...]:
    """Return the children of a supervisor, in order. Raises: TypeError or ValueError for wrong values."""
    specs = tuple(arguments.items("a supervisor's children", children))
    for spec in specs:
        if not issubclass(type(spec), ChildSpec):
            raise TypeError(f"a child is described by a ChildSpec, not {short(spec)}; nothing was started")
    twice = [short(id) for id, times in Counter(spec.id for spec in specs).items() if times > 1]
    if twice:
        raise ValueError(f"children have distinct ids; more than once: {', '.join(twice)}; nothing was started")
    if flags.strategy == SIMPLE and len(specs) != 1:
        raise ValueError(f"{SIMPLE} takes one ChildSpec for all its children, not {len(specs)}; nothing was started")
    return specs
