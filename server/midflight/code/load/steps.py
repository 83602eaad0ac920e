"""The steps of a load that cannot be undone: all are taken, though one fails; and Ctrl-C, put off meanwhile.

Nothing is raised from the swap on but Ctrl-C, and that when all is done. What fails is told, and not raised.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

from midflight.kernel import is_user_code

__all__ = ["Interrupts", "Step", "take_all", "undisturbed"]

TRIES = 3  # of a step that Ctrl-C falls into


class Step(NamedTuple):
    """A piece of work from the swap on. Begun again after Ctrl-C, it need not repeat the part that is done.

    `unknown` says what is not known if it fails; without it, its last error is raised. One that `must` be done is
    begun again after any error, at most twice.
    """

    do: Callable[[], object]
    unknown: str | None
    must: bool = False


def take_all(steps: Sequence[Step], note_failure: Callable[[str, BaseException], object]) -> BaseException | None:
    """Take all steps in their order, though one fails; return the Ctrl-C that fell into one.

    `note_failure` is told what is not known, and the error, if a step fails.
    """
    interrupt: BaseException | None = None
    index = tries = 0
    # One loop, and no calls around the steps: Ctrl-C may fall between any two instructions.
    while index < len(steps):
        try:
            while index < len(steps):
                tries += 1
                steps[index].do()
                index, tries = index + 1, 0
        except BaseException as error:
            is_interrupt = isinstance(error, KeyboardInterrupt)
            if is_interrupt:
                interrupt = error
            if index == len(steps) or (tries < TRIES and (is_interrupt or steps[index].must)):
                continue
            unknown = steps[index].unknown
            if unknown is None:
                raise
            if not is_interrupt:
                note_failure(unknown, error)
            index, tries = index + 1, 0
    return interrupt


class Interrupts:
    """The Ctrl-C that came while a commit was under way."""

    def __init__(self) -> None:
        self.noted = 0

    def take(self, _number: int, frame: FrameType | None) -> None:
        """Handle SIGINT: break into a user's hook, which may never return; in the commit itself, only note it."""
        if is_user_code(frame):
            raise KeyboardInterrupt
        self.noted += 1

    def check(self) -> None:
        """Raise KeyboardInterrupt if there was one: for the last moment at which nothing has changed."""
        if self.noted:
            self.noted = 0
            raise KeyboardInterrupt


@contextmanager
def undisturbed() -> Iterator[Interrupts]:
    """Put Ctrl-C off while the block runs: it has its usual effect after it. Signals come to the main thread only."""
    interrupts = Interrupts()
    before: Any = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield interrupts
        return
    signal.signal(signal.SIGINT, interrupts.take)  # from here on none is raised in code of ours
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)
        for _ in range(interrupts.noted):
            before(signal.SIGINT, sys._getframe())
