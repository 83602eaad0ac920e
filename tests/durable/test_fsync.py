"""With "sync" the disk has a change before the caller has the reply: seen from outside, by strace."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPLIES = 5
PROGRAM = f"""
import asyncio, os, sys
from midflight import GenServer, Runtime, call

class Till(GenServer):
    durable = "sync"

    def init(self):
        self.total = 0

    def handle_call(self, amount, client):
        self.total += amount
        return self.total

async def sell():
    till = await Till.start(name="till")
    for _ in range({REPLIES}):
        os.write(1, b"reply %d\\n" % await call(till, 1))

async def main():
    async with Runtime(store=sys.argv[1], watchdog=False) as runtime:
        await runtime.run(sell)

asyncio.run(main())
"""


@pytest.fixture
def traced(tmp_path):
    """Run a program under strace, and give the lines of its writes and fsyncs in the order in which they were done."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("there is no strace here")
    trace = tmp_path / "trace"
    command = [strace, "-f", "-y", "-e", "trace=write,fsync,fdatasync", "-e", "signal=none", "-o", str(trace)]

    def run(program: str, *arguments: str) -> list[str]:
        tried = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
        if tried.returncode:
            pytest.skip(f"strace may not be used here: {tried.stderr.strip()[-200:]}")
        found = subprocess.run(
            [*command, sys.executable, "-c", program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert found.returncode == 0, found.stderr
        return trace.read_text("utf-8").splitlines()

    return run


def test_an_fsync_precedes_each_reply(traced, tmp_path: Path):
    """Of the log of the store, done without an error, between each reply and the one before it."""
    lines = traced(PROGRAM, str(tmp_path / "state.sqlite"))
    syncing: set[str] = set()  # threads in an fsync of the log, when another thread's line came in between
    done, before = 0, []
    for line in lines:
        thread, _, rest = line.partition(" ")
        if re.match(r"\s*f(data)?sync\(\d+<.*state\.sqlite-wal>", rest):
            if "unfinished" in rest:
                syncing.add(thread)
            else:
                done += rest.endswith("= 0")
        elif "resumed" in rest and "sync" in rest and thread in syncing:
            syncing.discard(thread)
            done += rest.endswith("= 0")
        elif "write(1" in rest and '"reply' in rest:
            before.append(done)
            done = 0

    assert len(before) == REPLIES
    assert all(before), f"fsyncs before each reply: {before}"
