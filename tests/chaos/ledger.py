"""The ledger: what was done to the players of a run and what they heard, kept outside of the runtime under test.

A player is a process that takes orders and writes down everything it hears. The ledger holds plain facts only: numbers,
texts, counts. It keeps no message, exception or frame, since those would keep processes and versions in memory, and
the leak accounts would find them.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from midflight import Exit, Pid, Ref

if TYPE_CHECKING:
    from chaos.player import Player

__all__ = ["OUTSIDE", "Broken", "Ledger", "Letter", "Monitor", "Ring", "Timer", "Wait", "shown"]

OUTSIDE = 0
"""The number of the sender that is no player: the driver."""


class Broken(AssertionError):
    """An invariant does not hold; the text says which one."""


class Letter(NamedTuple):
    """A message between two players. `number` counts from 1 for each sender, receiver and colour."""

    sender: int
    colour: str
    number: int


class Ring(NamedTuple):
    """The message of timer `number`."""

    number: int


@dataclass(slots=True)
class Monitor:
    """A monitor of `watcher` on `target`. `downs` counts the Downs; `reason` is the text of the last one's reason."""

    watcher: int
    target: int
    downs: int = 0
    reason: str | None = None
    is_off: bool = False
    may_be_late: bool = False


@dataclass(slots=True)
class Timer:
    """A timer of `send_after`. Times are seconds of the runtime's clock."""

    number: int
    dest: int
    due: float
    ref: Ref | None = None
    rang_at: float | None = None
    is_cancelled: bool = False
    is_lost: bool = False  # its receiver ended first


@dataclass(slots=True)
class Wait:
    """A wait that a player is in, was in, or was torn out of.

    `release` lets it end; None if time alone does, at `due`, or, if it `is_open`, others may end it at any time.
    `state` is "waiting", "done" or "unwound".
    """

    number: int
    kind: str
    player: int
    release: Callable[[], object] | None = None
    due: float | None = None
    is_released: bool = False
    is_open: bool = False
    state: str = "waiting"
    clean_ups: int = 0


def shown(reason: object) -> str:
    """Return a reason as text that tells it from others; runs no code of the reason's own."""
    if type(reason) is str:
        return reason
    if type(reason) is tuple:
        return "(" + ", ".join(shown(each) for each in reason) + ")"
    if type(reason) in (float, bool, type(None)) or (type(reason) is int and reason.bit_length() < 64):
        return repr(reason)
    if issubclass(type(reason), BaseException) and type(reason).__module__ == "builtins":
        return f"{type(reason).__name__}{shown(tuple(BaseException.args.__get__(reason)))}"
    return f"a {type(reason).__name__}"


@dataclass
class Ledger:
    """All facts of one round."""

    now: Callable[[], float]
    players: dict[int, Player] = field(default_factory=dict)
    by_pid: dict[Pid, Player] = field(default_factory=dict)
    sent: Counter[tuple[int, int, str]] = field(default_factory=Counter)  # sender, receiver, colour
    heard: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    monitors: dict[Ref, Monitor] = field(default_factory=dict)
    timers: dict[int, Timer] = field(default_factory=dict)
    waits: dict[int, Wait] = field(default_factory=dict)
    links: set[frozenset[int]] = field(default_factory=set)
    processes: list[weakref.ref[object]] = field(default_factory=list)  # the kernel's records, which must go
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    crashes: Counter[Pid] = field(default_factory=Counter)
    _tags: int = 0

    def tag(self) -> int:
        """Return a number that was not used before in this round."""
        self._tags += 1
        return self._tags

    def fault(self, text: str) -> None:
        """Note that an invariant does not hold; the next check raises it."""
        self.wrong.append(text)

    def next_letter(self, sender: int, receiver: int, colour: str) -> Letter:
        """Return the next letter between two players, and count it as sent."""
        key = sender, receiver, colour
        self.sent[key] += 1
        self.counts["messages"] += 1
        return Letter(sender, colour, self.sent[key])

    def take_letter(self, receiver: int, letter: Letter) -> None:
        """Count a letter as heard: it must be the one after the last."""
        key = letter.sender, receiver, letter.colour
        expected = self.heard[key] + 1
        if letter.number != expected:
            self.fault(f"player {receiver} heard {letter} where number {expected} was next")
        self.heard[key] = letter.number

    def note_monitor(self, ref: Ref, watcher: int, target: int) -> None:
        """Write down that player `watcher` has made a monitor of player `target`."""
        self.counts["monitors"] += 1
        self.monitors[ref] = Monitor(watcher, target)

    def take_down(self, receiver: int, ref: Ref, reason: object) -> None:
        """Count a Down."""
        monitor = self.monitors.get(ref)
        if monitor is None:
            self.fault(f"player {receiver} heard a Down of {ref!r}, which no player has made")
            return
        monitor.downs += 1
        monitor.reason = shown(reason)
        if monitor.watcher != receiver:
            self.fault(f"player {receiver} heard the Down of a monitor of player {monitor.watcher}")
        if monitor.downs > 1:
            self.fault(f"player {receiver} heard {monitor.downs} Downs of its monitor of player {monitor.target}")
        if monitor.is_off and not monitor.may_be_late:
            self.fault(f"player {receiver} heard a Down of a monitor that it had taken back")

    def take_ring(self, receiver: int, ring: Ring, at: float) -> None:
        """Count the message of a timer."""
        timer = self.timers[ring.number]
        if timer.rang_at is not None:
            self.fault(f"timer {ring.number} rang twice")
        if timer.is_cancelled:
            self.fault(f"timer {ring.number} was cancelled, and rang")
        if timer.dest != receiver:
            self.fault(f"timer {ring.number} of player {timer.dest} rang at player {receiver}")
        if at < timer.due - 1e-6:
            self.fault(f"timer {ring.number} rang at {at}, before {timer.due}")
        timer.rang_at = at

    def sender_of(self, message: Exit) -> int:
        """Return the number of the player that an Exit names, OUTSIDE for the driver."""
        player = self.by_pid.get(message.pid)
        return OUTSIDE if player is None else player.number
