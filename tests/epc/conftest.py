"""Real servers on free ports: `bench` with a few methods of the test's, `node` with the real ones and a runtime."""

from __future__ import annotations

import asyncio
import io
import os
import queue
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS, Peer
from helpers.publishing import Publisher
from midflight import Runtime
from midflight.epc import RemoteServer, Services, crash_plist, describe, methods_of
from midflight.epc.cookie import new_cookie
from midflight.epc.method import Lane, Method
from midflight.epc.server import Server, ServerConnection
from midflight.kernel import routed_output


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Let `print` follow the group leader in a test: between its set-up and its call pytest sets stdout anew."""
    with routed_output():
        return (yield)


class Bench:
    """A server whose methods the test sets in `functions` before it connects, and its cookie.

    `gate` holds the method `wait` until it is set; `entered` is set when `wait` has begun.
    """

    def __init__(self, **options: Any) -> None:
        self.cookie = new_cookie()
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.functions: dict[str, Callable[..., object]] = {"echo": lambda value: value, "wait": self.wait}
        self.urgent = {"ping": lambda: "pong"}
        self.server = Server(self.cookie, self.methods_of, lambda: {"protocol": 1, "pid": 1}, **options)
        self.server.start()

    def wait(self) -> str:
        """Wait until the test opens the gate."""
        self.entered.set()
        assert self.gate.wait(DEADLINE_SECONDS), "nobody opened the gate"
        return "waited"

    def methods_of(self, _connection: ServerConnection) -> Mapping[str, Method]:
        """Give every connection the same methods."""
        return {name: Method(name, function) for name, function in self.functions.items()} | {
            name: Method(name, function, Lane.AT_ONCE) for name, function in self.urgent.items()
        }

    def stranger(self) -> Peer:
        """Connect and say nothing yet."""
        return Peer(self.server.port)

    def peer(self) -> Peer:
        """Connect and authenticate."""
        peer = self.stranger()
        assert peer.authenticate(self.cookie).startswith("(return 0 (:protocol 1")
        return peer

    def client(self, *arguments: Any, **options: Any) -> RemoteServer:
        """Connect as our own clients do."""
        return RemoteServer(self.server.port, self.cookie, *arguments, pid=os.getpid(), **options)

    def wait_door(self, count: int) -> bool:
        """Wait until `count` connections stand at the door; say whether it came to that."""
        with self.server._changed:
            return self.server._changed.wait_for(lambda: len(self.server._door) == count, DEADLINE_SECONDS)

    def stop(self) -> None:
        """Let everybody who waits go, then stop the server."""
        self.gate.set()
        self.server.stop()


@pytest.fixture
def publish() -> Iterator[Publisher]:
    """A function that publishes servers; they are withdrawn after the test."""
    publisher = Publisher()
    yield publisher
    publisher.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, as pytest's own are not: for tests that become another user."""
    with tempfile.TemporaryDirectory(prefix="midflight-test-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A running server with the default limits."""
    bench = Bench()
    yield bench
    bench.stop()


@pytest.fixture
def make_bench() -> Iterator[Callable[..., Bench]]:
    """A function that starts servers with other limits; all are stopped at the end."""
    benches: list[Bench] = []

    def make(**options: Any) -> Bench:
        benches.append(Bench(**options))
        return benches[-1]

    yield make
    for bench in benches:
        bench.stop()


class Node:
    """A runtime in a thread of its own with the real methods around it, in one process with the test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = io.StringIO()
        self.stops: queue.Queue[str] = queue.Queue()
        self.cookie = new_cookie()
        self._clients: list[RemoteServer] = []
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))
        self._thread.start()
        assert self._is_ready.wait(DEADLINE_SECONDS)

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with Runtime() as runtime:
            self.scheduler = runtime.scheduler
            services = Services(runtime.scheduler, self.root, "0.1.0", lambda: self.stops.put("stop"), self.log)
            self.server = Server(self.cookie, partial(methods_of, services), partial(describe, services))
            runtime.scheduler.on_crash.append(lambda report: self.server.report("process/crashed", crash_plist(report)))
            self.server.start()
            self._is_ready.set()
            await self._over.wait()
            await runtime.shutdown()
            await asyncio.to_thread(self.server.stop)

    def connect(self, handlers: Mapping[str, Callable[..., object]] | None = None) -> RemoteServer:
        """Return a new client; it is closed after the test."""
        self._clients.append(RemoteServer(self.server.port, self.cookie, handlers, pid=os.getpid()))
        return self._clients[-1]

    def stop(self) -> None:
        """Close the clients and end the runtime."""
        for client in self._clients:
            client.close()
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(DEADLINE_SECONDS)
        assert not self._thread.is_alive()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A running node whose project is an empty folder."""
    node = Node(tmp_path)
    yield node
    node.stop()


@pytest.fixture
def client(node: Node) -> RemoteServer:
    """A client of the node."""
    return node.connect()


@pytest.fixture
def shell(client: RemoteServer) -> Any:
    """A function that evaluates in a shell and returns the repr of the value."""
    session = client.call("shell/open")["session"]

    def value(text: str) -> Any:
        answer = client.call("shell/eval", session, text, timeout_seconds=DEADLINE_SECONDS)
        assert answer["status"] == "ok", answer["error"]
        return answer["value"]

    return value
