"""The frames of the Debug Adapter Protocol: a header with the length in bytes, then JSON. Pure.

Content-Length: 54\\r\\n\\r\\n{"seq": 1, "type": "request", "command": "initialize"}
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["Framer", "framed"]

LIMIT = 8 * 1024 * 1024  # bytes of a message, as on Midflight's own wire
_HEADER_LIMIT = 4096
_END = b"\r\n\r\n"


def framed(message: dict[str, Any]) -> bytes:
    """Return `message` as it goes over a socket."""
    body = json.dumps(message, ensure_ascii=False).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


class Framer:
    """Takes bytes as they come, and gives the messages that are whole."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Return the messages that `data` completes. Raises: ValueError for anything that is not of the protocol."""
        self._rest += data
        found = []
        while (message := self._next()) is not None:
            found.append(message)
        return found

    def _next(self) -> dict[str, Any] | None:
        header, end, rest = self._rest.partition(_END)
        if not end:
            if len(header) > _HEADER_LIMIT:
                raise ValueError("the other end does not speak the Debug Adapter Protocol")
            return None
        length = _length(header)
        if len(rest) < length:
            return None
        self._rest = rest[length:]
        message = json.loads(rest[:length])
        if not isinstance(message, dict):
            raise ValueError("a message of the Debug Adapter Protocol is a JSON object")
        return message


def _length(header: bytes) -> int:
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit() and int(value) <= LIMIT:
            return int(value)
    raise ValueError("a message of the Debug Adapter Protocol begins with its Content-Length, 8 MiB at most")
