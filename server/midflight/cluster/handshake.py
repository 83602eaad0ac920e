"""The handshake of two nodes, as bytes: who they are, and the proof that both know the cookie. No socket, no time.

The one whose name sorts first sends HELLO -> WELCOME comes back, with both nonces -> PROOF. Each packet begins with the
HMAC of the rest under the cookie, which is compared before anything of it is read. WELCOME and PROOF hold the nonce
that the receiver has just made, so neither can be one of yesterday. The key of the session comes of both nonces.

    H  mac(32)  kind(1)  nonce(16)  nonce(16)  length(2) from  length(2) to  creation(4) creation(4)
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass, replace
from typing import Final

__all__ = ["BYE", "HELLO", "NONCE_BYTES", "PROOF", "WELCOME", "Greeting", "SessionKeys", "new_nonce", "read_greeting"]

HELLO: Final = 1
WELCOME: Final = 2
PROOF: Final = 3
BYE: Final = 4  # the session of these nonces has ended
_KINDS = (HELLO, WELCOME, PROOF, BYE)
NONCE_BYTES = 16
_MAC_BYTES = 32
_HEAD = struct.Struct(f">B{NONCE_BYTES}s{NONCE_BYTES}sII")
_LENGTH = struct.Struct(">H")
MOST_BYTES = 1024
PREFIX = b"H"


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The key of one session in each direction, and the id that its frames carry."""

    id: bytes
    sending: bytes
    receiving: bytes


@dataclass(frozen=True, slots=True)
class Greeting:
    """One packet of a handshake. `first` is the nonce of who said HELLO, `second` of the other, zeros in HELLO."""

    kind: int
    sender: str
    sender_creation: int
    receiver: str
    receiver_creation: int
    first: bytes
    second: bytes = bytes(NONCE_BYTES)

    def packed(self, cookie: bytes) -> bytes:
        """Return the packet, signed."""
        head = _HEAD.pack(self.kind, self.first, self.second, self.sender_creation, self.receiver_creation)
        names = b"".join(_LENGTH.pack(len(name)) + name for name in (self.sender.encode(), self.receiver.encode()))
        body = head + names
        return PREFIX + _mac(cookie, body) + body

    def answer(self, kind: int, second: bytes | None = None) -> Greeting:
        """Return the packet that goes the other way, with the same nonces but for `second`, if that is given."""
        return replace(
            self,
            kind=kind,
            sender=self.receiver,
            sender_creation=self.receiver_creation,
            receiver=self.sender,
            receiver_creation=self.sender_creation,
            second=self.second if second is None else second,
        )

    def as_kind(self, kind: int) -> Greeting:
        """Return the same packet, of another kind."""
        return replace(self, kind=kind)

    def keys(self, cookie: bytes, name: str) -> SessionKeys:
        """Return the keys of the session that this PROOF begins, for the node `name`, which is one of the two."""
        other = self.sender if name == self.receiver else self.receiver
        nonces = self.first + self.second

        def key(label: bytes, sender: str) -> bytes:
            return _mac(cookie, b"session" + label + nonces + sender.encode())

        return SessionKeys(key(b"id", "")[:8], key(b"key", name), key(b"key", other))


def new_nonce() -> bytes:
    """Return bytes that nobody has had before."""
    return secrets.token_bytes(NONCE_BYTES)


def read_greeting(packet: bytes, cookie: bytes) -> Greeting | None:
    """Return the greeting in `packet`; None unless it is signed with the cookie and of the right shape."""
    if len(packet) > MOST_BYTES or packet[:1] != PREFIX:
        return None
    mac, body = packet[1 : 1 + _MAC_BYTES], packet[1 + _MAC_BYTES :]
    if not hmac.compare_digest(mac, _mac(cookie, body)):
        return None
    try:
        kind, first, second, sender_creation, receiver_creation = _HEAD.unpack_from(body)
        names = []
        at = _HEAD.size
        for _ in range(2):
            (length,) = _LENGTH.unpack_from(body, at)
            at += _LENGTH.size + length
            names.append(body[at - length : at].decode())
    except (struct.error, UnicodeDecodeError):
        return None
    if kind not in _KINDS or at != len(body) or not sender_creation or not receiver_creation:
        return None
    return Greeting(kind, names[0], sender_creation, names[1], receiver_creation, first, second)


def _mac(cookie: bytes, body: bytes) -> bytes:
    # With the number of the protocol: nodes of two protocols have two secrets, so they never meet.
    return hmac.new(cookie, b"midflight cluster 1" + body, hashlib.sha256).digest()
