"""Many connections: what an idle one costs, how many there may be, and that none starves another."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS, frame
from midflight.errors import RemoteError


def threads_of_the_wire() -> list[str]:
    """Return the names of the server's threads for connections."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("midflight-epc", "Thread-"))]


def test_idle_connections_have_no_thread(bench: Any) -> None:
    """Two hundred admitted connections need the threads that one needs."""
    before = len(threads_of_the_wire())
    peers = [bench.peer() for _ in range(200)]
    assert bench.wait_door(0)

    with peers[0] as asking:
        assert asking.ask("(call 1 ping nil)") == '(return 1 "pong")'
    threads = len(threads_of_the_wire())

    for peer in peers:
        peer.close()
    assert threads <= before + 4  # one at the door may not have ended, and a worker is idle for a while


def test_the_connection_too_many_hears_why_and_who(make_bench: Callable[..., Any]) -> None:
    """It is told how many there are, of which programs, and what to do; those inside are served on."""
    bench = make_bench(peers_limit=3)
    bench.functions["server/introduce"] = lambda name: name
    peers = [bench.peer() for _ in range(3)]

    with pytest.raises(RemoteError, match=r"takes 3 connections.*\(3 of unnamed\).*nothing changed.*C-c C-x c"):
        bench.client()

    assert [peer.ask("(call 1 ping nil)") for peer in peers] == ['(return 1 "pong")'] * 3
    for peer in peers:
        peer.close()


def test_a_place_that_was_left_is_free(make_bench: Callable[..., Any]) -> None:
    """The limit counts who is there, not who was."""
    bench = make_bench(peers_limit=1)
    for _ in range(3):
        with bench.peer() as peer:
            assert peer.ask("(call 1 ping nil)") == '(return 1 "pong")'
        with bench.server._changed:
            assert bench.server._changed.wait_for(lambda: not bench.server.peers(), DEADLINE_SECONDS)


def test_requests_that_never_end_starve_no_other_connection(bench: Any) -> None:
    """Sixty connections wait in a request each; the next one is answered, overtaking methods or not."""
    entered = threading.Semaphore(0)

    def wait() -> None:
        entered.release()
        assert bench.gate.wait(DEADLINE_SECONDS)

    bench.functions["stay"] = wait
    busy = [bench.peer() for _ in range(60)]
    for peer in busy:
        peer.send(frame("(call 1 stay nil)"))
    for _ in busy:
        assert entered.acquire(timeout=DEADLINE_SECONDS)

    with bench.peer() as other:
        assert other.ask('(call 1 echo ("now"))') == '(return 1 "now")'
        assert busy[0].ask("(call 2 ping nil)") == '(return 2 "pong")'
    for peer in busy:
        peer.close()


def test_peer_that_floods_leaves_the_others_their_turn(bench: Any) -> None:
    """Behind thousands of pings that have arrived, another connection is answered before all of them."""
    handled = 0

    def slow_ping() -> str:
        nonlocal handled
        handled += 1
        threading.Event().wait(0.001)
        return "pong"

    bench.urgent["ping"] = slow_ping
    with bench.peer() as flooding, bench.peer() as other:
        flooding.send(frame("(call 1 ping nil)") * 3000)

        assert other.ask("(call 1 ping nil)") == '(return 1 "pong")'

        assert handled < 3000
        flooding.socket.close()


def test_answer_to_no_call_is_not_even_parsed(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is dropped by its number: large ones would cost the I/O thread its time."""
    parsed: list[bytes] = []
    with bench.peer() as peer:
        monkeypatch.setattr("midflight.epc.connection.decode", lambda payload, **_: parsed.append(payload))
        peer.send(frame("(return 99 t)") + frame(b'(return-error 98 "' + b"x" * 100_000 + b'")'))
        monkeypatch.undo()
        assert peer.ask("(call 6 ping nil)") == '(return 6 "pong")'

    assert parsed == []


def test_failing_connection_leaves_the_others(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the code of one connection raises in the I/O thread ends that connection alone."""
    with bench.peer() as broken, bench.peer() as other:
        connection = bench.server.peers()[0]
        monkeypatch.setattr(connection, "_dispatch", lambda _event: 1 / 0)

        broken.send(frame("(call 1 ping nil)"))

        assert broken.read_to_end() == b""
        assert other.ask("(call 1 ping nil)") == '(return 1 "pong")'


def test_requests_of_a_connection_that_broke_are_not_begun(bench: Any) -> None:
    """Nobody waits for them; those of one that hung up in order are carried out."""
    for is_broken in (True, False):
        bench.gate.clear()
        bench.entered.clear()
        done: list[int] = []
        last = threading.Event()
        bench.functions["note"] = done.append
        bench.functions["last"] = last.set
        peer = bench.peer()
        (connection,) = bench.server.peers()
        peer.send(frame("(call 1 wait nil)") + frame("(call 2 note (2))") + frame("(call 3 last nil)"))
        assert bench.entered.wait(DEADLINE_SECONDS)
        if is_broken:
            peer.socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        with bench.server._changed:
            assert bench.server._changed.wait_for(lambda: not bench.server._peers, DEADLINE_SECONDS)

        bench.gate.set()

        assert last.wait(0.1 if is_broken else DEADLINE_SECONDS) is not is_broken
        assert done == ([] if is_broken else [2])
        assert connection.received_count == 3


def test_pings_of_a_peer_that_is_gone_are_not_answered(bench: Any) -> None:
    """The thread that reads all connections has others to serve; requests in order are carried out all the same."""
    handled: list[int] = []
    noted = threading.Event()
    bench.urgent["ping"] = lambda: handled.append(1)
    bench.functions["note"] = noted.set
    with bench.peer() as peer:
        (connection,) = bench.server.peers()
        with connection.outbox.lock:
            connection.outbox.close()  # as a send does that has failed
        peer.send(frame("(call 1 ping nil)") * 50 + frame("(call 2 note nil)"))
        assert noted.wait(DEADLINE_SECONDS)

    assert handled == []


def test_a_connection_that_has_ended_holds_none_of_its_bytes(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a frame that was read, and answers that nobody took: else they wait for a collection of garbage."""
    size = 3_000_000
    given: list[object] = []
    monkeypatch.setattr("midflight.epc.connection.give_back", lambda: given.append(True))
    bench.functions["much"] = lambda: "x" * size
    with bench.peer() as peer, bench.peer() as small:
        connection, other = bench.server.peers()
        peer.send(frame("(call 1 much nil)") + b"7fffff" + b"y" * size)
        while len(connection.frames._buffer) < size or not connection.outbox.most_bytes:
            assert small.ask("(call 6 ping nil)") == '(return 6 "pong")'
        assert given == []
        small.close()
    with bench.server._changed:
        assert bench.server._changed.wait_for(lambda: not bench.server._peers, DEADLINE_SECONDS)
    bench.stop()

    assert connection.frames.forget() == 0
    assert connection.outbox.wait_empty(0)
    assert given == [True]  # once, for the one that had much
    assert other.outbox.most_bytes < 1000
