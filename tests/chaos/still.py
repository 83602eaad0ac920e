"""The world that can be played again exactly: the runtime's clock and the event loop's are the driver's.

All actions happen between two steps of the runtime, so what a seed does it does each time. No socket and no thread
takes part; `chaos.live` has those.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from chaos.actions import hostilities, loads, processes, waits
from chaos.invariants import TOLD_AGAIN_SECONDS, check
from chaos.leaks import Accounts
from chaos.ledger import Broken
from chaos.record import Record
from chaos.world import Line, World, run_at_once
from helpers.versions import project_in
from midflight.kernel import ManualClock
from midflight.testing import TestRuntime

__all__ = ["ACTIONS", "Still", "play"]

ACTIONS = (*processes.ACTIONS, *waits.ACTIONS, *loads.ACTIONS, *hostilities.ACTIONS)
MODULES = 3
CHECK_EVERY = 10
LOAD_SECONDS = 30.0


class Still:
    """A runtime with a clock that stands still, and the rounds that are played in it."""

    def __init__(self, seed: str, folder: Path, record: Record) -> None:
        self.seed = seed
        self.record = record
        self.clock = ManualClock()
        self.runtime = TestRuntime(self.clock)
        self.world = world = World(Random(seed), self.runtime.scheduler, folder, is_live=False)
        self.runtime.scheduler.on_crash[:] = [hostilities.listener_that_raises, world.crashed]
        self.runtime.loop.set_exception_handler(world.complained)
        world.advance = self.clock.advance
        world.settle = self.runtime.run_until_idle
        world.run_load = run_at_once
        world.run_upgrade = self._run_upgrade
        self.accounts = Accounts()
        for number in range(MODULES):
            line = Line(f"chaos_{'abcdef'[number]}", folder)
            loads.first_load(line)
            world.lines.append(line)

    def _run_upgrade(self, function: Callable[[], Any], then: Callable[[Any], object]) -> None:
        """Run an upgrade in a task of the loop, to its end: the processes go on meanwhile, time does not."""

        def here() -> Any:
            return self.runtime.loop.run_until_complete(asyncio.wait_for(function(), None))

        run_at_once(here, then)

    def play_round(self, number: int, steps: int) -> None:
        """Play one round from empty to empty. Raises: Broken."""
        world, record = self.world, self.record
        world.rng = rng = Random(f"{self.seed}/{number}")
        world.open()
        functions, weights = zip(*ACTIONS, strict=True)
        for step in range(steps):
            text = rng.choices(functions, weights)[0](world)
            if not text:
                continue
            record.note(text)
            if rng.random() < 0.4:
                self.runtime.run_until_idle()
            if rng.random() < 0.3:
                self.let_time_pass(rng.choice((0.0, 0.001, 0.004, 0.01, 0.03)))
            if step % CHECK_EVERY == 0:
                self.rest()
        self.end_round()

    def let_time_pass(self, seconds: float) -> None:
        """Move the clock on."""
        self.clock.advance(seconds)
        self.record.note(f"{seconds} s pass")
        self.runtime.run_until_idle()

    def rest(self) -> None:
        """Let everything run until it waits, then check all rules."""
        self.runtime.run_until_idle()
        if any(player.must_end for player in self.world.alive()):
            gc.collect()  # an exit signal that was swallowed is thrown again once its exception is gone
            self.runtime.run_until_idle()
        check(self.world)

    def end_round(self) -> None:
        """Let all waits and timers end, check, end all players, check again, and close the leak accounts."""
        world = self.world
        self.rest()
        for wait in list(world.ledger.waits.values()):
            if wait.release is not None:
                world.release(wait)
        for _ in range(3):  # a call waits for a server in a wait; what it does then takes time again
            self.let_time_pass(0.1)
        for wait in list(world.ledger.waits.values()):
            if wait.release is not None:
                world.release(wait)
        self.let_time_pass(0.1)
        self.rest()
        if any(player.exiting_since is not None for player in world.alive()):
            self.let_time_pass(TOLD_AGAIN_SECONDS)
            self.rest()
        for player in world.alive():
            world.send_exit(player, "kill")
        self.rest()
        assert world.witness is not None
        world.witness << "end"
        self.let_time_pass(60.0)  # timers that nobody hears any more go, too
        self.record.counts.update(world.ledger.counts)
        gc.collect()  # an asynchronous generator of a player is closed by the loop
        self.runtime.run_until_idle()
        self.accounts.close(world, tasks=0)

    def close(self) -> None:
        """End the runtime."""
        self.runtime.close()


@contextmanager
def still_world(seed: str, record: Record) -> Iterator[Still]:
    """Give a still world in a folder of its own; nothing of it is left after the block."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, project_in(Path(folder)):
        sys.path.insert(0, folder)
        still = Still(seed, Path(folder), record)
        try:
            yield still
        finally:
            still.close()


def play(seed: str, *, rounds: int, steps: int, first: int = 0, minutes: float | None = None) -> Record:
    """Play rounds in a still world. Raises: Broken, with the record in its text."""
    record = Record(f"python -m chaos --world still --seed {seed} --steps {steps}")
    with still_world(seed, record) as still:
        number = first
        try:
            while number < first + rounds if minutes is None else record.seconds() < minutes * 60:
                still.play_round(number, steps)
                number += 1
                record.progress("still", **still.accounts.progress(), loads=record.counts["good loads"])
        except Exception as error:
            record.replay += f" --first {number} --rounds 1"
            raise Broken(record.failure(f"{type(error).__name__}: {error}")) from error
        record.figures = still.accounts.figures()
    return record
