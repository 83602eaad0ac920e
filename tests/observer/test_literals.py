"""Values as expressions: those that make an equal value anew, and None for the others."""

from __future__ import annotations

import math
from collections import deque
from typing import Any, NamedTuple

import pytest

from midflight.observer.literals import literal


class Point(NamedTuple):
    """Looks like a tuple and is more."""

    x: int


@pytest.mark.parametrize(
    "value",
    [
        None, True, 7, -2.5, 3 + 4j, "it's", b"\x00", [], (), {}, set(), {1, 2}, (1,), [[1], {"a": (2, {3})}],
        {(1, 2): None}, 10**400,
    ],
)  # fmt: skip
def test_a_plain_value_has_an_expression(value: object) -> None:
    """Evaluated it is equal, and of the same type."""
    text = literal(value, 4000)

    assert text is not None
    made = eval(text)
    assert made == value
    assert type(made) is type(value)


@pytest.mark.parametrize(
    "value",
    [object(), math.inf, math.nan, [math.nan], Point(1), deque(), range(3), print, complex(math.inf, 0)],
)
def test_another_value_has_none(value: object) -> None:
    """Neither has what holds it."""
    assert literal(value, 4000) is None
    assert literal([value], 4000) is None


def test_what_is_long_has_none() -> None:
    """By its characters, its items or its depth; one that holds itself is too deep."""
    circle: list[Any] = []
    circle.append(circle)

    assert literal("x" * 8, 10) == "'" + "x" * 8 + "'"
    assert [literal(value, 10) for value in ("x" * 9, list(range(5)), "x" * 10**6, circle)] == [None] * 4
    assert literal(10**5000, 4000) is None
    assert literal([0] * 201, 4000) is None
