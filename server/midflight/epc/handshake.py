"""The handshake: each end shows that it has the secret, and neither says it. The server shows it first.

    000072(call 1 hello ("1" "CLIENT-NONCE"))                the version of the protocol, and 64 fresh hex digits
    0000a9(return 1 ("SERVER-NONCE" "PROOF"))                64 others, and the server's proof
    000060(call 2 prove ("PROOF"))                           the client's

A proof is HMAC-SHA256 as 64 lower-case hex digits. Its key is the cookie as it is written, its message six lines
without a last newline: a word ("server" or "client"), the client's nonce, the server's, the address as the client
dialled it (the path of the Unix socket, or "127.0.0.1:PORT"), the server's process id.

Law: nothing that a peer sends is parsed before it has shown its proof: frames are matched as bytes, proofs compared
in constant time. So a program that has got a dead server's port learns nothing and gets nobody to do anything.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from dataclasses import dataclass

__all__ = ["Handshake", "Hello", "Proof", "address_of", "new_nonce", "read_answer", "read_hello", "read_proof"]

_HELLO = re.compile(rb'\(call ([0-9]{1,18}) hello \("([0-9]{1,9})" "([0-9a-f]{32,128})"\)\)\n?')
_PROOF = re.compile(rb'\(call ([0-9]{1,18}) prove \("([^"\\]{0,128})"\)\)\n?')
_ANSWER = re.compile(rb'\(return [0-9]{1,18} \("([0-9a-f]{32,128})" "([0-9a-f]{64})"\)\)\n?')


@dataclass(frozen=True, slots=True)
class Hello:
    """A first frame of the right shape: the number that its answer echoes, the client's protocol and its nonce."""

    uid: int
    protocol: int
    nonce: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A second frame of the right shape; the proof may be wrong."""

    uid: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Handshake:
    """The knowledge of both ends once the two nonces are known; the cookie is in no repr."""

    client_nonce: str
    server_nonce: str
    address: str
    pid: int

    def proof(self, cookie: str, word: str) -> str:
        """Return the proof of "server" or "client"."""
        lines = (word, self.client_nonce, self.server_nonce, self.address, str(self.pid))
        return hmac.new(cookie.encode(), os.fsencode("\n".join(lines)), "sha256").hexdigest()

    def is_proof(self, given: bytes, cookie: str, word: str) -> bool:
        """Compare a proof with the right one in constant time."""
        return hmac.compare_digest(given, self.proof(cookie, word).encode())


def new_nonce() -> str:
    """Return 64 hex digits that were never used before."""
    return secrets.token_hex(32)


def address_of(address: int | str) -> str:
    """Return the words for an address in a proof: a path as it is, a port as "127.0.0.1:PORT"."""
    return address if isinstance(address, str) else f"127.0.0.1:{address}"


def read_hello(payload: bytes) -> Hello | None:
    """Read a client's first frame; None if it has another shape."""
    match = _HELLO.fullmatch(payload)
    return Hello(int(match[1]), int(match[2]), match[3].decode()) if match else None


def read_proof(payload: bytes) -> Proof | None:
    """Read a client's second frame; None if it has another shape."""
    match = _PROOF.fullmatch(payload)
    return Proof(int(match[1]), match[2]) if match else None


def read_answer(payload: bytes) -> tuple[str, bytes] | None:
    """Read a server's answer to hello: its nonce and its proof; None if it has another shape."""
    match = _ANSWER.fullmatch(payload)
    return (match[1].decode(), match[2]) if match else None
