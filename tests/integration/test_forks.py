"""A server whose program forks, as multiprocessing does: the children hold up nobody who waits for the server's end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.epc_peer import Peer
from helpers.server_process import DEADLINE_SECONDS, Program
from midflight.epc import ProjectFiles, RemoteServer

Start = Callable[..., Program]

FORKS = {
    "os.fork": """\
import os, signal
child = os.fork()
if child == 0:
    signal.pause()
    os._exit(0)
""",
    "multiprocessing": """\
import multiprocessing, signal
process = multiprocessing.get_context("fork").Process(target=signal.pause)
process.start()
child = process.pid
""",
}


class Forking:
    """A server that has a forked child, with the client that had it fork."""

    def __init__(self, server: Program, project: Path, text: str) -> None:
        self.server = server
        self.port = server.port()
        self.lost = threading.Event()
        self.client = RemoteServer.attach(project, on_lost=self.lost.set)
        self._session = self.client.call("shell/open")["session"]
        for line in (text, "child"):
            answer = self.client.call("shell/eval", self._session, line)
            assert answer["status"] == "ok", answer
        self.child = int(answer["value"])

    def kill(self) -> None:
        """Kill the server, not the child."""
        self.server.signal(signal.SIGKILL)
        self.server.process.wait(DEADLINE_SECONDS)


@pytest.fixture(params=FORKS.values(), ids=FORKS)
def forking(start: Start, project: Path, request: pytest.FixtureRequest) -> Iterator[Forking]:
    """A server with a child, which is killed after the test."""
    forking = Forking(start("serve"), project, request.param)
    yield forking
    os.kill(forking.child, signal.SIGKILL)
    forking.client.close()


def test_clients_hear_at_once_of_the_death_of_a_server_with_a_child(forking: Forking) -> None:
    """The child keeps none of its connections open, by socket or by port."""
    with Peer(forking.port) as stranger:
        forking.kill()

        assert forking.lost.wait(DEADLINE_SECONDS)
        assert stranger.read_to_end() == b""
    os.kill(forking.child, 0)  # it lives on


def test_a_server_with_a_child_is_replaced_at_once(forking: Forking, start: Start, project: Path) -> None:
    """The child holds neither the lock, nor the bell, nor the port."""
    forking.kill()

    assert ProjectFiles(project).running() is None
    assert start("serve", "--port", str(forking.port)).port() == forking.port
    with RemoteServer.attach(project) as client:
        assert client.call("ping") == "pong"


def test_a_server_goes_on_when_its_child_ends(forking: Forking, project: Path) -> None:
    """What the child has closed is open in the server: connections, the socket, the port, the files."""
    os.kill(forking.child, signal.SIGTERM)

    assert forking.client.call("ping") == "pong"
    with RemoteServer.attach(project) as other, Peer(forking.port) as stranger:
        assert other.call("ping") == "pong"
        stranger.send(b"GET / HTTP/1.1\r\n\r\n")
        assert stranger.read_to_end() == b""
    assert not forking.lost.is_set()
