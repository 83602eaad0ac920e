"""A shop of durable servers, killed a few times under load."""

from __future__ import annotations

from chaos.durable import play


def test_a_killed_shop_loses_no_acknowledged_change():
    """With "sync" none at all; without, none older than the window. Upgrades in between change the shape of states."""
    record = play("D1", kills=5, tills=40, clerks=5)

    assert record.counts["kill -9"] == 6
    assert record.counts["replies"] > 100
    assert record.counts["upgrades"] > 0
