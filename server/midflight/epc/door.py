"""The door: the proof that a peer must show before anything it sends is parsed, and the time that it has for it.

A peer has 256 bytes a frame and 5 seconds. A client of ours goes through the handshake; the cookie itself,
in a first frame `authenticate`, is taken of other EPC clients, unless the project forbids it.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from dataclasses import dataclass
from importlib.metadata import version

from midflight.epc.cookie import read_claim
from midflight.epc.handshake import Handshake, address_of, new_nonce, read_hello, read_proof
from midflight.epc.server_file import PROTOCOL
from midflight.epc.wire import Frame, FrameReader, encode
from midflight.errors import FrameError

__all__ = ["AUTHENTICATE_SECONDS", "FIRST_FRAME_LIMIT", "Doorkeeper", "address_of_socket"]

AUTHENTICATE_SECONDS = 5.0
"""How long a peer may take to show that it has the cookie."""

FIRST_FRAME_LIMIT = 256
"""Bytes of a frame at the door: a number, 128 digits and the words around them fit."""

_log = logging.getLogger("midflight.epc")


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """The admission rule of one server. `plain` takes the cookie itself, too."""

    cookie: str
    plain: bool = True
    seconds: float = AUTHENTICATE_SECONDS

    def admit(self, stream: socket.socket, frames: FrameReader) -> int | None:
        """Return the number of the request whose answer lets the peer in; None if it is to be turned away.

        Only a frame of the right shape is answered: a program with an old cookie should say so, and any other peer
        learns nothing.
        """
        deadline = time.monotonic() + self.seconds
        try:
            return self._admit(stream, frames, deadline)
        except (OSError, FrameError) as error:
            _log.debug("turned away: %s", error)
            return None

    def _admit(self, stream: socket.socket, frames: FrameReader, deadline: float) -> int | None:
        first = _next_frame(stream, frames, deadline)
        if first is None:
            return None
        hello = read_hello(first)
        if hello is None:
            return self._take_cookie(stream, first)
        if hello.protocol != PROTOCOL:
            text = (
                f"The server speaks protocol {PROTOCOL} (it is Midflight {version('midflight')}), this program "
                f"{hello.protocol}; the connection is closed. Update the older of the two, and start the server again."
            )
            stream.sendall(encode("return-error", hello.uid, text))
            return None
        handshake = Handshake(hello.nonce, new_nonce(), address_of_socket(stream), os.getpid())
        stream.sendall(encode("return", hello.uid, [handshake.server_nonce, handshake.proof(self.cookie, "server")]))
        second = _next_frame(stream, frames, deadline)
        proof = read_proof(second) if second is not None else None
        if proof is None:
            return None
        if not handshake.is_proof(proof.value, self.cookie, "client"):
            text = "The proof is wrong; the connection is closed. Read the cookie again."
            stream.sendall(encode("return-error", proof.uid, text))
            return None
        return proof.uid

    def _take_cookie(self, stream: socket.socket, first: bytes) -> int | None:
        claim = read_claim(first, self.cookie)
        if claim is None or not self.plain:
            return None
        if not claim.is_valid:
            text = "The cookie is wrong; the connection is closed. Read it again."
            stream.sendall(encode("return-error", claim.uid, text))
            return None
        return claim.uid


def address_of_socket(stream: socket.socket) -> str:
    """Return the address at which a connection came in, as its client dialled it."""
    name = stream.getsockname()
    return address_of(os.fsdecode(name) if isinstance(name, (str, bytes)) else name[1])


def _next_frame(stream: socket.socket, frames: FrameReader, deadline: float) -> bytes | None:
    # The time limit is for all frames, not for each read: a byte a second would outlast that one without an end.
    while (event := frames.next_event()) is None:
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            return None
        stream.settimeout(seconds)
        data = stream.recv(FIRST_FRAME_LIMIT)
        if not data:
            return None
        frames.feed(data)
    return event.payload if isinstance(event, Frame) else None
