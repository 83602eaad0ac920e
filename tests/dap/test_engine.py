"""Who connects in debugpy's place is not taken for it."""

from __future__ import annotations

import json
import socket
from types import SimpleNamespace
from typing import Any

import pytest

from midflight.dap.engine import Engine
from midflight.errors import RequestError


def test_who_has_not_the_secret_is_not_debugpy() -> None:
    """It came to the port first and answers what debugpy would; the session is refused and nothing is debugged."""
    opened: list[socket.socket] = []

    def connect(address: Any, access_token: str) -> None:
        pretender = socket.create_connection(address)
        opened.append(pretender)
        answer = {"type": "response", "command": "pydevdAuthorize", "body": {"clientAccessToken": access_token[::-1]}}
        body = json.dumps(answer).encode()
        pretender.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    with pytest.raises(RequestError, match="took debugpy's place"):
        Engine(SimpleNamespace(configure=lambda **_: None, connect=connect))
    for each in opened:
        each.close()
