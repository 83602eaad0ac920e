"""A few servers that are ended at random moments."""

from __future__ import annotations

from chaos.kills import play


def test_what_is_killed_or_told_to_end_leaves_nothing_behind():
    """kill -9 and SIGTERM: clients hear of it, no process or file stays, the next server starts at once."""
    record = play("K3", kills=2)

    assert record.counts["SIGKILL"] == 1
    assert record.counts["SIGTERM"] == 1
