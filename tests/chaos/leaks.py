"""Leak accounts: what the interpreter holds when a round is over and nothing of it is to be left.

Exact accounts must be at zero: processes, timers, names, tasks, records of dead processes, versions that nobody can
run. Growing accounts (objects, descriptors, threads, modules, snapshot files, resident memory) are compared with what
they were after a few rounds of warming up, with Midflight's own memories emptied.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType

from chaos.ledger import Broken
from chaos.referrers import paths_to
from chaos.world import World
from helpers.remembered import forget_remembered
from midflight import code
from midflight.code.state import left_behind
from midflight.code.version import modules, snapshots

__all__ = ["Accounts", "resident_megabytes"]

WARM_UP_ROUNDS = 15
WINDOW_ROUNDS = 20  # of which the least counts: caches fill and empty
OBJECTS_SLACK = 30_000
FULL_ROUNDS = 60  # until memory is as fragmented as it gets
MEGABYTES_SLACK = 25.0
THREAD_SECONDS = 10.0


def resident_megabytes() -> float:
    """Return how much memory of this process is resident."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def open_descriptors() -> int:
    """Return how many file descriptors are open."""
    return len(os.listdir("/proc/self/fd")) - 1


@dataclass
class Accounts:
    """The accounts of one run, closed after each round. `found` counts the leaks."""

    baseline: dict[str, int] = field(default_factory=dict)
    rounds: int = 0
    kinds: Counter[str] = field(default_factory=Counter)  # how many objects of each type, then
    megabytes: list[float] = field(default_factory=list)
    objects: list[float] = field(default_factory=list)
    found: int = 0

    def close(self, world: World, tasks: int) -> None:
        """Compare, after a round; `tasks` is how many asyncio tasks there may be. Raises: Broken for a leak."""
        for thread in threading.enumerate():
            if thread.name in (
                "midflight-upgrade",
                "midflight-holders",
            ):  # it has answered, and may not have come to its end yet
                thread.join(THREAD_SECONDS)
        forget_remembered()
        forget_left_behind(world)
        gc.collect()
        self.rounds += 1
        wrong = [*exact(world, tasks), *self._growing()]
        self.found += len(wrong)
        if wrong:
            raise Broken("leaks:\n" + "\n".join(wrong))

    def progress(self) -> dict[str, object]:
        """Return what a line of progress says of them."""
        return {
            "rounds": self.rounds,
            "MB": f"{self.megabytes[-1]:.0f}",
            "descriptors": open_descriptors(),
            "threads": threading.active_count(),
        }

    def figures(self) -> dict[str, object]:
        """Return what the summary of a run says of them."""
        later = self.megabytes[FULL_ROUNDS:] or self.megabytes[WARM_UP_ROUNDS:] or self.megabytes
        return {
            "rounds": self.rounds,
            "resident MB after warm-up": f"{min(later):.0f} to {max(later):.0f}, {later[-1]:.0f} at the end",
            "leaks found": self.found,
        }

    def _growing(self) -> list[str]:
        now = {
            "open descriptors": open_descriptors(),
            "threads": threading.active_count(),
            "modules": len(sys.modules),
            "snapshot files": snapshot_files(),
        }
        self.megabytes.append(resident_megabytes())
        self.objects.append(len(gc.get_objects()))
        if self.rounds <= WARM_UP_ROUNDS:
            self.kinds = Counter(type(each).__qualname__ for each in gc.get_objects())
            self.baseline = {name: max(count, self.baseline.get(name, 0)) for name, count in now.items()}
            return []
        slack = {
            "open descriptors": 2,
            "threads": 4,
            "modules": 3,
            "snapshot files": 110 * len(modules.all_modules()),
        }
        wrong = [
            f"{name}: {count} after {self.rounds} rounds, {self.baseline[name]} after {WARM_UP_ROUNDS}"
            for name, count in now.items()
            if count > self.baseline[name] + slack[name]
        ]
        for name, counts, more in (
            ("objects", self.objects, OBJECTS_SLACK),
            ("resident memory, MB", self.megabytes, MEGABYTES_SLACK),
        ):
            later = counts[FULL_ROUNDS:]
            if later and min(later[-WINDOW_ROUNDS:]) > min(later[:WINDOW_ROUNDS]) + more:
                kinds = Counter(type(each).__qualname__ for each in gc.get_objects()) - self.kinds
                wrong.append(
                    f"{name}: at least {min(later[-WINDOW_ROUNDS:]):.0f} in each of the last {WINDOW_ROUNDS} rounds, "
                    f"{min(later[:WINDOW_ROUNDS]):.0f} in one of the first; more of {kinds.most_common(12)}"
                )
        return wrong


def forget_left_behind(world: World) -> None:
    """Let go of the values of module state that the last two loads of each module have left behind."""
    names = {line.name for line in world.lines}
    for module, name in [key for key in left_behind._left if key[0] in names]:
        code.forget(module, name)


def is_own(value: object, namespace: object) -> bool:
    """Say whether `value` is a function that was made in `namespace`."""
    return isinstance(value, FunctionType) and value.__globals__ is namespace


def snapshot_files() -> int:
    """Return how many texts of versions are on disk."""
    folder = snapshots._folders.get(os.getpid())
    return len(list(Path(folder).iterdir())) if folder is not None else 0


def exact(world: World, tasks: int) -> list[str]:
    """Return a line for each account that must be at zero and is not."""
    scheduler, wrong = world.scheduler, []
    left = [each for each in scheduler.processes.values() if each.pid in world.ledger.by_pid]
    if not world.is_shared:
        left = [each for each in scheduler.processes.values() if each.pid not in world.allowed]
    if left:
        wrong.append(f"processes: {left}")
    if len(scheduler.timers) and not world.is_shared:
        wrong.append(f"timers: {len(scheduler.timers)}")
    names = list(scheduler.names)
    if names and not world.is_shared:
        wrong.append(f"names: {names}")
    if (scheduler.on_result or scheduler.doomed) and not world.is_shared:
        wrong.append(f"results waited for: {len(scheduler.on_result)}, doomed: {len(scheduler.doomed)}")
    found = [each for each in asyncio.all_tasks(scheduler.loop) if isinstance(each, asyncio.Task)]
    if len(found) > tasks:
        wrong.append(f"tasks: {len(found)}, {tasks} may be: {found[:5]}")
    records = [each() for each in world.ledger.processes if each() is not None]
    if records:
        known = len(world.ledger.processes)
        wrong.append(f"records of {len(records)} dead processes of {known} are still in memory: {records[:5]}")
        wrong += [f"  {path}" for path in paths_to(records.pop())]
    wrong += [f"the event loop complains: {each}" for each in world.complaints[:5]]
    for line in world.lines:
        if line.is_open:
            continue
        for version in code.version_history(line.name):
            if version.is_alive and not version.is_current:
                why = code.why_alive(line.name, version.version)
                wrong.append(f"{line.name} version {version.version}, which nobody runs, is in memory: {why.text()}")
                wrong.append(f"  threads: {[each.name for each in threading.enumerate()]}")
                namespace = modules.module_of(line.name).version(version.version).namespace
                held = [each for each in (namespace or {}).values() if is_own(each, namespace)]
                wrong += [f"  {path}" for each in held[:6] for path in paths_to(each)]
    return wrong
