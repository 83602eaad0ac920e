"""How Python tells of calls: once for each that begins and ends, however often a coroutine waits in between."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from types import FrameType

import pytest

from midflight.observer.call_hooks import hooks_of

WATCHED = ("plain", "later", "yields", "fails", "fails_later", "Till.price")


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, object]] = []

    def is_of(self, frame: FrameType) -> bool:
        return frame.f_globals is globals() and frame.f_code.co_qualname in WATCHED

    def called(self, frame: FrameType) -> None:
        self.events.append(("called", frame.f_code.co_qualname, dict(frame.f_locals)))

    def returned(self, frame: FrameType, value: object) -> None:
        self.events.append(("returned", frame.f_code.co_qualname, value))

    def raised(self, frame: FrameType, error: BaseException | None) -> None:
        # Python 3.11 does not say what was raised.
        assert (error is None) == (sys.version_info < (3, 12))
        self.events.append(("raised", frame.f_code.co_qualname, None))


def plain(a: int, b: int = 2) -> int:
    return a + b


async def later(a: int) -> int:
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return a * 2


def yields() -> Iterator[int]:
    yield 1
    yield 2


def fails() -> None:
    plain(1)
    raise ValueError("no")


async def fails_later() -> None:
    await asyncio.sleep(0)
    raise ValueError("no")


class Till:
    def price(self, count: int) -> int:
        return plain(count)


@pytest.fixture
def heard() -> Iterator[Heard]:
    """What was told while the test ran."""
    heard = Heard()
    hooks = hooks_of(heard)
    hooks.enter()
    yield heard
    hooks.leave()


def told(heard: Heard) -> list[tuple[str, str]]:
    """Return kinds and names."""
    return [(kind, name) for kind, name, _ in heard.events]


def test_a_call_has_its_arguments_and_its_value(heard: Heard) -> None:
    """Of a method, too, and of the calls that it makes."""
    till = Till()
    till.price(3)

    assert heard.events == [
        ("called", "Till.price", {"self": till, "count": 3}),
        ("called", "plain", {"a": 3, "b": 2}),
        ("returned", "plain", 5),
        ("returned", "Till.price", 5),
    ]


def test_a_coroutine_is_called_when_its_body_begins(heard: Heard) -> None:
    """To make it is not to call it; and while it waits it has not ended."""
    made = later(4)
    before = list(heard.events)
    asyncio.run(made)

    assert before == []
    assert heard.events == [("called", "later", {"a": 4}), ("returned", "later", 8)]


def test_a_generator_ends_once(heard: Heard) -> None:
    """What it yields is not returned."""
    assert list(yields()) == [1, 2]

    assert heard.events == [("called", "yields", {}), ("returned", "yields", None)]


def test_what_raises_is_told_as_that(heard: Heard) -> None:
    """Both kinds of functions."""
    with pytest.raises(ValueError, match="no"):
        fails()
    with pytest.raises(ValueError, match="no"):
        asyncio.run(fails_later())

    wanted = [("called", "fails"), ("called", "plain"), ("returned", "plain"), ("raised", "fails")]
    assert told(heard) == [*wanted, ("called", "fails_later"), ("raised", "fails_later")]


def test_nothing_is_told_after_the_end(heard: Heard) -> None:
    """And a second end does nothing."""
    hooks = hooks_of(heard)
    with pytest.raises(RuntimeError):
        hooks.enter()  # the place is taken
    hooks.leave()
    plain(1)

    assert told(heard) == [("called", "plain"), ("returned", "plain")]


def test_a_function_that_one_trace_disabled_is_told_to_the_next() -> None:
    """sys.monitoring forgets a place that nobody wanted; a later trace may want it."""
    deaf, heard = Heard(), Heard()
    deaf.is_of = lambda frame: False  # type: ignore[method-assign]
    for listener in (deaf, heard):
        hooks = hooks_of(listener)
        hooks.enter()
        plain(1)
        hooks.leave()
    plain(1)

    assert (deaf.events, told(heard)) == ([], [("called", "plain"), ("returned", "plain")])
