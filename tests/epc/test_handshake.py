"""The handshake: the server shows first that it has the secret, then the client, and nobody says it."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.epc_peer import DEADLINE_SECONDS, Peer, frame
from helpers.publishing import SOMEBODY, Publisher, in_child
from midflight.epc import ProjectFiles, RemoteServer
from midflight.epc.handshake import Handshake, read_answer, read_hello, read_proof
from midflight.errors import ConnectionLost, RemoteError

COOKIE = "0123456789abcdef" * 4
NONCE = "00112233445566778899aabbccddeeff" * 2
is_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


def proof(cookie: str, word: str, client: str, server: str, address: str, pid: int) -> str:
    """Compute a proof as the protocol's page says, with no code of the server's."""
    message = "\n".join((word, client, server, address, str(pid))).encode()
    return hmac.new(cookie.encode(), message, hashlib.sha256).hexdigest()


def say_hello(peer: Peer, protocol: str = "1", nonce: str = NONCE) -> tuple[str, str]:
    """Send hello; return the server's nonce and its proof."""
    found = re.fullmatch(r'\(return 1 \("([0-9a-f]{64})" "([0-9a-f]{64})"\)\)', peer.ask(hello(protocol, nonce)))
    assert found is not None
    return found[1], found[2]


def hello(protocol: str = "1", nonce: str = NONCE) -> str:
    """Return the first frame of a client."""
    return f'(call 1 hello ("{protocol}" "{nonce}"))'


class Impostor:
    """Listens on a port or a Unix socket, answers one connection as the test says, and keeps what came."""

    def __init__(self, listener: socket.socket, *answers: bytes) -> None:
        self.listener = listener
        self.heard = b""
        self._answers = answers
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        connection, _ = self.listener.accept()
        connection.settimeout(DEADLINE_SECONDS)
        with connection:
            self.heard = connection.recv(65536)
            for answer in self._answers:
                connection.sendall(answer)
            try:
                while data := connection.recv(65536):
                    self.heard += data
            except ConnectionResetError:
                pass  # the client hung up with our answer unread

    def close(self) -> bytes:
        """Wait for the end of the connection; return all that came."""
        self._thread.join(DEADLINE_SECONDS)
        assert not self._thread.is_alive()
        return self.heard


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket that listens on a port, of a program that is not a server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_both_proofs_are_as_the_page_says(bench: Any) -> None:
    """The server's covers both nonces, the address that was dialled and its process; then the client's lets it in."""
    address = f"127.0.0.1:{bench.server.port}"
    with bench.stranger() as peer:
        nonce, shown = say_hello(peer)
        assert shown == proof(bench.cookie, "server", NONCE, nonce, address, os.getpid())

        mine = proof(bench.cookie, "client", NONCE, nonce, address, os.getpid())
        assert peer.ask(f'(call 2 prove ("{mine}"))') == "(return 2 (:protocol 1 :pid 1))"
        assert peer.ask("(call 3 ping nil)") == '(return 3 "pong")'


def test_a_server_s_nonce_is_new_each_time(bench: Any) -> None:
    """So nothing that was recorded lets anybody in."""
    nonces = set()
    for _ in range(3):
        with bench.stranger() as peer:
            nonces.add(say_hello(peer)[0])

    assert len(nonces) == 3


def test_the_server_s_own_proof_is_not_the_client_s(bench: Any) -> None:
    """The word in it differs: what the server says cannot be sent back to it."""
    with bench.stranger() as peer:
        _, shown = say_hello(peer)

        assert peer.ask(f'(call 2 prove ("{shown}"))').startswith('(return-error 2 "The proof is wrong')
        assert peer.read_to_end() == b""


@pytest.mark.parametrize(
    "second",
    ["(call 2 ping nil)", '(call 2 prove ("' + "f" * 64 + '" "more"))', "(call 2 prove nil)", "(return 1 t)", hello()],
)
def test_anything_but_a_proof_is_closed_without_a_word(bench: Any, second: str) -> None:
    """Hello opens nothing."""
    with bench.stranger() as peer:
        say_hello(peer)
        peer.send(frame(second))

        assert peer.read_to_end() == b""


def test_the_cookie_after_hello_is_closed_without_a_word(bench: Any) -> None:
    """A connection shows one thing or the other."""
    with bench.stranger() as peer:
        say_hello(peer)
        peer.send(frame(f'(call 2 authenticate ("{bench.cookie}"))'))

        assert peer.read_to_end() == b""


@pytest.mark.parametrize(
    "payload",
    [
        '(call 1 hello ("1"))',
        f'(call 1 hello (1 "{NONCE}"))',
        f'(call 1 hello ("x" "{NONCE}"))',
        f'(call 1 hello ("1" "{NONCE[:31]}"))',
        f'(call 1 hello ("1" "{NONCE.upper()}x"))',
        f'(call 1 hello ("1" "{NONCE}" "more"))',
        f'(call -1 hello ("1" "{NONCE}"))',
        f'(call 1 hello ("1" "{NONCE}")) ',
        f'(call 1  hello ("1" "{NONCE}"))',
    ],
)
def test_other_shapes_are_no_hello(payload: str) -> None:
    """Matched as bytes: a nonce has 32 hex digits at least, and all else is as it is."""
    assert read_hello(payload.encode()) is None


def test_the_right_shapes_are_read() -> None:
    """With or without the newline, with the number that the answer echoes."""
    first, second = read_hello(f"{hello()}\n".encode()), read_proof(b'(call 7 prove ("abc"))')
    answer = read_answer(f'(return 1 ("{NONCE}" "{COOKIE}"))\n'.encode())

    assert first is not None
    assert (first.uid, first.protocol, first.nonce) == (1, 1, NONCE)
    assert second is not None
    assert (second.uid, second.value) == (7, b"abc")
    assert answer == (NONCE, COOKIE.encode())


def test_the_secret_is_in_no_repr() -> None:
    """What is logged of a handshake gives nothing away."""
    assert COOKIE not in repr(Handshake(NONCE, NONCE, "/a", 1))


def test_another_protocol_is_told_in_the_answer_to_hello(bench: Any) -> None:
    """Both versions, what is unchanged, and what to do."""
    with bench.stranger() as peer:
        answer = peer.ask(hello("2"))
        rest = peer.read_to_end()

    assert re.match(
        r'\(return-error 1 "The server speaks protocol 1 .*, this program 2; the connection is closed', answer
    )
    assert rest == b""


def test_a_client_says_which_protocol_the_server_speaks(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's words come through."""
    monkeypatch.setattr("midflight.epc.greeting.PROTOCOL", 2)

    with pytest.raises(RemoteError, match=r"The server speaks protocol 1 .*, this program 2"):
        bench.client()


def test_half_a_handshake_is_closed_in_time(make_bench: Callable[..., Any]) -> None:
    """The 5 seconds are for all of it."""
    bench = make_bench(authenticate_seconds=0.3)
    with bench.stranger() as peer:
        say_hello(peer)

        assert peer.read_to_end() == b""


def test_a_forbidden_cookie_is_closed_without_a_word(make_bench: Callable[..., Any]) -> None:
    """With `plain_cookie = false` the first frame of other EPC clients is one of any stranger; ours come in."""
    bench = make_bench(plain_cookie=False)
    with bench.stranger() as peer:
        peer.send(frame(f'(call 1 authenticate ("{bench.cookie}"))'))
        assert peer.read_to_end() == b""

    client = bench.client()
    assert client.call("ping") == "pong"
    client.close()


def test_the_cookie_is_never_on_the_wire(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither end of our own says it: all bytes of a whole connection are looked at, through a relay."""
    seen: list[bytes] = []

    def note(kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def noting(stream: socket.socket, data: Any, *rest: Any) -> Any:
            given = real(stream, data, *rest)
            seen.append(given if kind == "recv" else bytes(data))
            return given

        return noting

    for kind in ("recv", "send", "sendall"):
        monkeypatch.setattr(socket.socket, kind, note(kind, getattr(socket.socket, kind)), raising=False)
    client = bench.client()
    assert client.call("echo", "said") == "said"
    client.close()

    assert any(b"said" in data for data in seen)
    assert any(b"hello" in data for data in seen)
    assert bench.cookie.encode() not in b"".join(seen)


IMPOSTORS = {
    "says that all is well": frame("(return 1 t)"),
    "makes a proof up": frame(f'(return 1 ("{NONCE}" "{"f" * 64}"))'),
    "asks for something": frame('(call 1 shell/output (1 "text"))'),
    "refuses": frame('(return-error 1 "Send the cookie.")'),
    "answers as HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "announces a large frame": b"7fffff" + b"(" * 100,
}


@pytest.mark.parametrize("answer", IMPOSTORS.values(), ids=IMPOSTORS)
def test_a_stranger_at_the_port_learns_and_does_nothing(listener: socket.socket, answer: bytes) -> None:
    """Whoever got a dead server's port hears a version and a nonce; no call of theirs is carried out."""
    done: list[object] = []
    impostor = Impostor(listener, answer)

    with pytest.raises((ConnectionLost, RemoteError), match=r"nothing was sent|Send the cookie"):
        RemoteServer(listener.getsockname()[1], COOKIE, {"shell/output": lambda *given: done.append(given)}, pid=1)

    assert re.fullmatch(rb'[0-9a-f]{6}\(call 1 hello \("1" "[0-9a-f]{64}"\)\)\n', impostor.close())
    assert done == []


def test_a_relay_to_the_living_server_is_found_out(bench: Any, listener: socket.socket) -> None:
    """The proof is for the address that the client dialled, not for that which the relay dials."""

    def relay() -> None:
        connection, _ = listener.accept()
        with connection, bench.stranger() as peer:
            peer.send(connection.recv(65536))
            connection.sendall(frame(peer.read()))
            assert connection.recv(65536) == b""

    thread = threading.Thread(target=relay)
    thread.start()

    with pytest.raises(ConnectionLost, match="has not shown that it is the server with process id"):
        RemoteServer(listener.getsockname()[1], bench.cookie, pid=os.getpid())

    thread.join(DEADLINE_SECONDS)
    assert not thread.is_alive()


@pytest.mark.parametrize("change", ["cookie", "pid"])
def test_a_client_with_an_old_file_sends_nothing(bench: Any, change: str) -> None:
    """The file of an earlier server: another secret, or another process."""
    cookie, pid = ("f" * 64, os.getpid()) if change == "cookie" else (bench.cookie, os.getpid() + 1)

    with pytest.raises(ConnectionLost, match=r"has not shown.*nothing was sent"):
        RemoteServer(bench.server.port, cookie, pid=pid)


def test_a_silent_peer_is_given_up(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that answers nothing holds nobody up."""
    monkeypatch.setattr("midflight.epc.greeting._SECONDS", 0.05)

    with pytest.raises(ConnectionLost, match="has not answered within"):
        RemoteServer(listener.getsockname()[1], COOKIE, pid=1)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectFiles:
    """The place of a project in a runtime folder of the test's own."""
    monkeypatch.setenv("MIDFLIGHT_RUNTIME_DIR", str(tmp_path / "runtime"))
    return ProjectFiles(tmp_path)


def test_our_clients_come_by_the_unix_socket(bench: Any, place: ProjectFiles, publish: Publisher) -> None:
    """And the proofs are for its path."""
    publish(place, bench.server.port, bench.cookie, listen=bench.server.listeners.add)

    with RemoteServer.attach(place.root) as client:
        assert client.call("echo", "x" * 100_000) == "x" * 100_000
        (connection,) = bench.server.peers()
        assert connection.request.family == socket.AF_UNIX


def test_a_crowd_at_the_port_pushes_nobody_out_of_the_unix_socket(
    make_bench: Callable[..., Any], place: ProjectFiles, publish: Publisher
) -> None:
    """Other users can stand at the port only; who came by the socket has the 5 seconds, however many they are."""
    bench = make_bench(door_limit=2)
    publish(place, bench.server.port, bench.cookie, listen=bench.server.listeners.add)
    path = str(place.find().socket)
    with Peer(path) as peer:
        nonce, _ = say_hello(peer)
        crowd = [bench.stranger() for _ in range(4)]
        for stranger in crowd[:2]:
            assert stranger.read_to_end() == b""  # the first of them were shown out

        mine = proof(bench.cookie, "client", NONCE, nonce, path, os.getpid())
        assert peer.ask(f'(call 2 prove ("{mine}"))') == "(return 2 (:protocol 1 :pid 1))"
    for stranger in crowd:
        stranger.close()


def test_a_server_needs_no_port(make_bench: Callable[..., Any], place: ProjectFiles, publish: Publisher) -> None:
    """A program that embeds one opens none: whoever cannot enter the folder cannot even connect."""
    bench = make_bench(port=None)
    publish(place, None, bench.cookie, listen=bench.server.listeners.add)

    assert bench.server.port is None
    with RemoteServer.attach(place.root) as client:
        assert client.call("ping") == "pong"


@pytest.mark.parametrize("lost", ["main.sock", "main.json"])
def test_a_client_comes_in_though_a_file_was_lost(
    bench: Any, place: ProjectFiles, publish: Publisher, lost: str
) -> None:
    """It rings, and tries once more."""
    publication = publish(place, bench.server.port, bench.cookie, listen=bench.server.listeners.add)
    publication.keep()
    with RemoteServer.attach(place.root) as before:
        (place.folder / lost).unlink()

        with RemoteServer.attach(place.root) as client:
            assert client.call("ping") == before.call("ping") == "pong"


def test_a_server_that_is_gone_is_told_at_once(bench: Any, place: ProjectFiles, publish: Publisher) -> None:
    """With its file there and its socket dead: so a moment after it was killed."""
    publish(place, None, bench.cookie, listen=lambda listener: listener.close())

    with pytest.raises(ConnectionLost, match=r"Nobody answers on .*main\.sock"):
        RemoteServer.attach(place.root)


@is_root
def test_a_process_of_another_user_is_turned_away(
    bench: Any, open_folder: Path, publish: Publisher, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it has got hold of a connection, and of the cookie: the system says whose it is."""
    monkeypatch.setenv("MIDFLIGHT_RUNTIME_DIR", str(open_folder / "runtime"))
    place = ProjectFiles(open_folder)
    publish(place, bench.server.port, bench.cookie, listen=bench.server.listeners.add)
    path = str(place.find().socket)
    for each in (place.folder, place.folder.parent, path):
        os.chmod(each, 0o777)

    def connect() -> bytes:
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(path)
            return stream.recv(100)

    assert in_child(connect, user=SOMEBODY) == "b''"
    assert f"a process of user {SOMEBODY} was turned away" in caplog.text


@is_root
def test_a_socket_of_another_user_is_not_talked_to(open_folder: Path) -> None:
    """The client looks, too, whose process listens, and says nothing to another's."""
    open_folder.chmod(0o777)
    path = str(open_folder / "main.sock")
    reader, writer = os.pipe()

    def listen() -> str:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            os.chmod(path, 0o777)
            listener.listen()
            os.write(writer, b"x")
            return repr(listener.accept()[0].recv(100))

    heard: list[str] = []
    thread = threading.Thread(target=lambda: heard.append(in_child(listen, user=SOMEBODY)))
    thread.start()
    assert os.read(reader, 1) == b"x"

    with pytest.raises(ConnectionLost, match=f"is a process of user {SOMEBODY}; nothing was sent"):
        RemoteServer(path, COOKIE, pid=1)

    thread.join(DEADLINE_SECONDS)
    assert heard == ["b''"]
    os.close(reader)
    os.close(writer)
