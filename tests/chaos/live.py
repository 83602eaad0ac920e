"""The world that lives: a real event loop and clock, threads, sockets, other programs, loads in threads of their own.

It takes a scheduler that runs already: its own program's (`play`), or that of a server (`chaos.project`). It rests at
the end of each round only, when all loads are done, all waits released, and every player has said so.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

from chaos.actions import hostilities, loads, outside, processes, waits
from chaos.invariants import check
from chaos.leaks import Accounts
from chaos.ledger import Broken
from chaos.player import Order
from chaos.record import Record
from chaos.world import Line, World
from helpers.versions import project_in
from midflight import Runtime
from midflight.kernel import Scheduler

__all__ = ["Live", "play"]

ACTIONS = (*processes.ACTIONS, *waits.ACTIONS, *loads.ACTIONS, *hostilities.ACTIONS, *outside.ACTIONS)
PAUSES = (0.0, 0.0, 0.0, 0.001, 0.005)
REST_SECONDS = 30.0
LOOK_SECONDS = 0.02
MODULES = 3


class Live:
    """Rounds in a runtime that others drive. To be made and used on its thread, in an asyncio task."""

    def __init__(self, seed: str, scheduler: Scheduler, folder: Path, record: Record, *, is_shared: bool) -> None:
        self.seed = seed
        self.record = record
        self.world = world = World(Random(seed), scheduler, folder, is_live=True)
        world.is_shared = is_shared
        scheduler.on_crash += [hostilities.listener_that_raises, self._crashed]
        asyncio.get_running_loop().set_exception_handler(world.complained)
        world.run_load = self._run_load
        world.run_upgrade = self._run_upgrade
        self.accounts = Accounts()
        self._threads = ThreadPoolExecutor(MODULES, thread_name_prefix="chaos-load")
        self._under_way: set[asyncio.Future[Any]] = set()
        for number in range(MODULES):
            line = Line(f"chaos_{'abcdef'[number]}", folder)
            loads.first_load(line)
            world.lines.append(line)

    def _crashed(self, report: Any) -> None:
        if report.pid in self.world.ledger.by_pid:
            self.world.crashed(report)

    def _run_load(self, function: Callable[[], Any], then: Callable[[Any], object]) -> None:
        self._follow(asyncio.get_running_loop().run_in_executor(self._threads, function), then)

    def _run_upgrade(self, function: Callable[[], Any], then: Callable[[Any], object]) -> None:
        self._follow(asyncio.ensure_future(function()), then)

    def _follow(self, future: asyncio.Future[Any], then: Callable[[Any], object]) -> None:
        def done(future: asyncio.Future[Any]) -> None:
            self._under_way.discard(future)
            error = future.exception()
            then(future.result() if error is None else error)

        self._under_way.add(future)
        future.add_done_callback(done)

    async def play_round(self, number: int, steps: int) -> None:
        """Play one round from empty to empty. Raises: Broken."""
        world, record = self.world, self.record
        world.rng = rng = Random(f"{self.seed}/{number}")
        world.open()
        functions, weights = zip(*ACTIONS, strict=True)
        for _ in range(steps):
            text = rng.choices(functions, weights)[0](world)
            if text:
                record.note(text)
            if rng.random() < 0.5:
                await asyncio.sleep(rng.choice(PAUSES))
            if world.ledger.wrong:
                check(world)
        await self.end_round()

    async def end_round(self) -> None:
        """Let all come to rest, check, end all players, check again, and close the leak accounts."""
        world = self.world
        if self._under_way:
            await asyncio.wait(self._under_way)
        await self._until_right(self._let_go)
        await self._hear_from_all()
        await self._until_right(self._let_go)
        for player in world.alive():
            world.send_exit(player, "kill")
        await self._until_right(lambda: None)
        assert world.witness is not None
        world.witness << "end"
        while world.witness.process is not None:
            await asyncio.sleep(0)
        self.record.counts.update(world.ledger.counts)
        if not world.is_shared:
            await self.close_accounts()

    def _let_go(self) -> None:
        for wait in list(self.world.ledger.waits.values()):
            if wait.release is not None:
                self.world.release(wait)

    async def _hear_from_all(self) -> None:
        """Wait until every living player has taken all that came before this."""
        world = self.world
        heard: set[int] = set()
        asked = world.alive()
        for player in asked:
            assert player.pid is not None
            player.pid << Order("say that all was heard", lambda me: heard.add(me.number))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + REST_SECONDS
        while missing := [each for each in asked if each.is_alive and each.number not in heard]:
            if loop.time() > deadline:
                waiting = [(each, each.wait.kind if each.wait else None) for each in missing]
                raise Broken(f"players do not come to their next message within {REST_SECONDS} s: {waiting[:5]}")
            self._let_go()
            await asyncio.sleep(LOOK_SECONDS)

    async def _until_right(self, meanwhile: Callable[[], object]) -> None:
        """Return once no rule is broken: what is under way may take its time, but not for ever."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + REST_SECONDS
        while True:
            meanwhile()
            await asyncio.sleep(LOOK_SECONDS)
            try:
                check(self.world)
                return
            except Broken:
                if self.world.ledger.wrong or loop.time() > deadline:
                    raise

    async def close_accounts(self) -> None:
        """Close the accounts once all that ends by itself has: threads, sockets, children of killed players.

        A server remembers its last crashes, and with them the frames that crashed: there they are dismissed first.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + REST_SECONDS
        tasks = len(asyncio.all_tasks()) if self.world.is_shared else 1
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                self.accounts.close(self.world, tasks)
                return
            except Broken:
                if loop.time() > deadline:
                    raise
                self.accounts.rounds -= 1
                self.accounts.found = 0


def play(seed: str, *, rounds: int, steps: int, first: int = 0, minutes: float | None = None) -> Record:
    """Play rounds in a live world of its own. Raises: Broken, with the record in its text."""
    record = Record(f"python -m chaos --world live --seed {seed} --steps {steps}")

    async def run_all() -> None:
        with tempfile.TemporaryDirectory(prefix="chaos-") as folder, project_in(Path(folder)):
            sys.path.insert(0, folder)
            async with Runtime() as runtime:
                live = Live(seed, runtime.scheduler, Path(folder), record, is_shared=False)
                number = first
                try:
                    while number < first + rounds if minutes is None else record.seconds() < minutes * 60:
                        await live.play_round(number, steps)
                        number += 1
                        record.progress("live", **live.accounts.progress(), loads=record.counts["good loads"])
                except Exception as error:
                    record.replay += f" --first {number} --rounds 1"
                    raise Broken(record.failure(f"{type(error).__name__}: {error}")) from error
                record.figures = live.accounts.figures()

    asyncio.run(run_all())
    return record
