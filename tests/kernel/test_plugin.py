"""The pytest plugin, as a project that uses it has it: in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys

TESTS = """
import asyncio
import pytest
from midflight import exit, receive, sleep, spawn

async def wait():
    await receive()

async def tick(ticks, clock):
    while True:
        await sleep(10)
        ticks.append(clock.now())

def test_time_is_the_clock_s(runtime, clock):
    ticks = []
    pid = runtime.spawn(tick, ticks, clock)
    for _ in range(3):
        runtime.run_until_idle()
        clock.advance(10)
    runtime.run_until_idle()
    runtime.shutdown()
    assert ticks == [10, 20, 30]

def test_asyncio_lives_by_the_same_clock(runtime, clock):
    async def main():
        sleeper = asyncio.create_task(asyncio.sleep(3600, "slept"))
        await asyncio.sleep(0)
        clock.advance(3600)
        return await sleeper
    assert runtime.run(main) == "slept"

def test_crashes_are_kept(runtime):
    runtime.spawn(lambda: 1 / 0)
    runtime.run_until_idle()
    assert [type(crash.reason) for crash in runtime.crashes] == [ZeroDivisionError]

def test_leaves_a_process_behind(runtime):
    runtime.spawn(wait)
    runtime.run_until_idle()
"""


def test_the_plugin_in_a_project(tmp_path):
    """Time moves by the clock alone, and a process that a test leaves behind fails it by name and line."""
    (tmp_path / "test_project.py").write_text(TESTS)

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "test_project.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert "4 passed, 1 error" in run.stdout
    assert "processes left behind" in run.stdout
    assert "test_project.wait:7 (waiting)" in run.stdout
