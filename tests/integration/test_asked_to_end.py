"""A server that is asked to end does so in its time, whatever its threads are in the midst of.

Each test runs a server in a Python of its own, with shorter times to be patient for; what it does is its program's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from helpers.server_process import DEADLINE_SECONDS, environment

SERVER = """
import logging, os, signal, sys, threading
from pathlib import Path
from midflight import app, receive

app._END_SECONDS, app._STUCK_SECONDS = {end_seconds}, 0.05
logging.basicConfig(format="%(message)s")
main = threading.get_ident()

{definitions}

app.serve(Path(sys.argv[1]), lambda port: print("serves", flush=True), program={program})
print("has ended", flush=True)
"""

LOOP_SLEEPS = """
def loop_sleeps():
    # It has let go of the interpreter in `poll`: it looks at no signal before it is woken.
    frame = sys._current_frames()[main]
    return frame.f_code.co_name == "select" and "selectors" in frame.f_code.co_filename and frame.f_lineno == POLL

import inspect, selectors
lines, first = inspect.getsourcelines(selectors.DefaultSelector.select)
POLL = next(first + index for index, line in enumerate(lines) if ".poll(" in line)
"""


class Run:
    """A server that runs `program`, with its output in pipes that nobody reads until it has ended."""

    def __init__(self, folder: Path, program: str, definitions: str, end_seconds: float) -> None:
        text = SERVER.format(program=program, definitions=dedent(definitions), end_seconds=end_seconds)
        self.process = subprocess.Popen(
            [sys.executable, "-c", text, str(folder)],
            env=environment(folder / "runtime"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def line(self) -> str:
        """Return the next line of its standard output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().rstrip()

    def end(self, seconds: float = DEADLINE_SECONDS) -> int:
        """Wait for the end and return the exit code; fail if it does not come."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the server runs on {seconds} s after it was asked to end")

    def close(self) -> None:
        """Kill what runs on, and let go of the pipes."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def run(tmp_path):
    """Give a function that starts a server; it is gone after the test."""
    runs = []

    def start(program="None", definitions="", end_seconds=60.0):
        runs.append(Run(tmp_path, program, definitions, end_seconds))
        return runs[-1]

    yield start
    for each in runs:
        each.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_comes_just_before_the_loop_sleeps_wakes_it(run, number):
    """Python notes a signal and handles it at the next instruction of the main thread, which may be long in coming.

    Here another thread is given the signal while the main one is in `poll`: as if it came a moment before.
    """
    definitions = f"""
        {LOOP_SLEEPS.replace(chr(10), chr(10) + " " * 8)}
        def strike():
            while not loop_sleeps():
                pass
            signal.pthread_kill(threading.get_ident(), signal.{number.name})

        async def program():
            threading.Thread(target=strike).start()
            await receive()
    """
    server = run("program", definitions)

    assert server.line() == "serves"
    server.end(8.0)  # long before anything else would wake it


STUCK = """
def program():
    {prepare}
    print("stuck", flush=True)
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
"""


@pytest.mark.parametrize(
    "prepare",
    ["logging.getLogger().handlers[0].acquire()", "fill(2)"],
    ids=["the lock of the log is held", "standard error is full"],
)
def test_a_log_that_cannot_be_written_does_not_keep_a_server_alive(run, prepare):
    """By a process that is deaf, too: the end is forced in its time."""
    definitions = """
        def fill(number):
            os.set_blocking(number, False)
            try:
                while True:
                    os.write(number, b"x" * 4096)
            except BlockingIOError:
                pass
            try:
                while True:
                    os.write(number, b"x")
            except BlockingIOError:
                os.set_blocking(number, True)
    """
    server = run("program", dedent(definitions) + STUCK.format(prepare=prepare), end_seconds=1.0)
    assert [server.line(), server.line()] == ["serves", "stuck"]

    server.process.send_signal(signal.SIGTERM)

    assert server.end() == 1


def test_files_that_cannot_be_withdrawn_do_not_keep_a_server_alive(run):
    """Another program holds the lock on their folder."""
    definitions = """
        import fcntl

        def hold(folder):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(handle, fcntl.LOCK_EX)
            return handle
    """
    prepare = "handle = hold(app.ProjectFiles(Path(sys.argv[1])).folder)"
    server = run("program", dedent(definitions) + STUCK.format(prepare=prepare), end_seconds=1.0)
    assert [server.line(), server.line()] == ["serves", "stuck"]

    server.process.send_signal(signal.SIGTERM)

    assert server.end() == 1


def test_a_second_signal_ends_it_at_once(run):
    """Though a process is deaf, and there is time left."""
    server = run("program", STUCK.format(prepare="pass"))
    assert [server.line(), server.line()] == ["serves", "stuck"]

    started = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    os.kill(server.process.pid, signal.SIGHUP)

    assert server.end() in (128 + signal.SIGTERM, 128 + signal.SIGHUP)
    assert time.monotonic() - started < DEADLINE_SECONDS
