"""A shop of durable servers, killed a few times under load."""

from __future__ import annotations

import pytest

from chaos.durable import play
from chaos.full_disk import Mounted


def test_a_killed_shop_loses_no_acknowledged_change():
    """With "sync" none at all; without, none older than the window. Upgrades in between change the shape of states."""
    record = play("D1", kills=5, tills=40, clerks=5)

    assert record.counts["kill -9"] == 6
    assert record.counts["replies"] > 100
    assert record.counts["upgrades"] > 0


@pytest.mark.parametrize("is_mounted", [True, False], ids=["file system", "limit"])
def test_a_shop_whose_disk_is_full_loses_no_acknowledged_change(monkeypatch, is_mounted):
    """It runs on, says so, catches up, and its store is taken after each kill."""
    if not is_mounted:
        monkeypatch.setattr(Mounted, "__init__", lambda self, folder: vars(self).update(folder=folder, is_real=False))
    record = play("F2", kills=1, tills=20, clerks=5, disk="full")

    assert record.counts["kill -9"] == 2
    assert record.counts["times full"] > 0
    assert record.counts["errors as the reply"] > 0
