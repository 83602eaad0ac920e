"""The pytest plugin of one run of others' tests: plain or as processes, each test with a deadline, outcomes to a file.

One line a test: {"test": "test_locks.py::LockTests::test_acquire", "outcome": "passed", "why": "", "processes": 1}
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Generator
from typing import Any

import pytest

from midflight.code import lowlevel
from peers import as_process
from peers.hosts import Host

SECONDS = int(os.environ.get("PEERS_SECONDS", "60"))  # then a test hangs
AGAIN = 5  # seconds later it is told so once more, if it went on
RANKS = ("passed", "skipped", "failed")


class Hung(KeyboardInterrupt):
    """A test has not ended in time. An event loop lets no other exception through."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what run.py says to this run."""
    parser.addoption("--peers-out", required=True, help="the file for the outcomes")
    parser.addoption("--peers-as", choices=("plain", "process", "task"), default="plain")


def pytest_configure(config: pytest.Config) -> None:
    """Make coroutines processes, if this is that run."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what is in its background without
    config.pluginmanager.register(Outcomes(config.getoption("--peers-out")), "peers-outcomes")
    kind = config.getoption("--peers-as")
    if kind != "plain":
        # As a program does that makes its runtime before its event loop: the first one reads the files of the program's
        # own modules, and anyio's tests let nobody read a file while a loop runs.
        lowlevel.watch_imports()
    if kind == "process":
        as_process.install()
        if config.pluginmanager.hasplugin("anyio"):
            as_process.install_in_anyio()
    elif kind == "task":
        as_process.install()
        as_process.install_in_test_tasks()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Have a test that does not end raise Hung where it is."""
    if item.config.pluginmanager.hasplugin("timeout"):  # anyio's tests have their own deadline
        return (yield)

    def ring(*_: object) -> None:
        raise Hung(f"{item.nodeid} has not ended in {SECONDS} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, SECONDS, AGAIN)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Count an interrupt that a test does not catch as its failure; pytest would end the run."""
    try:
        return (yield)
    except KeyboardInterrupt as error:
        raise RuntimeError(f"{item.nodeid} raised {error!r}") from error


class Outcomes:
    """Writes each test's outcome: the worst of its set-up, its call and its clean-up."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._found: dict[str, tuple[str, str]] = {}
        self._spawned = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in one phase."""
        before = self._found.get(report.nodeid, ("passed", ""))
        if RANKS.index(report.outcome) >= RANKS.index(before[0]):
            self._found[report.nodeid] = (report.outcome, str(report.longrepr)[-4000:] if report.longrepr else "")

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Write the test's line."""
        outcome, why = self._found.pop(nodeid, ("failed", "no report"))
        with open(self._path, "a", encoding="utf-8") as out:
            processes = Host.spawned - self._spawned
            out.write(json.dumps({"test": nodeid, "outcome": outcome, "why": why, "processes": processes}) + "\n")
        self._spawned = Host.spawned
