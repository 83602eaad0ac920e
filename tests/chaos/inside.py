"""The part of chaos that is inside of a server: a live world in the server's own runtime, told by shells what to do.

The project's start function calls `begin`. The driver outside evaluates `inside.rest()` and the like in a shell. What
breaks is written to `broken.txt` in the project, since a shell shows the first part of a long text only.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

from chaos.actions import loads
from chaos.ledger import Broken
from chaos.live import Live
from chaos.record import Record
from chaos.world import Line
from midflight.kernel import current_scheduler, schedulers

__all__ = ["begin", "go_on", "rest", "tell"]

OPEN_LINES = ("wire_a", "wire_b")
"""The modules that are loaded over the wire."""

_inside: Inside | None = None


class Inside:
    """The rounds inside of this server: they are played while nobody rests."""

    def __init__(self, folder: Path, seed: str, steps: int) -> None:
        self.folder = folder
        self.steps = steps
        self.record = Record(f"python -m chaos --world server --seed {seed}")
        self.scheduler = current_scheduler()
        self.live = Live(seed, self.scheduler, folder, self.record, is_shared=True)
        for name in OPEN_LINES:
            line = Line(name, folder, is_open=True)
            loads.first_load(line)
            self.live.world.lines.append(line)
        self.may_play = asyncio.Event()
        self.rests = asyncio.Event()
        self.rests.set()
        self.broken: str | None = None
        self.task = asyncio.ensure_future(self._play())

    async def _play(self) -> None:
        number = 0
        while True:
            self.rests.set()
            await self.may_play.wait()
            self.rests.clear()
            try:
                await self.live.play_round(number, self.steps)
            except Exception as error:
                if self.scheduler not in schedulers():  # the server has been told to end, and its runtime has
                    return
                self.fail(f"round {number} inside: {type(error).__name__}: {error}")
            number += 1

    def fail(self, why: str) -> None:
        """Write down what is broken, and play no more."""
        self.broken = self.record.failure(why)
        (self.folder / "broken.txt").write_text(self.broken, encoding="utf-8")
        self.may_play.clear()


async def begin(folder: str, seed: str, steps: int) -> None:
    """Set everything up; the start function of the project."""
    global _inside
    _inside = await asyncio.ensure_future(_made(Path(folder), seed, steps))  # in a task: its players are nobody's
    (Path(folder) / "begun").touch()


async def _made(folder: Path, seed: str, steps: int) -> Inside:
    return Inside(folder, seed, steps)


def go_on() -> None:
    """Play rounds until told to rest."""
    assert _inside is not None
    if _inside.broken is None:
        _inside.may_play.set()


async def rest() -> None:
    """End the round that is played, and return when all of it is gone."""
    assert _inside is not None
    _inside.may_play.clear()
    await _inside.rests.wait()


async def tell() -> None:
    """Close the leak accounts, and write the counts so far to `counts.json` in the project. To be called in a rest."""
    assert _inside is not None
    try:
        await asyncio.ensure_future(_inside.live.close_accounts())
    except Broken as error:
        _inside.fail(f"after a round inside: {error}")
    counts: Counter[str] = Counter(_inside.record.counts) | Counter(steps=_inside.record.steps)
    figures = {"rounds": _inside.live.accounts.rounds, "leaks": _inside.live.accounts.found}
    (_inside.folder / "counts.json").write_text(json.dumps(counts | figures), encoding="utf-8")
