"""The secret that lets a connection in, and the frame by which EPC clients other than ours send it in the clear.

Our own clients never say it; see handshake.py. Law: nothing of what a connection sends is parsed before it has been
compared, as bytes and in constant time. One real first frame, and its answer:

    00005e(call 1 authenticate ("5f0c...64 hex digits...9a"))
    00006b(return 1 (:protocol 1 :version "0.1.0" :python "3.11.7" :root "/project" :pid 4711))
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass

__all__ = ["Claim", "new_cookie", "read_claim"]

_FIRST_FRAME = re.compile(rb'\(call ([0-9]{1,18}) authenticate \("([^"\\]{0,200})"\)\)\n?')


@dataclass(frozen=True, slots=True)
class Claim:
    """A first frame of the right shape: the number that its answer echoes, and whether the cookie fits."""

    uid: int
    is_valid: bool


def new_cookie() -> str:
    """Return 64 hex digits that nobody can guess."""
    return secrets.token_hex(32)


def read_claim(payload: bytes, cookie: str) -> Claim | None:
    """Compare the cookie in a first frame with `cookie`; None if the frame has another shape."""
    match = _FIRST_FRAME.fullmatch(payload)
    if match is None:
        return None
    return Claim(int(match[1]), hmac.compare_digest(match[2], cookie.encode()))
