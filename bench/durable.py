"""The cost of durable servers: calls per second without a store, durable and "sync", what is written, size, start.

    python bench/durable.py [--calls 20000] [--changes 1000000] [--rows 100000]

All in one run, alternating, so that the ratios hold on a machine that is not quiet. `write amplification` is the bytes
that the system wrote for this process over the bytes of the states that changed.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from midflight import GenServer, Runtime, call, receive, self_, spawn

ROUNDS = 5
CALLERS = 100  # of "sync" servers at once: their commits go together


class Plain(GenServer):
    """A counter with some more state, 1 kB pickled."""

    def init(self) -> None:
        """Begin at 0."""
        self.total = 0
        self.names = [f"customer {number}" for number in range(50)]

    def restored(self) -> None:
        """Go on."""

    def handle_call(self, amount: int, client: object) -> int:  # noqa: ARG002  # as the callback is called
        """Add."""
        self.total += amount
        return self.total


class Durable(Plain):
    """The same, kept."""

    durable = True


class Sync(Plain):
    """The same, with replies held back."""

    durable = "sync"


async def timed(cls: type[Plain], calls: int, servers: int) -> float:
    """Return calls per second: `servers` servers, each with a caller of its own."""
    pids = [await cls.start(name=f"{cls.__name__}-{calls}-{number}") for number in range(servers)]
    me = self_()

    async def caller(pid: Any) -> None:
        for _ in range(calls // servers):
            await call(pid, 1, timeout=None)
        me << "done"

    begun = time.perf_counter()
    for pid in pids:
        spawn(caller, pid)
    for _ in pids:
        await receive("done")
    return calls / (time.perf_counter() - begun)


async def run(path: Path, function: Callable[..., Awaitable[Any]], *args: Any) -> Any:
    """Run `function(*args)` as a process of a runtime with a store."""
    async with Runtime(store=path, watchdog=False) as runtime:
        return await runtime.run(function, *args)


def written() -> int:
    """Return the bytes that this process has had written to the disk."""
    for line in Path("/proc/self/io").read_text("ascii").splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    return 0


def size_of(folder: Path) -> int:
    """Return the bytes of all files of a store."""
    return sum(each.stat().st_size for each in folder.iterdir())


def calls_per_second(folder: Path, calls: int) -> None:
    """Print the figures of the three kinds, and their ratios."""
    kinds: list[tuple[str, type[Plain], int, int]] = [
        ("no store", Plain, calls, 1),
        ("durable", Durable, calls, 1),
        ("sync, one caller", Sync, max(calls // 100, 50), 1),
        (f"sync, {CALLERS} callers", Sync, max(calls // 10, CALLERS * 5), CALLERS),
    ]
    found: dict[str, list[float]] = {name: [] for name, *_ in kinds}
    for number in range(ROUNDS):
        for index, (name, cls, count, servers) in enumerate(kinds):
            store = folder / f"calls-{number}-{index}.sqlite"
            found[name].append(asyncio.run(run(store, timed, cls, count, servers)))
            print(f"  round {number + 1}, {name}: {found[name][-1]:,.0f} calls a second", file=sys.stderr, flush=True)
    base = statistics.median(found["no store"])
    for name, each in found.items():
        middle = statistics.median(each)
        print(f"| calls a second, {name} | {middle:,.0f} | {middle / base:.2f} of no store |", flush=True)


def amplification(folder: Path, changes: int) -> None:
    """Print what a million changes of one server write, and the size of the store after them."""
    place = folder / "changes"
    place.mkdir()
    before = written()

    async def change() -> int:
        await timed(Durable, changes, 1)
        states: Any = self_().process.core.states  # type: ignore[union-attr]  # it runs
        return int(states.puts)

    puts = asyncio.run(run(place / "state.sqlite", change))
    state = 1100
    print(f"| changes, states that were written of them | {changes:,} | {puts:,} |")
    print(f"| bytes on the disk for a change of {state} bytes | {(written() - before) / changes:,.0f} | |")
    print(f"| size of the store after {changes:,} changes | {size_of(place):,} bytes | |", flush=True)


def start(folder: Path, rows: int) -> None:
    """Print how long a start with that many rows takes: the store opened, and all servers restored."""
    place = folder / "rows"
    place.mkdir()

    async def all_started() -> float:
        begun = time.perf_counter()
        for number in range(rows):
            await Durable.start(name=f"row-{number}")
        return time.perf_counter() - begun

    first = asyncio.run(run(place / "state.sqlite", all_started))
    begun = time.perf_counter()

    async def opened() -> float:
        return time.perf_counter() - begun

    seconds = asyncio.run(run(place / "state.sqlite", opened))
    again = asyncio.run(run(place / "state.sqlite", all_started))
    print(f"| {rows:,} servers: first start by init | {first:.1f} s | {first / rows * 1e6:.0f} us each |")
    print(f"| {rows:,} rows: the store is open after | {seconds:.2f} s | |")
    print(f"| {rows:,} rows: all servers restored in | {again:.1f} s | {again / rows * 1e6:.0f} us each |")
    print(f"| size of the store with {rows:,} rows | {size_of(place):,} bytes | |", flush=True)


def main() -> None:
    """Run all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--changes", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    print("| What | Figure | |\n|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="durable-") as name:
        calls_per_second(Path(name), options.calls)
        amplification(Path(name), options.changes)
        start(Path(name), options.rows)


if __name__ == "__main__":
    main()
