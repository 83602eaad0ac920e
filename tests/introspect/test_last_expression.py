"""The expression that is evaluated where point is behind it."""

from __future__ import annotations

import pytest

from midflight.introspect import last_expression


@pytest.mark.parametrize(
    ("before", "expression"),
    [
        ("total", "total"),
        ("x = f(1) + 2", "f(1) + 2"),
        ("    return loop(total + count)", "loop(total + count)"),
        ("if a.b(c) and not d", "a.b(c) and not d"),
        ("f(a, g(b)", "g(b)"),
        ("f(a, b.c", "b.c"),
        ("f(key=value", "value"),
        ("x = a, b", "a, b"),
        ("x = (a, b)", "(a, b)"),
        ("f((a, b)", "(a, b)"),
        ("for each in rows.all()", "rows.all()"),
        ("[x for x in xs", "xs"),
        ("[x for x in xs if x in ys", "x in ys"),
        ("[x for x in xs]", "[x for x in xs]"),
        ("case ('increment', count)", "('increment', count)"),
        ("match await receive()", "await receive()"),
        ("a[1:b", "b"),
        ("f('it is (', x", "x"),
        ("print('a, b'", "'a, b'"),
        ("x = -1", "-1"),
        ("import os.path", "os.path"),
        ("x = f(\n    1,\n    2,\n)\n\n", "f(\n    1,\n    2,\n)"),
        ("pid << ('print',)", "pid << ('print',)"),
        ("x =", None),
        ("", None),
    ],
)
def test_the_longest_expression_at_the_end_is_meant(before: str, expression: str | None) -> None:
    """As far as it does not begin in the midst of what only looks like one."""
    assert last_expression(before) == expression
