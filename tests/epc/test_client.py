"""Our client against our server, and the stock client of the `epc` package against it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from epc.client import EPCClient
from epc.handler import ReturnError

from helpers.epc_peer import DEADLINE_SECONDS, hang_up
from helpers.publishing import Publisher
from midflight.epc import ProjectFiles
from midflight.epc.client import RemoteServer
from midflight.errors import ConnectionLost, NoServer, RemoteError


@pytest.fixture
def connect(bench: Any) -> Iterator[Callable[..., RemoteServer]]:
    """A function that connects clients to the bench; all are closed after the test."""
    clients: list[RemoteServer] = []

    def make(*arguments: Any, **options: Any) -> RemoteServer:
        clients.append(bench.client(*arguments, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def test_constructor_is_let_in(connect: Callable[..., RemoteServer]) -> None:
    """What the server says of itself is there as `info`."""
    assert connect().info == {"protocol": 1, "pid": 1}


def test_other_protocol_is_refused(bench: Any) -> None:
    """A client does not talk to a server whose methods it does not know."""
    bench.server.describe = lambda: {"protocol": 2}

    with pytest.raises(RemoteError, match="speaks protocol 2, this program 1"):
        bench.client()


def test_nobody_there_is_told(make_bench: Callable[..., Any]) -> None:
    """A port without a server is a lost connection with advice, not a bare OSError."""
    bench = make_bench()
    bench.stop()

    with pytest.raises(ConnectionLost, match="Nobody answers on port"):
        bench.client()


def test_answers_are_plain_values(bench: Any, connect: Callable[..., RemoteServer]) -> None:
    """Property lists are dicts; nil is what it means for its key."""
    bench.functions["get"] = lambda: {
        "status": "failed",
        "added": [],
        "diagnostics": [{"end_line": 3, "message": "no"}],
        "version": None,
        "versions": [{"version": 1, "current": False}, {"version": 2, "current": True}],
    }

    assert connect().call("get") == {
        "status": "failed",
        "added": [],
        "diagnostics": [{"end_line": 3, "message": "no"}],
        "version": None,
        "versions": [{"version": 1, "current": False}, {"version": 2, "current": True}],
    }


def test_arguments_arrive_as_plain_values(bench: Any, connect: Callable[..., RemoteServer]) -> None:
    """None, text, numbers and options reach the method as Python values."""
    received: list[tuple[object, ...]] = []
    bench.functions["take"] = lambda *values: received.append(values)

    connect().call("take", "a\nλ", None, 3, {"two_versions": True}, ["x"])

    assert received == [("a\nλ", None, 3, {"two_versions": True}, ["x"])]


def test_refusal_is_a_remote_error(connect: Callable[..., RemoteServer]) -> None:
    """What the server refuses is raised where it was asked."""
    with pytest.raises(RemoteError, match="There is no method nowhere"):
        connect().call("nowhere")


def test_call_gives_up_in_time(bench: Any, connect: Callable[..., RemoteServer]) -> None:
    """A time limit is kept, says that the request may still run, and the connection goes on."""
    client = connect()
    with pytest.raises(TimeoutError, match="may still be carried out"):
        client.call("wait", timeout_seconds=0.05)

    bench.gate.set()

    assert client.call("echo", "after") == "after"


def test_pending_calls_fail_at_once_when_the_server_goes(bench: Any, connect: Callable[..., RemoteServer]) -> None:
    """Nobody waits for an answer that cannot come any more; later calls fail as well."""
    lost = threading.Event()
    client = connect(on_lost=lost.set)
    pending = [client.submit("wait") for _ in range(3)]
    assert bench.entered.wait(DEADLINE_SECONDS)

    (connection,) = bench.server.peers()
    connection.cut()

    for future in pending:
        assert isinstance(future.exception(DEADLINE_SECONDS), ConnectionLost)
    assert lost.wait(DEADLINE_SECONDS)
    with pytest.raises(ConnectionLost):
        client.call("echo", 1)


def test_pushes_are_handled_in_order_and_answered(bench: Any, connect: Callable[..., RemoteServer]) -> None:
    """Handlers run one after another; the server hears when one has returned."""
    shown: queue.Queue[tuple[int, str]] = queue.Queue()
    answers: queue.Queue[object] = queue.Queue()
    connect({"shell/output": lambda session, text: shown.put((session, text))})
    (connection,) = bench.server.peers()

    for number in range(100):
        connection.push("shell/output", [1, f"line {number}"], answers.put)

    assert [shown.get(timeout=DEADLINE_SECONDS) for _ in range(100)] == [(1, f"line {n}") for n in range(100)]
    assert [answers.get(timeout=DEADLINE_SECONDS) for _ in range(100)] == [None] * 100


def test_push_without_a_handler_is_answered_all_the_same(bench: Any, connect: Callable[..., RemoteServer]) -> None:
    """The server's window opens again also when a client does not know a push."""
    answers: queue.Queue[object] = queue.Queue()
    connect()
    (connection,) = bench.server.peers()

    connection.push("process/crashed", [{"pid": "<0.1.0>"}], answers.put)

    assert isinstance(answers.get(timeout=DEADLINE_SECONDS), ReturnError)


def test_attach_finds_the_server_of_a_project(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, publish: Publisher
) -> None:
    """By the project's root alone; without a server it says how to start one."""
    monkeypatch.setenv("MIDFLIGHT_RUNTIME_DIR", str(tmp_path / "runtime"))
    with pytest.raises(NoServer, match="midflight serve --root"):
        RemoteServer.attach(tmp_path)
    publish(ProjectFiles(tmp_path), bench.server.port, bench.cookie)

    with RemoteServer.attach(tmp_path) as client:
        assert client.call("ping") == "pong"


def test_stock_client_is_served(bench: Any) -> None:
    """The client of the `epc` package authenticates, calls, and answers pushes, with no code of ours."""
    answers: queue.Queue[object] = queue.Queue()
    client = EPCClient(("127.0.0.1", bench.server.port))
    client.register_function(lambda session, text: [session, text], name="shell/output")
    try:
        client.call_sync("authenticate", [bench.cookie], timeout=DEADLINE_SECONDS)
        assert client.call_sync("echo", ["λ\n"], timeout=DEADLINE_SECONDS) == "λ\n"
        with pytest.raises(ReturnError, match="There is no method nowhere"):
            client.call_sync("nowhere", [], timeout=DEADLINE_SECONDS)
        (connection,) = bench.server.peers()
        connection.push("shell/output", [1, "text"], answers.put)
        assert answers.get(timeout=DEADLINE_SECONDS) == [1, "text"]
    finally:
        hang_up(client)
