"""The pytest plugin: fixtures `runtime` and `clock`. Time moves by `clock.advance` only; nothing sleeps.

An event loop of its own, whose time is the clock's, runs the processes and whatever asyncio code they use.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from midflight.driver import Runtime
from midflight.kernel import CrashReport, ManualClock, Pid, Sink, describe, routed_output

__all__ = ["PatientSelector", "TestLoop", "TestRuntime", "clock", "runtime"]

WAIT_SECONDS = 5.0  # real ones, for sockets and threads, when all processes wait for a clock that nobody moves


class PatientSelector(selectors.DefaultSelector):
    """A selector that says when the loop has nothing to do but wait, and then does not wait for the test's clock."""

    on_idle: Callable[[], None] | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for sockets. `timeout` is in seconds of the test's clock, so it is only told from 0."""
        if timeout == 0:
            return super().select(0)
        ready = super().select(0)
        if not ready and self.on_idle is not None:
            self.on_idle()
            return ready
        if not ready:
            ready = super().select(WAIT_SECONDS)
            if not ready:
                raise RuntimeError(
                    f"every process waits, nothing came from sockets or threads for {WAIT_SECONDS} s, and the clock "
                    "stands still; nothing more would ever happen. clock.advance(seconds), or send what is waited for"
                )
        return ready


class TestLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is a test's clock."""

    __test__ = False

    def __init__(self, clock: ManualClock) -> None:
        self.patient = PatientSelector()
        self.clock = clock
        super().__init__(self.patient)

    def time(self) -> float:
        """Return the clock's seconds."""
        return self.clock.now()


class TestRuntime:
    """A runtime in a test: `spawn` and `run_until_idle`, or `run` a whole program. `crashes` are reports, in order."""

    __test__ = False

    def __init__(self, clock: ManualClock, **options: Any) -> None:
        self.clock = clock
        self.loop = TestLoop(clock)
        self.crashes: list[CrashReport] = []
        self._runtime = Runtime(**{"watchdog": False, **options})
        self.loop.run_until_complete(self._runtime.__aenter__())
        self.scheduler = self._runtime.scheduler
        self.scheduler.on_crash.append(self.crashes.append)

    def spawn(
        self,
        function: Callable[..., Any],
        *args: Any,
        name: str | None = None,
        group_leader: Sink | None = None,
    ) -> Pid:
        """Start a process; it runs at the next `run_until_idle` or `run`."""
        return self._runtime.spawn(function, *args, name=name, group_leader=group_leader)

    def run_until_idle(self) -> None:
        """Run until every process waits: for a message, for the clock, or for a socket or thread that is not ready."""
        self.loop.patient.on_idle = self.loop.stop
        try:
            with routed_output():  # made for each run: pytest sets its own between a fixture and its test
                self.loop.run_forever()
        finally:
            self.loop.patient.on_idle = None

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run `function(*args)` as a process to its end, end the others, and return its value or raise.

        Raises: what midflight.run would; RuntimeError if all wait and the clock stands still.
        """
        try:
            with routed_output():
                return self.loop.run_until_complete(self._runtime.run(function, *args))
        finally:
            self.shutdown()

    def shutdown(self) -> None:
        """End all processes: "shutdown" first; "kill" for those that still wait then."""
        scheduler = self.scheduler
        self._runtime.begin_shutdown()
        self.run_until_idle()
        if scheduler.processes:
            self._runtime.kill_all()

    def close(self) -> list[str]:
        """End everything and close the loop; return a line for each process that the test left behind."""
        left = [
            f"{info['pid']!r} {info['current_function']}:{info['line']} ({info['status']})"
            for info in (describe(self.scheduler, process) for process in self.scheduler.processes.values())
        ]
        try:
            self.shutdown()
            self.loop.run_until_complete(self._runtime.__aexit__(None, None, None))
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
        finally:
            self.loop.close()
        return left


@pytest.fixture
def clock() -> ManualClock:
    """Return the clock that the processes of `runtime` live by; `clock.advance(seconds)` moves it."""
    return ManualClock()


@pytest.fixture
def runtime(clock: ManualClock) -> Iterator[TestRuntime]:
    """Give a runtime on the test's clock. A process that is still alive after the test fails it."""
    test_runtime = TestRuntime(clock)
    yield test_runtime
    left = test_runtime.close()
    if left:
        pytest.fail("processes left behind; end them or use runtime.run:\n  " + "\n  ".join(left), pytrace=False)
