"""Who is let in: everything a stranger on the machine may send before the cookie, and how long they may take."""

from __future__ import annotations

import logging
import socket
import struct
import time
from collections.abc import Callable
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import pytest

from helpers.epc_peer import Peer, frame
from midflight.epc.door import AUTHENTICATE_SECONDS

WRONG = "f" * 64
STRANGERS = {
    "a request without a cookie": frame("(call 1 ping nil)"),
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x00\xa5\x01\x00\x00",
    "a header over the limit": b"ffffff",
    "a negative header": b"-00001(call 1 ping nil)\n",
    "an upper case header": b"00000A(call 1 ping nil)\n",
    "a frame of nothing": b"000000",
    "a POST of a page with a whole frame in it": b"POST / HTTP/1.1\r\n\r\n" + frame("(call 1 ping nil)"),
    "a WebSocket": b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n",
    "an HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method of hex digits": b"abcdef / HTTP/1.1\r\n\r\n",
    "garbage": bytes(range(256)) * 4,
    "deep nesting": frame("(" * 200),
    "an open string": frame('(call 1 authenticate ("abc'),
    "a wrong cookie in a symbol": frame(f"(call 1 authenticate ({WRONG}))"),
}


@pytest.mark.parametrize("data", STRANGERS.values(), ids=STRANGERS)
def test_stranger_is_closed_without_a_word(bench: Any, data: bytes) -> None:
    """What is no claim is not answered, and the next client is served."""
    with bench.stranger() as peer:
        peer.send(data)
        answer = peer.read_to_end()

    assert answer == b""
    with bench.peer() as client:
        assert client.ask("(call 1 ping nil)") == '(return 1 "pong")'


def test_wrong_cookie_is_told_and_closed(bench: Any) -> None:
    """A program with an old cookie learns why; its second frame is never read."""
    with bench.stranger() as peer:
        peer.send(frame(f'(call 8 authenticate ("{WRONG}"))'))
        answer = peer.read()
        rest = peer.read_to_end()

    assert answer.startswith('(return-error 8 "The cookie is wrong')
    assert rest == b""


def test_the_cookie_behind_anything_else_is_not_read(bench: Any) -> None:
    """A page that could guess it cannot send it: what a browser writes first ends the connection."""
    body = frame(f'(call 1 authenticate ("{bench.cookie}"))') + frame('(call 2 echo ("done"))')
    with bench.stranger() as peer:
        peer.send(b"POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n" + body)

        assert peer.read_to_end() == b""
    assert bench.server.peers() == ()


def test_nothing_is_parsed_before_the_cookie(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the parser gone, the door works all the same."""
    monkeypatch.setattr("midflight.epc.connection.decode", None)
    monkeypatch.setattr("midflight.epc.wire.read", None)

    with bench.stranger() as peer:
        assert peer.authenticate(WRONG).startswith("(return-error 0")
    with bench.stranger() as peer:
        assert peer.authenticate(bench.cookie).startswith("(return 0")


def test_cookie_and_requests_may_come_in_one_piece(bench: Any) -> None:
    """The small limit ends with the first frame: what follows in the same packet has the large one."""
    text = "x" * 5000
    with bench.stranger() as peer:
        peer.send(frame(f'(call 1 authenticate ("{bench.cookie}"))') + frame(f'(call 2 echo ("{text}"))'))

        assert peer.read().startswith("(return 1 (:protocol 1")
        assert peer.read() == f'(return 2 "{text}")'


def test_cookie_may_come_byte_by_byte(bench: Any) -> None:
    """Slow is not wrong, within the time."""
    data = frame(f'(call 1 authenticate ("{bench.cookie}"))')
    with bench.stranger() as peer:
        for index in range(len(data)):
            peer.send(data[index : index + 1])

        assert peer.read().startswith("(return 1 (:protocol 1")


def test_second_authenticate_is_an_unknown_method(bench: Any) -> None:
    """Once inside there is no door; the connection goes on."""
    with bench.peer() as peer:
        assert peer.authenticate(WRONG).startswith('(return-error 0 "There is no method authenticate')
        assert peer.ask("(call 1 ping nil)") == '(return 1 "pong")'


def test_silent_connection_is_closed_in_time(make_bench: Callable[..., Any]) -> None:
    """Who says nothing is closed when the time is over, and not before."""
    bench = make_bench(authenticate_seconds=0.3)
    began = time.monotonic()

    with bench.stranger() as peer:
        assert peer.read_to_end() == b""

    assert 0.3 <= time.monotonic() - began < 3.0


def test_dripping_connection_is_closed_in_time(make_bench: Callable[..., Any]) -> None:
    """The time is for the whole frame: a byte now and then does not renew it."""
    bench = make_bench(authenticate_seconds=0.5)
    data = frame(f'(call 1 authenticate ("{bench.cookie}"))')
    began = time.monotonic()

    with bench.stranger() as peer:
        peer.socket.settimeout(0.05)  # the pace of the drip: a read that brings nothing takes this long
        sent = 0
        answer = None
        while answer is None and sent < len(data) - 1:
            try:
                peer.send(data[sent : sent + 1])
                sent += 1
                answer = peer.socket.recv(100)
            except TimeoutError:
                pass
            except (ConnectionResetError, BrokenPipeError):
                answer = b""

    assert answer == b""
    assert 0.5 <= time.monotonic() - began < 3.0


def test_silence_is_closed_within_the_default_time(bench: Any) -> None:
    """The limit that ships is the 5 s of the protocol."""
    began = time.monotonic()

    with bench.stranger() as peer, bench.peer() as client:
        assert client.ask("(call 1 ping nil)") == '(return 1 "pong")'  # silence holds up nobody
        assert peer.read_to_end() == b""

    assert AUTHENTICATE_SECONDS == 5.0
    assert 4.9 < time.monotonic() - began < 8.0


def test_admitted_connection_may_be_silent(make_bench: Callable[..., Any]) -> None:
    """The time limit ends with the cookie: an editor that idles stays connected."""
    bench = make_bench(authenticate_seconds=0.3)
    with bench.peer() as client:
        with bench.stranger() as peer:
            assert peer.read_to_end() == b""  # a whole limit passes

        assert client.ask("(call 1 ping nil)") == '(return 1 "pong")'


def test_crowd_at_the_door_loses_its_first(make_bench: Callable[..., Any]) -> None:
    """With too many waiting, the one that came first goes, and who has the cookie gets in."""
    bench = make_bench(door_limit=3)
    strangers = [bench.stranger() for _ in range(3)]
    assert bench.wait_door(3)

    with bench.peer() as client:
        assert strangers[0].read_to_end() == b""
        assert client.ask("(call 1 ping nil)") == '(return 1 "pong")'
    assert strangers[2].authenticate(bench.cookie).startswith("(return 0")
    for peer in strangers:
        peer.close()


def test_admitted_connections_do_not_count_at_the_door(make_bench: Callable[..., Any]) -> None:
    """Many editors are welcome."""
    bench = make_bench(door_limit=2)
    clients = [bench.peer() for _ in range(6)]

    answers = [client.ask("(call 1 ping nil)") for client in clients]

    assert answers == ['(return 1 "pong")'] * 6
    for client in clients:
        client.close()


def test_port_scan_leaves_no_trace_on_stderr(
    bench: Any, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Connections that break off in any way write nothing: no traceback, no warning."""
    with caplog.at_level(logging.INFO):
        for data in (b"", b"GET / HTTP/1.1\r\n\r\n", b"000010", b"\xff"):
            peer = bench.stranger()
            peer.send(data)
            # A reset instead of an orderly end, as a scanner leaves.
            peer.socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
        with bench.peer() as client:
            client.ask("(call 1 ping nil)")
        assert bench.wait_door(0)

    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_server_listens_on_the_loopback_address_only(bench: Any) -> None:
    """Nobody on the network can connect, whatever the cookie."""
    with pytest.raises(ConnectionRefusedError):  # it is this machine, too, by another of its addresses
        socket.create_connection(("127.0.0.2", bench.server.port))


def test_stop_closes_everybody(make_bench: Callable[..., Any]) -> None:
    """Strangers and clients see the end of the stream, and the port is free."""
    bench = make_bench()
    client, stranger = bench.peer(), bench.stranger()

    bench.server.stop()

    assert client.read_to_end() == stranger.read_to_end() == b""
    with pytest.raises(ConnectionRefusedError):
        Peer(bench.server.port)
    client.close()
    stranger.close()
