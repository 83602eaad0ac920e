"""Fixtures of the differential cases, and the two marks that each one's Python side has one of."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from erlang.cases import all_cases
from erlang.t import Expected, T
from helpers.node_worlds import World
from helpers.versions import forget_modules_in
from midflight.kernel import ManualClock
from midflight.testing import TestRuntime


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks; docs/erlang.md is made from them."""
    config.addinivalue_line("markers", "same: the Python side prints what Erlang prints")
    config.addinivalue_line("markers", "differs(why): it does not, on purpose")


@pytest.fixture
def t(runtime: TestRuntime, clock: ManualClock, tmp_path: Path) -> Iterator[T]:
    """Give what the case runs, waits, loads and prints with; the modules that it loaded are gone afterwards."""
    path = sys.path[:]
    yield T(runtime, clock, tmp_path)
    sys.path[:] = path
    forget_modules_in(tmp_path)


@pytest.fixture
def world() -> Iterator[World]:
    """Give a world without nodes, for the cases d*; those that the case adds are closed when it ends."""
    made = World()
    yield made
    made.close()


@pytest.fixture
def expected(request: pytest.FixtureRequest) -> Expected:
    """Return what Erlang prints of the case that the test is named after."""
    name = request.function.__name__.removeprefix("test_")
    (case,) = [case for case in all_cases() if case.name == name]
    return Expected(case)
