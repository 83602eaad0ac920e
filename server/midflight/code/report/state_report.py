"""`StateChange`: the outcome of a load for one name of the module's state, and its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Outcome", "StateChange", "kept_lines", "kept_state", "told_lines"]

Outcome = Literal["kept", "left", "new", "conflict", "waits", "apart", "lost", "migrated", "note"]

SHOWN = 3  # names in the one line


@dataclass(frozen=True, slots=True)
class StateChange:
    """The outcome of a load for a name. `why` is a sentence without a full stop, "" for what needs no words.

    `outcome`: "kept", the running value stays; "left", a new value stands there and the running one is left behind,
    recoverable by `code.recover`; "new", a new value stands there and nothing is lost but its identity; "conflict",
    the running value stays where the new body made another; "waits", the running value stays for now, unmerged;
    "apart", old code goes on with a copy of its own; "lost", results that nobody can keep; "migrated", objects that
    have taken a new class, or have not; "note", anything else.
    `size` is the count of items before the load, `new_size` after it, None for a value without items.
    """

    name: str
    outcome: Outcome
    why: str = ""
    size: int | None = None
    new_size: int | None = None

    def sized(self) -> str:
        """Return the name with its size: "CACHE (412)"."""
        return self.name if self.size is None else f"{self.name} ({self.size})"


def kept_state(changes: Sequence[StateChange]) -> str:
    """Return the part of the one line that names what was kept, "" for nothing: "kept state: CACHE (412), hits"."""
    kept = [each.sized() for each in changes if each.outcome == "kept"]
    if not kept:
        return ""
    more = f" and {len(kept) - SHOWN} more" if len(kept) > SHOWN else ""
    return f"kept state: {', '.join(kept[:SHOWN])}{more}"


def kept_lines(changes: Sequence[StateChange]) -> list[str]:
    """Return the line of the whole report that names all that was kept."""
    kept = [each.sized() for each in changes if each.outcome == "kept"]
    return [f"  kept state: {', '.join(kept)}"] if kept else []


def told_lines(changes: Sequence[StateChange]) -> list[str]:
    """Return the lines of the whole report on the names that need words."""
    told = [each for each in changes if each.why]
    return ["", "State of the module", *(f"  {each.name}: {each.why}" for each in told)] if told else []
