"""How programs end: signals, interpreter exit, live processes. Nothing hangs, nothing prints from a destructor."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PRELUDE = """
import asyncio, logging, os, signal, sys, threading, time
logging.getLogger("asyncio").setLevel(logging.ERROR)  # its debug mode warns of slow steps, which a busy machine has
import midflight
from midflight import *

async def wait(cleaned="cleaned up"):
    try:
        await receive()
    finally:
        print(cleaned, flush=True)

async def deaf():
    while True:
        try:
            await receive()
        except BaseException:
            pass
"""


def program(body, *, send=None, after=None, expect=0):
    """Run PRELUDE + `body` in a fresh interpreter; send a signal once it has printed `after`."""
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", PRELUDE + body],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = []
    if send is not None:
        for line in process.stdout:
            lines.append(line)
            if line.strip() == after:
                process.send_signal(send)
                break
    out, err = process.communicate(timeout=30)
    assert process.returncode == expect, err
    return "".join(lines) + out, err


def test_ctrl_c_unwinds_every_process():
    """KeyboardInterrupt comes out of midflight.run, after each `finally` has run."""
    out, err = program(
        """
async def main():
    spawn(wait); spawn(wait)
    await sleep(0)
    print("ready", flush=True)
    await receive()
try:
    midflight.run(main)
except KeyboardInterrupt:
    print("interrupted")
""",
        send=signal.SIGINT,
        after="ready",
    )

    assert out.splitlines() == ["ready", "cleaned up", "cleaned up", "interrupted"]
    assert err == ""


def test_ctrl_c_twice_ends_a_process_that_spins():
    """The first SIGINT waits for the process to yield; the second is raised in it."""
    out, err = program(
        """
async def main():
    def interrupt():
        for _ in range(2):
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=interrupt).start()
    while True:
        pass
try:
    midflight.run(main)
except KeyboardInterrupt:
    print("interrupted")
"""
    )

    assert (out, err) == ("interrupted\n", "")


def test_the_end_of_the_program_with_live_processes():
    """The others get "shutdown"; those that ignore it are killed; nothing is printed by a destructor."""
    out, err = program(
        """
import logging
logging.getLogger("midflight.crash").disabled = True
logging.getLogger("midflight").disabled = True  # it says that the deaf one swallows its exit signal
async def main():
    spawn(wait); spawn(deaf); spawn(lambda: None)
    await sleep(0)
    return "result"
async def embedded():
    async with Runtime(shutdown_seconds=0.1) as runtime:
        return await runtime.run(main)
print(asyncio.run(embedded()))
"""
    )

    assert out.splitlines() == ["cleaned up", "result"]
    assert err == ""


def test_sys_exit_in_a_process_ends_that_process_only():
    """SystemExit is its exit reason, as in a thread; in the first process it ends the program."""
    out, err = program(
        """
import logging
logging.getLogger("midflight.crash").disabled = True
async def main():
    spawn_monitor(sys.exit, 3)
    print(repr((await receive()).reason))
    sys.exit(4)
midflight.run(main)
""",
        expect=4,
    )

    assert (out, err) == ("SystemExit(3)\n", "")


def test_sends_to_a_runtime_that_is_gone_do_nothing():
    """A pid that outlives its runtime is a dead pid, from any thread."""
    out, err = program(
        """
pids = []
async def main():
    pids.append(spawn(wait, "over"))
    pids.append(self_())
    await sleep(0)
midflight.run(main)
print(pids[0] << "too late", is_alive(pids[0]), process_info(pids[1]), exit(pids[0], "kill"))
threading.Thread(target=lambda: pids[1] << "from a thread").start()
"""
    )

    assert out.splitlines() == ["over", "too late False None None"]
    assert err == ""


@pytest.mark.parametrize("seconds", [1e-6, 0.5])
def test_any_switch_interval(seconds):
    """Threads and processes at the shortest and a long switch interval: all messages come, in order."""
    out, err = program(
        f"""
sys.setswitchinterval({seconds})
async def main():
    me = self_()
    def produce():
        for number in range(2000):
            me << number
    threads = [threading.Thread(target=produce) for _ in range(2)]
    for thread in threads:
        thread.start()
    print(sum([await receive() for _ in range(4000)]))
midflight.run(main)
"""
    )

    assert (out, err) == (f"{2 * sum(range(2000))}\n", "")
