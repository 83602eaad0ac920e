"""The client's side of the handshake, on a socket that nothing else reads yet.

Law: until the other end has shown that it has the cookie, it gets a version and a nonce, no more than 1,000 bytes are
taken from it, and none of them is parsed.
"""

from __future__ import annotations

import os
import re
import socket
import time
from typing import Any

from midflight.epc.handshake import Handshake, address_of, new_nonce, read_answer
from midflight.epc.peer_user import peer_of
from midflight.epc.server_file import PROTOCOL
from midflight.epc.sexp import Symbol
from midflight.epc.wire import PAYLOAD_LIMIT, decode, encode
from midflight.errors import ConnectionLost, RemoteError, WireError

__all__ = ["greet"]

_AGAIN = "See what runs: midflight doctor"
_SECONDS = 5.0
_STRANGER_BYTES = 1000
_REFUSAL = re.compile(rb'\(return-error [0-9]{1,18} "((?:[^"\\]|\\.){0,900})"\)\n?', re.DOTALL)


def greet(address: int | str, cookie: str, pid: int, by: socket.socket | None = None) -> tuple[socket.socket, Any]:
    """Connect to the server with process id `pid`; return the socket and the server's description of itself.

    `address` is a port of 127.0.0.1 or the path of a Unix socket, there where the server runs; `by` is a stream that
    leads to it, by default it is dialled. Raises: ConnectionLost, RemoteError.
    """
    where = f"port {address}" if isinstance(address, int) else address
    deadline = time.monotonic() + _SECONDS
    try:
        stream = _connect(address) if by is None else by
    except OSError as error:
        raise ConnectionLost(
            f"Nobody answers on {where} ({error}); nothing was sent. Start a server: midflight serve"
        ) from None
    try:
        if by is None:
            _require_own_user(stream, where)
        nonce = new_nonce()
        stream.sendall(encode("call", 1, Symbol("hello"), [str(PROTOCOL), nonce]))
        answer = _frame(stream, _STRANGER_BYTES, deadline)
        found = read_answer(answer)
        if found is None:
            if (refusal := _REFUSAL.fullmatch(answer)) is not None:
                raise RemoteError(refusal[1].decode("utf-8", "replace").replace("\\", ""))
            raise ConnectionLost(f"Who answers on {where} is no Midflight server; nothing was sent. {_AGAIN}")
        handshake = Handshake(nonce, found[0], address_of(address), pid)
        if not handshake.is_proof(found[1], cookie, "server"):
            raise ConnectionLost(
                f"Who answers on {where} has not shown that it is the server with process id {pid}; nothing was sent. "
                f"{_AGAIN}"
            )
        stream.sendall(encode("call", 2, Symbol("prove"), [handshake.proof(cookie, "client")]))
        said = _value(_frame(stream, PAYLOAD_LIMIT, deadline))
        stream.settimeout(None)
        return stream, said
    except (ConnectionLost, RemoteError):
        stream.close()
        raise
    except (OSError, WireError) as error:
        stream.close()
        raise ConnectionLost(
            f"The server on {where} did not let this program in ({error}); nothing was sent. {_AGAIN}"
        ) from None


def _connect(address: int | str) -> socket.socket:
    if isinstance(address, int):
        return socket.create_connection(("127.0.0.1", address), timeout=_SECONDS)
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        stream.settimeout(_SECONDS)
        stream.connect(address)
    except BaseException:
        stream.close()
        raise
    return stream


def _require_own_user(stream: socket.socket, where: str) -> None:
    peer = peer_of(stream) if stream.family == socket.AF_UNIX else None
    if peer is not None and peer.user != os.getuid():
        raise ConnectionLost(f"Who answers on {where} is a process of user {peer.user}; nothing was sent. {_AGAIN}")


def _frame(stream: socket.socket, limit: int, deadline: float) -> bytes:
    """Read one frame and not a byte more. Raises: WireError if the bytes are not a frame or it is too long; OSError."""
    header = _exactly(stream, 6, deadline)
    if not re.fullmatch(rb"[0-9a-f]{6}", header) or int(header, 16) > limit:
        raise WireError(f"it answered {header!r}")
    return _exactly(stream, int(header, 16), deadline)


def _exactly(stream: socket.socket, count: int, deadline: float) -> bytes:
    data = b""
    while len(data) < count:
        stream.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            piece = stream.recv(count - len(data))
        except TimeoutError:
            raise TimeoutError(f"it has not answered within {_SECONDS:g} s") from None
        if not piece:
            raise WireError("it hung up")
        data += piece
    return data


def _value(payload: bytes) -> Any:
    """Return the server's description of itself. Raises: RemoteError if it refused."""
    message = decode(payload)
    value = message.arguments[0] if message.arguments else None
    if message.kind != "return":
        raise RemoteError(str(value))
    return value
