"""Who is restarted, with whom, and when it is too often: the pure part of supervisors. Statements P35 to P37."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midflight.otp.restart import add_restart, affected, is_restarted

NORMAL = ["normal", "shutdown", ("shutdown", "x")]
ABNORMAL = ["boom", "killed", ValueError("x"), ("shutdown",), ("shutdown", 1, 2), ("boom", "shutdown"), None, 7]


class Strange:
    """A value whose == answers what is no truth value, as an array's does."""

    def __eq__(self, other):
        raise ValueError("ambiguous")

    __hash__ = None


@pytest.mark.parametrize("reason", NORMAL)
def test_normal_ends(reason):
    """P36: permanent children are restarted after them too, the others are not."""
    restarted = [is_restarted(restart, reason) for restart in ("permanent", "transient", "temporary")]

    assert restarted == [True, False, False]


@pytest.mark.parametrize("reason", [*ABNORMAL, Strange(), (Strange(), 1)])
def test_abnormal_ends(reason):
    """P36: all but temporary children are restarted, whatever the reason compares like."""
    restarted = [is_restarted(restart, reason) for restart in ("permanent", "transient", "temporary")]

    assert restarted == [True, True, False]


@pytest.mark.parametrize(
    ("strategy", "ids"),
    [
        ("one_for_one", ["b"]),
        ("simple_one_for_one", ["b"]),
        ("one_for_all", ["a", "b", "c"]),
        ("rest_for_one", ["b", "c"]),
    ],
)
def test_who_goes_along(strategy, ids):
    """P35: in start order."""
    assert affected(strategy, ("a", "b", "c"), "b") == ids


def allowed(gaps, intensity, period):
    """Return what add_restart says of restarts that many seconds after one another, until it says no."""
    now, restarts, answers = 0.0, deque(), []
    for gap in gaps:
        now += gap
        answer = add_restart(restarts, now, intensity, period)
        answers.append(answer)
        if not answer:
            break
    return answers


def test_the_default_is_one_in_five_seconds():
    """P37: the second within 5 s is one too many; one that is 5 s old counts still."""
    assert allowed([0, 5.001, 5.001], 1, 5) == [True, True, True]
    assert allowed([0, 5], 1, 5) == [True, False]


def test_no_restart_at_all():
    """P37: intensity 0."""
    assert allowed([0], 0, 5) == [False]


@given(
    # Eighths, so that sums are exact and times that are just one period apart do occur.
    gaps=st.lists(st.integers(0, 24).map(lambda eighths: eighths / 8), max_size=30),
    intensity=st.integers(0, 4),
    period=st.sampled_from([0.5, 1, 2.5, 5]),
)
def test_intensity_is_a_count_in_a_window(gaps, intensity, period):
    """P37, as a model: a restart is refused if with it more than `intensity` fall in the last `period` seconds."""
    times = [sum(gaps[: index + 1]) for index in range(len(gaps))]
    counts = [sum(now - period <= time <= now for time in times[: index + 1]) for index, now in enumerate(times)]
    expected = [count <= intensity for count in counts]
    if False in expected:
        expected = expected[: expected.index(False) + 1]

    assert allowed(gaps, intensity, period) == expected


@given(st.lists(st.floats(0, 10), max_size=200), st.floats(0.1, 5))
def test_only_what_counts_is_remembered(gaps, period):
    """P37: the memory does not grow with the age of a supervisor."""
    now, restarts = 0.0, deque()
    for gap in gaps:
        now += gap
        add_restart(restarts, now, 1, period)
        assert all(now - period <= time <= now for time in restarts)


class Counted(float):
    """A time that counts how often one is compared."""

    times = 0

    def _compared(self, name, other):
        type(self).times += 1
        return getattr(float, name)(self, other)

    def __lt__(self, other):
        return self._compared("__lt__", other)

    def __ge__(self, other):
        return self._compared("__ge__", other)


def test_many_restarts_in_a_period_cost_no_more_each_than_few():
    """A child that never starts, under a high intensity, is tried again and again, with no pause, as in OTP."""
    restarts = deque()

    for number in range(1000):
        assert add_restart(restarts, Counted(number / 1000), 10_000, 5)

    assert Counted.times <= 1000
