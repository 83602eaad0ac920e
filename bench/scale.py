"""What many processes cost: a message, memory, a commit, and the longest pause of all processes.

    .venv/bin/python bench/scale.py                          # 1,000 to 100,000 processes: two minutes
    .venv/bin/python bench/scale.py --processes 1000000      # a million: some 2 GB, a few minutes
    .venv/bin/python bench/scale.py --processes 100000 --collect-after 700

Each row is measured in an interpreter of its own. `message`: microseconds of one in ping-pong pairs that all play,
the median of five batches; `one pair`: of one in a pair that plays alone, while all others wait. `idle`: bytes of a
process of the module that is loaded, which waits in `receive` (growth of the resident set). Then, while all of them
wait, a process that always yields notes the longest time between two of its turns (`stall`), and the collector each of
its own pauses (`collector`: the longest; `spawning`: the longest while they were spawned): alone for a second, and
around ten loads of a module in which all those processes run, prepared in another thread as a server does it.
`commit` is what the reports of these loads say: the time in which no process runs. All in milliseconds. `--freeze`
calls `gc.freeze()` once they are spawned.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import midflight
from midflight import code, receive, self_, sleep, spawn

LOADS = 10
BATCHES = 5
MESSAGES = 200_000  # in a batch
ALONE_SECONDS = 1.0
TEXT = """
from midflight import receive
import crowd

async def loop(total):
    match await receive():
        case ("add", count):
            return loop(total + count)
        case "code_switch":
            return crowd.loop(total)

def version():
    return NUMBER
"""


def resident() -> int:
    """Return the bytes of this program that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def collector_pauses() -> Iterator[list[float]]:
    """Yield a list to which each garbage collection adds the milliseconds that it took."""
    pauses: list[float] = []
    began = 0.0

    def note(phase: str, _: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = time.perf_counter()
        else:
            pauses.append((time.perf_counter() - began) * 1e3)

    gc.callbacks.append(note)
    try:
        yield pauses
    finally:
        gc.callbacks.remove(note)


class Lookout:
    """A process that always yields, and notes the longest time between two of its turns, in milliseconds."""

    def __init__(self) -> None:
        self.longest = 0.0
        spawn(self.look)

    async def look(self) -> None:
        """Look until it is killed."""
        last = time.perf_counter()
        while True:
            await sleep(0)
            now = time.perf_counter()
            self.longest = max(self.longest, (now - last) * 1e3)
            last = now

    def read(self) -> float:
        """Return the longest time so far, and forget it."""
        found, self.longest = self.longest, 0.0
        return found


async def pong() -> None:
    """Answer each message with itself."""
    while True:
        sender, message = await receive()
        sender << message


async def ping(peer: Any, parent: Any, left: int) -> None:
    """At each "go" send `left` messages to `peer`, one at a time, then tell `parent`."""
    while await receive("go"):
        for i in range(left):
            peer << (self_(), i)
            await receive()
        parent << "done"


async def message_row(processes: int) -> dict[str, float]:
    """Return what a message costs among that many processes, in pairs that all play, and in one that plays alone."""
    pairs = processes // 2
    each = max(20, MESSAGES // pairs)  # so that what starts and ends a batch counts little
    pingers = [spawn(ping, spawn(pong), self_(), each) for _ in range(pairs)]
    row = {"message": await batches_of(pingers, each)}
    return row | {"one pair": await batches_of([spawn(ping, spawn(pong), self_(), MESSAGES)], MESSAGES)}


async def batches_of(pingers: list[Any], each: int) -> float:
    """Return the microseconds of a message when these send as many to their partners; the median of some batches."""
    batches = []
    for _ in range(BATCHES + 1):  # the first one warms up
        began = time.perf_counter()
        for pid in pingers:
            pid << "go"
        for _ in pingers:
            await receive("done")
        batches.append((time.perf_counter() - began) / (len(pingers) * each * 2) * 1e6)
    return statistics.median(batches[1:])


async def crowd_row(processes: int, freeze: bool, folder: Path) -> dict[str, float]:
    """Return what a crowd costs that waits: its memory, and what stops everybody."""
    path = folder / "crowd.py"
    sys.path.insert(0, str(folder))
    path.write_text(TEXT.replace("NUMBER", "0"))
    code.load(path)
    import crowd  # type: ignore[import-not-found]  # it is there now

    before = resident()
    with collector_pauses() as pauses:
        pids = [spawn(crowd.loop, 0) for _ in range(processes)]
        await sleep(0.5)
        row = {"idle": (resident() - before) / processes, "spawning": max(pauses, default=0.0)}
    if freeze:
        gc.collect()
        gc.freeze()
    lookout = Lookout()
    await sleep(0.1)
    lookout.read()
    with collector_pauses() as pauses:
        await sleep(ALONE_SECONDS)
        row |= {"stall alone": lookout.read(), "collector alone": max(pauses, default=0.0)}
    commits = []
    with collector_pauses() as pauses:
        for number in range(1, LOADS + 1):
            report = await asyncio.to_thread(code.load, path, TEXT.replace("NUMBER", str(number)))
            commits.append(report.commit_ms)
        row |= {"stall in loads": lookout.read(), "collector in loads": max(pauses, default=0.0)}
    row |= {"commit": statistics.median(commits), "longest commit": max(commits)}
    assert len(pids) == processes
    return row


async def measured(options: argparse.Namespace) -> dict[str, float]:
    """Return one row."""
    if options.collect_after is not None:
        gc.set_threshold(options.collect_after, *gc.get_threshold()[1:])
    with tempfile.TemporaryDirectory() as folder:
        if options.part == "message":
            return await message_row(options.one)
        return await crowd_row(options.one, options.freeze, Path(folder).resolve())


def in_its_own_interpreter(processes: int, part: str, arguments: list[str]) -> dict[str, float]:
    """Return what one part of a row measures."""
    line = [sys.executable, __file__, "--one", str(processes), "--part", part, *arguments]
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Print a Markdown table, each row as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", default="1000,10000,100000")
    parser.add_argument("--collect-after", type=int, help="new objects until the collector looks; default: Midflight's")
    parser.add_argument("--keep", type=Path, help="append each row to this file, as JSON")
    parser.add_argument("--freeze", action="store_true", help="call gc.freeze() once they are spawned")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--part", choices=["message", "crowd"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(midflight.run(measured, options)))
        return
    print(f"CPython {platform.python_version()}, load {os.getloadavg()[0]:.1f}\n")
    arguments = ["--freeze"] if options.freeze else []
    if options.collect_after is not None:
        arguments += ["--collect-after", str(options.collect_after)]
    for number, processes in enumerate(map(int, options.processes.split(","))):
        row = {"load": round(os.getloadavg()[0], 2)} | in_its_own_interpreter(processes, "message", arguments)
        row |= in_its_own_interpreter(processes, "crowd", arguments)
        if number == 0:
            print("| processes | " + " | ".join(row) + " |\n|--:|" + "--:|" * len(row))
        if options.keep is not None:
            with options.keep.open("a", encoding="utf-8") as file:
                print(json.dumps({"processes": processes} | row), file=file)
        cells = [f"{value:,.0f}" if name == "idle" else f"{value:.2f}" for name, value in row.items()]
        print(f"| {processes:,} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
