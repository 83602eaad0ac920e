"""Fixtures: nodes of one interpreter, joined in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.node_worlds import World


@pytest.fixture
def world() -> Iterator[World]:
    """Give a world without nodes; those that the test adds are closed when it ends."""
    made = World()
    yield made
    made.close()
