"""A round of chaos with a real server and editors that come and go."""

from __future__ import annotations

from chaos.served import play


def test_no_rule_is_broken_while_editors_come_and_go():
    """Every request is answered, every load gives what its text deserves, and chaos inside finds nothing."""
    record = play("1", rounds=1, steps=80)

    assert record.figures["requests"] > 10
    assert record.figures["inside: messages"] > 20
    assert record.figures["inside: leaks"] == 0
