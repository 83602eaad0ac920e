"""A player: a process of a module with versions, which does as it is ordered and writes down what it hears.

Its loop is in the text of a version (`chaos.texts`); what it does with a message is here, so that all versions keep the
same books. An order is a function that the player calls in its own process, with itself as the argument.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from chaos.hostile import HostileMessage
from chaos.ledger import Ledger, Letter, Ring, Wait, shown
from midflight import Down, Exit, Pid, ProcessExit, process_info, self_, trap_exit

__all__ = ["Order", "Player", "Switch"]


class Order:
    """A message: call `function(player)` in the player's process, and await what it returns if that can be."""

    __slots__ = ("function", "text")

    def __init__(self, text: str, function: Callable[[Player], Any]) -> None:
        self.text = text
        self.function = function

    def __repr__(self) -> str:
        return f"Order({self.text!r})"


class Switch:
    """A message: go on in the current version of the module."""


class Player:
    """The record of one player.

    `kind` names its loop in the module's text: "tail", "while", "newest" or "server". `version` is the version that it
    must run, None before it has begun. `causes` are the texts of the reasons that it may end with; with `must_end` it
    has to end. `ended` is the text of the reason that it did end with, as the witness heard it.
    """

    def __init__(self, ledger: Ledger, line: Any, kind: str, *, traps: bool) -> None:
        self.ledger = ledger
        self.line = line
        self.kind = kind
        self.traps = traps
        self.name: str | None = None  # nobody else is ever given it
        self.number = ledger.tag()
        self.pid: Pid | None = None
        self.version: int | None = None
        self.has_begun = False
        self.causes: set[str] = set()
        self.must_end = False
        self.exiting_since: float | None = None  # when it was first seen to live on with an exit reason
        self.ended: str | None = None
        self.downs = 0
        self.wait: Wait | None = None
        self.exits_due: Counter[tuple[int, str]] = Counter()
        self.exits_heard: Counter[tuple[int, str]] = Counter()
        self.crash: str | None = None  # the reason, if it has raised one that is an exception
        self.changes = 0  # of a server: how many upgrades have changed its state
        self.takes = 0
        ledger.players[self.number] = self

    def __repr__(self) -> str:
        return f"player {self.number} ({self.kind} {self.pid!r})"

    @property
    def is_alive(self) -> bool:
        """Say whether the kernel says that it lives."""
        return self.pid is not None and self.pid.process is not None

    def begin(self, text: int) -> None:
        """Note that its first step runs, in the version with that text."""
        self.has_begun = True
        self.see(text)
        self._go_on()
        if self.traps:
            self._forget_the_gone()
            trap_exit(True)

    def _forget_the_gone(self) -> None:
        """Strike out links to players that ended before this first step: their Exit found a process that traps none."""
        info = process_info(self_())
        assert info is not None
        for pair in [each for each in self.ledger.links if self.number in each]:
            (other,) = pair - {self.number}
            if self.ledger.players[other].pid not in info["links"]:
                self.ledger.links.discard(pair)

    def see(self, text: int) -> None:
        """Note which text it runs: it must be the one of the version that it is in."""
        if self.kind == "server":
            self.version = self.line.current()
        expected = None if self.version is None else self.line.text_of(self.version)
        if text != expected and self.line.is_moving:
            self.version = self.line.younger(self.version, text)
            expected = None if self.version is None else self.line.text_of(self.version)
        if text != expected:
            self.ledger.fault(f"{self!r} runs text {text}, but version {self.version} has text {expected}")

    def _go_on(self) -> None:
        """Note that its loop calls itself now; that of a "newest" is a call of the current version, a load apart."""
        if self.kind == "newest":
            self.version = self.line.current()

    def switch(self, text: int) -> None:
        """Note that it goes on in the current version, in the same step."""
        self.see(text)
        self.takes += 1
        self.version = self.line.current()

    async def take(self, message: object, text: int) -> None:
        """Do as a message says, and write it down."""
        self.see(text)
        self.takes += 1
        if type(message) is HostileMessage:  # nothing may be asked of it
            self.ledger.counts["hostile messages"] += 1
            self._go_on()
            return
        match message:
            case Letter():
                self.ledger.take_letter(self.number, message)
            case Order():
                result = message.function(self)
                del message  # the order holds what it closes over
                if isawaitable(result):
                    await result
            case Ring():
                self.ledger.take_ring(self.number, message, self.ledger.now())
            case Exit():
                self.exits_heard[self.ledger.sender_of(message), shown(message.reason)] += 1
            case Down():
                self.ledger.take_down(self.number, message.ref, message.reason)
            case _:
                self.ledger.fault(f"{self!r} heard {type(message).__name__}, which nobody has sent")
        self._go_on()

    def leave(self, reason: object) -> None:
        """End with `reason`, of its own accord; to be called in its process."""
        self.causes.add(shown(reason))
        self.must_end = True
        if isinstance(reason, BaseException):
            self.crash = shown(reason)
        raise reason if isinstance(reason, BaseException) else ProcessExit(reason)
