"""`Refusals`: the states that the code of now does not take. Their servers are not started, and the states stay.

The life of a refusal: a server starts -> its state is of another class, cannot be read or migrated, or `code_change`
raises -> it is noted, told and marked -> the supervisor leaves the child out -> a mended text is loaded, the child is
started again, and the refusal is forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from midflight.errors import NotDurable
from midflight.kernel import trouble
from midflight.otp import mark_refused_state
from midflight.text import exception_said, short

__all__ = ["NotRestored", "Refusals"]

SHOWN = 20

logger = logging.getLogger("midflight.durable")


class NotRestored(NotDurable):
    """A program has started without some of its durable servers: the code of now does not take their states."""

    kind = "not-restored"  # which gives it an exit code of its own

    def __init__(self, said: dict[str, str]) -> None:
        shown = "; ".join(f"{short(key)}: {why}" for key, why in list(said.items())[:SHOWN])
        more = f"; and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
        super().__init__(
            f"states were not taken by this code, and their servers not started: {shown}{more}. All states are as they "
            "were. Mend the code, start with --code=last, or put them aside: midflight state delete NAME"
        )
        self.said = said


class Refusals:
    """The reason of each refusal, by key.

    `listeners` are called when a supervisor goes on without a child for that. Any other starter gets
    the exception, and decides.
    """

    def __init__(self) -> None:
        self.said: dict[str, str] = {}
        self.listeners: list[Callable[[], object]] = []

    def note(self, key: str, error: Exception) -> None:
        """Note that the state of `key` was refused with `error`, which is marked for the supervisor."""
        mark_refused_state(error)
        is_new = key not in self.said
        self.said[key] = why = exception_said(error)
        if is_new:
            text = f"{short(key)} is not started: this code does not take its state, which stays as it is. {why}"
            trouble.log(logger, logging.ERROR, text)

    def note_left_out(self) -> None:
        """Tell that a supervisor goes on without a child."""
        for tell in list(self.listeners):
            tell()

    def forget(self, key: str) -> None:
        """Note that the state of `key` was taken, or put aside."""
        self.said.pop(key, None)
