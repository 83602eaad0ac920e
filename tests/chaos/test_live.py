"""A round of chaos with a real clock, threads and sockets."""

from __future__ import annotations

import pytest

from chaos.live import play


@pytest.mark.parametrize("seed", ["1", "2"])
def test_no_rule_is_broken_while_threads_and_sockets_take_part(seed):
    """The rules of the still world, while loads run in threads of their own and nobody holds the clock."""
    record = play(seed, rounds=1, steps=300)

    assert record.counts["messages"] > 20
    assert record.counts["good loads"] > 0
