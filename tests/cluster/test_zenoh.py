"""Nodes on loopback, each a program: how they meet, what a wrong cookie gets, what a killed one leaves."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.deadlines import line_of

PROGRAM = Path(__file__).parent / "programs" / "a_node.py"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def node(
    name: str, port: int, *, cookie: str = "the cookie of all", listens: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """Run a node; it prints what it sees and does what it is told, a line each."""
    how = "listen" if listens else "join"
    command = [sys.executable, "-u", str(PROGRAM), name, f"tcp/127.0.0.1:{port}", cookie, how]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_two_programs_meet_work_and_part() -> None:
    """They see each other, spawn, call and monitor; when one is killed the other hears it at once."""
    port = free_port()
    with node("a", port, listens=True) as a, node("b", port) as b:
        assert line_of(a) == "nodeup b"
        assert line_of(b) == "nodeup a"
        tell(a, "spawn b")
        assert line_of(a) == "spawned on b, answers 42"
        tell(a, "watch b")
        assert line_of(a) == "watching"
        b.send_signal(signal.SIGKILL)
        assert {line_of(a), line_of(a)} == {"down noconnection", "nodedown b"}


def test_a_node_that_comes_back_is_a_new_one() -> None:
    """Under the same name it has another creation, and is met again."""
    port = free_port()
    with node("a", port, listens=True) as a:
        with node("b", port):
            assert line_of(a) == "nodeup b"
        assert line_of(a) == "nodedown b"
        with node("b", port):
            assert line_of(a) == "nodeup b"


def test_a_node_that_stands_still_holds_its_sender_and_nobody_else() -> None:
    """Twenty megabytes wait for a stopped program; the sender's node goes on, and when that one does, all arrives."""
    port = free_port()
    with node("a", port, listens=True) as a, node("b", port) as b:
        assert line_of(a) == "nodeup b"
        tell(a, "flood b 2000")
        assert line_of(a) == "flooding"
        b.send_signal(signal.SIGSTOP)
        tell(a, "nodes")
        assert line_of(a) == "nodes b"
        b.send_signal(signal.SIGCONT)
        assert line_of(a) == "flooded in order"


@pytest.mark.parametrize("cookie", ["another cookie", "the cookie of al"])
def test_a_node_with_another_cookie_meets_nobody(cookie: str) -> None:
    """Neither side hears of the other, while one with the right cookie is met."""
    port = free_port()
    with node("a", port, listens=True) as a, node("stranger", port, cookie=cookie) as stranger:
        with node("b", port) as b:
            assert line_of(a) == "nodeup b"
            assert line_of(b) == "nodeup a"
        tell(stranger, "nodes")
        assert line_of(stranger) == "nodes"
        assert line_of(a) == "nodedown b"


def test_a_program_without_a_node_imports_nothing_of_it() -> None:
    """Neither Zenoh nor the package's own files, but for the list of their names."""
    program = """
import sys
import midflight

async def main():
    midflight.register("me", midflight.self_())
    return await midflight.call(await midflight.Agent.start(lambda: 1), ("get", lambda state: state))

try:
    midflight.run(main)
finally:
    print(sorted(name for name in sys.modules if name == "zenoh" or name.startswith("midflight.cluster")))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert ran.stdout == "['midflight.cluster']\n", ran.stderr


def test_without_zenoh_a_node_is_not_started_and_the_error_says_what_to_install() -> None:
    """The runtime is as it was, and the program may go on without."""
    program = """
import asyncio, sys
sys.modules["zenoh"] = None
from midflight import Runtime

async def main():
    try:
        async with Runtime(node="a", cookie="a long cookie"):
            pass
    except Exception as error:
        print(type(error).__name__, error)
    async with Runtime() as runtime:
        print(await runtime.run(lambda: "runs"))

asyncio.run(main())
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    said, runs = ran.stdout.splitlines()
    assert said.startswith("ClusterError nodes need the package eclipse-zenoh")
    assert said.endswith('Install it with: pip install "midflight[cluster]"')
    assert runs == "runs"


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
