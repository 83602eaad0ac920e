"""A real runtime on a thread of its own, and a shell in it that the test asks from outside, as an editor does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from helpers.shells import RunningRuntime, Shell

__all__ = ["copying", "make_shell", "running", "shell"]


@pytest.fixture
def running() -> Iterator[RunningRuntime]:
    """A running runtime."""
    running = RunningRuntime()
    yield running
    running.stop()


@pytest.fixture
def copying() -> Iterator[RunningRuntime]:
    """A running runtime that copies messages, as Erlang does."""
    running = RunningRuntime(copy_messages=True)
    yield running
    running.stop()


@pytest.fixture
def shell(running: RunningRuntime) -> Iterator[Shell]:
    """A shell that has not been asked anything."""
    shell = Shell(running)
    yield shell
    shell.session.close()


@pytest.fixture
def make_shell(running: RunningRuntime) -> Iterator[Callable[..., Shell]]:
    """A function that opens shells with other options; all are closed at the end."""
    shells: list[Shell] = []

    def make(**options: Any) -> Shell:
        shells.append(Shell(running, **options))
        return shells[-1]

    yield make
    for shell in shells:
        shell.session.close()
