"""Frames: what one session sends, numbered and signed. No socket, no time.

    F  session(8)  number(8)  mac(16)  { length(4) operation }...

Law: nothing of a frame is read before its signature is right, and none is taken out of turn.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Iterator, Sequence

from midflight.cluster.handshake import SessionKeys

__all__ = ["MOST_OPERATION_BYTES", "FrameReader", "FrameWriter", "session_of"]

MOST_OPERATION_BYTES = 64 * 1024 * 1024
"""The largest message, pickled."""

PREFIX = b"F"
_HEAD = struct.Struct(">c8sQ16s")
_LENGTH = struct.Struct(">I")


class FrameWriter:
    """Makes the frames of one session, in one direction."""

    def __init__(self, keys: SessionKeys) -> None:
        self._keys = keys
        self._number = 0

    def frame(self, operations: Sequence[bytes]) -> bytes:
        """Return the next frame, with these operations in it."""
        body = b"".join(part for each in operations for part in (_LENGTH.pack(len(each)), each))
        number, self._number = self._number, self._number + 1
        mac = _mac(self._keys.sending, number, body)
        return _HEAD.pack(PREFIX, self._keys.id, number, mac) + body


class FrameReader:
    """Reads the frames of one session, in one direction."""

    def __init__(self, keys: SessionKeys) -> None:
        self._keys = keys
        self._number = 0

    def read(self, frame: bytes) -> list[bytes] | None:
        """Return the operations of a frame; None for one that is not signed by this session.

        Raises: EOFError if a frame before it is missing: the session is to end.
        """
        if len(frame) < _HEAD.size:
            return None
        prefix, session, number, mac = _HEAD.unpack_from(frame)
        body = frame[_HEAD.size :]
        if (
            prefix != PREFIX
            or session != self._keys.id
            or not hmac.compare_digest(mac, _mac(self._keys.receiving, number, body))
        ):
            return None
        if number != self._number:
            raise EOFError(f"frame {self._number} is missing, {number} came")
        self._number += 1
        return list(_split(body))


def session_of(frame: bytes) -> bytes | None:
    """Return the id of the session that a frame says it is of; None for what is not a frame."""
    if len(frame) < _HEAD.size or frame[:1] != PREFIX:
        return None
    return frame[1:9]


def _split(body: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(body):
        (length,) = _LENGTH.unpack_from(body, at)
        at += _LENGTH.size
        yield body[at : at + length]
        at += length


def _mac(key: bytes, number: int, body: bytes) -> bytes:
    return hashlib.blake2b(number.to_bytes(8, "big") + body, key=key, digest_size=16).digest()
