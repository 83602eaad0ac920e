"""The first frame, as bytes."""

from __future__ import annotations

import re

import pytest

from midflight.epc.cookie import Claim, new_cookie, read_claim

COOKIE = "0123456789abcdef" * 4


def test_cookies_are_64_hex_digits_and_differ() -> None:
    """A cookie has 256 bits, and no two are the same."""
    first, second = new_cookie(), new_cookie()

    assert re.fullmatch("[0-9a-f]{64}", first)
    assert first != second


@pytest.mark.parametrize("end", ["", "\n"])
def test_right_cookie_is_valid(end: str) -> None:
    """With or without the newline, and with the number to answer."""
    payload = f'(call 12 authenticate ("{COOKIE}")){end}'.encode()

    assert read_claim(payload, COOKIE) == Claim(12, True)


@pytest.mark.parametrize("cookie", ["", COOKIE[:-1], COOKIE + "0", COOKIE.upper(), "f" * 64, "é"])
def test_wrong_cookie_is_not_valid(cookie: str) -> None:
    """A frame of the right shape with another cookie can be answered, by its number."""
    assert read_claim(f'(call 1 authenticate ("{cookie}"))'.encode(), COOKIE) == Claim(1, False)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"(call 1 ping nil)\n",
        b"(call 1 authenticate nil)",
        f"(call 1 authenticate ({COOKIE}))".encode(),
        f'(call -1 authenticate ("{COOKIE}"))'.encode(),
        f'(call (1) authenticate ("{COOKIE}"))'.encode(),
        f'(call 1 authenticate ("{COOKIE}") more)'.encode(),
        f'(call 1 authenticate ("{COOKIE}"))\n\n'.encode(),
        f' (call 1 authenticate ("{COOKIE}"))'.encode(),
        f'(call 1 authenticate ("{COOKIE}" "more"))'.encode(),
        f'(call 1 authenticate ("\\{COOKIE}"))'.encode(),
    ],
)
def test_other_shapes_are_no_claim(payload: bytes) -> None:
    """Only the one shape counts; whatever else is not even looked into."""
    assert read_claim(payload, COOKIE) is None
