"""What is accepted as the file of a server: any bytes give a sound value or none."""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from midflight.epc import ServerFile

SOUND = {
    "name": "main",
    "port": 4711,
    "socket": "/run/main.sock",
    "pid": 1,
    "root": "/project",
    "protocol": 1,
    "version": "0.1.0",
    "cookie": "0123456789abcdef" * 4,
}
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def test_what_a_server_writes_is_read() -> None:
    """The text of a file gives the file again; the plain one lacks the secret alone."""
    found = ServerFile(**SOUND)

    assert ServerFile.parse(found.text().encode()) == found
    assert json.loads(found.plain_text()) == {name: value for name, value in SOUND.items() if name != "cookie"}


def test_unknown_values_are_passed_over() -> None:
    """A later version of the file may say more."""
    assert ServerFile.parse(json.dumps(SOUND | {"later": [1]}).encode()) == ServerFile(**SOUND)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_file_or_none(data: bytes) -> None:
    """Nothing is raised, whatever the bytes are."""
    assert ServerFile.parse(data) is None


@given(st.sampled_from(sorted(SOUND)), JSON)
def test_any_value_is_sound_or_the_file_is_none(name: str, value: Any) -> None:
    """Each value has its type: what comes through can be used without another look."""
    found = ServerFile.parse(json.dumps(SOUND | {name: value}).encode())

    if found is not None:
        assert all(type(text) is str for text in (found.name, found.root, found.version, found.cookie))
        assert all(type(number) is int and 0 < number < 2**31 for number in (found.pid,))
        assert type(found.protocol) is int
        assert found.port is None or (type(found.port) is int and 0 < found.port < 65536)
        assert found.socket is None or os.path.isabs(found.socket)
        assert found.address is not None
