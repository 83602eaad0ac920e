"""A peer that speaks EPC byte by byte over a plain socket, so that tests can also say what no client would."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

from epc.client import EPCClient

DEADLINE_SECONDS = 30.0


def frame(payload: str | bytes) -> bytes:
    """Return `payload` with its header and newline, as a correct peer sends it."""
    data = payload.encode() if isinstance(payload, str) else payload
    return b"%06x" % (len(data) + 1) + data + b"\n"


def hang_up(client: EPCClient) -> None:
    """Close a stock client so that its two threads have ended before its server does.

    Its own `close` leaves one of them reading; a server that stops then resets the connection under it.
    """
    client.close()
    client.socket.shutdown(socket.SHUT_RD)
    for thread in (client.handler._recv_iter.thread, client.handler_thread):
        thread.join(DEADLINE_SECONDS)
        assert not thread.is_alive(), f"{thread.name} does not end"
    client.socket.close()


class Peer:
    """A socket to a server. Every wait has a deadline, after which the test fails with TimeoutError."""

    def __init__(self, address: int | str) -> None:
        """Connect to a port, or to the path of a Unix socket."""
        if isinstance(address, int):
            self.socket = socket.create_connection(("127.0.0.1", address), timeout=DEADLINE_SECONDS)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(DEADLINE_SECONDS)
            self.socket.connect(address)
        self.stream = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        """Send `data` as it is."""
        self.socket.sendall(data)

    def ask(self, payload: str | bytes) -> str:
        """Send one frame and return the next one that comes."""
        self.send(frame(payload))
        return self.read()

    def authenticate(self, cookie: str) -> str:
        """Show the cookie as request 0 and return the answer."""
        return self.ask(f'(call 0 authenticate ("{cookie}"))')

    def read(self) -> str:
        """Return the payload of the next frame, without its newline; fail at the end of the stream."""
        header = self.stream.read(6)
        assert len(header) == 6, f"the stream ended, after {header!r}"
        payload = self.stream.read(int(header, 16))
        assert payload.endswith(b"\n"), payload
        return payload[:-1].decode()

    def read_to_end(self) -> bytes:
        """Return what still comes until the server closes; a reset counts as closed."""
        try:
            return self.stream.read()
        except ConnectionResetError:
            return b""

    def close(self) -> None:
        """Hang up."""
        self.stream.close()
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
