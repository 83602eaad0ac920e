"""How a supervisor restarts its children, as a whole: checked before anything is started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from midflight.otp.child_spec import ChildSpec
from midflight.otp.restart import Strategy

__all__ = ["SIMPLE", "Flags", "checked"]

STRATEGIES = get_args(Strategy)
SIMPLE = "simple_one_for_one"


@dataclass(frozen=True, slots=True)
class Flags:
    """The options of a supervisor. Raises: ValueError for what is none. OTP: sup_flags()."""

    strategy: Strategy
    intensity: int
    period: float

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise ValueError(f"strategy must be one of {STRATEGIES}, not {self.strategy!r}; nothing was started")
        intensity: object = self.intensity
        if not isinstance(intensity, int) or intensity < 0:
            raise ValueError(f"intensity must be a whole number >= 0, not {intensity!r}; nothing was started")
        if not self.period > 0:
            raise ValueError(f"period must be seconds > 0, not {self.period!r}; nothing was started")


def checked(children: Iterable[ChildSpec], flags: Flags) -> tuple[ChildSpec, ...]:
    """Return the children of a supervisor, in order. Raises: TypeError or ValueError for what cannot be that."""
    specs = tuple(children)
    for spec in specs:
        found: object = spec
        if not isinstance(found, ChildSpec):
            raise TypeError(f"a child is described by a ChildSpec, not {found!r}; nothing was started")
    twice = [repr(id) for id, times in Counter(spec.id for spec in specs).items() if times > 1]
    if twice:
        raise ValueError(f"children have distinct ids; more than once: {', '.join(twice)}; nothing was started")
    if flags.strategy == SIMPLE and len(specs) != 1:
        raise ValueError(f"{SIMPLE} takes one ChildSpec for all its children, not {len(specs)}; nothing was started")
    return specs
