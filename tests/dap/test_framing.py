"""The frames of the Debug Adapter Protocol, whole and in pieces."""

from __future__ import annotations

import pytest

from midflight.dap import Framer, framed

MESSAGE = {"seq": 1, "type": "request", "command": "initialize", "arguments": {"name": "é"}}


def test_what_is_framed_comes_back() -> None:
    """Text beyond ASCII counts in bytes."""
    assert Framer().feed(framed(MESSAGE)) == [MESSAGE]


def test_it_comes_byte_by_byte_and_two_at_once() -> None:
    """A message is given when its last byte has come."""
    framer, found = Framer(), []
    for byte in framed(MESSAGE):
        found += framer.feed(bytes([byte]))

    assert found == [MESSAGE]
    assert framer.feed(framed(MESSAGE) * 2) == [MESSAGE, MESSAGE]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"x" * 5000,
        b"Content-Length: 2\r\n\r\n[]",
        b"Content-Length: 99999999\r\n\r\n",
        b"Content-Length: 2\r\n\r\n{x",
    ],
)
def test_another_protocol_is_an_error(data: bytes) -> None:
    """No length, too long a header or message, and JSON that is no object."""
    with pytest.raises(ValueError, match=r"Debug Adapter Protocol|Expecting"):
        Framer().feed(data)
