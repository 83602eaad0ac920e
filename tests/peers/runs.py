"""One file of others' tests in interpreters of its own, plain and otherwise, and what its tests gave."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from peers.environment import ROOT, Environment

__all__ = ["Compared", "Job", "compare"]

FILE_SECONDS = 1_800  # a file of tests; then it is ended, and its remaining tests count as missing
TRIES = 3  # for a test that differs, alone: some of these tests race with threads


@dataclass(frozen=True)
class Job:
    """A file of tests to be run plain and otherwise. `kind` is "process" or "task"; `only` is pytest's -k."""

    suite: str
    title: str
    environment: Environment
    path: Path
    kind: str = "process"
    only: str = ""


@dataclass(frozen=True)
class Compared:
    """What a job gave. Tests are named file::class::test; `passed` did so plain, `with_process` are as many of those
    as had a process in the other run.

    `differing` passed plain and not otherwise, with what came. `not_run` were skipped, or failed, without Midflight,
    each with why. `later` failed as a process, and passed when run again, alone.
    """

    job: Job
    passed: tuple[str, ...]
    with_process: int
    differing: dict[str, str]
    not_run: dict[str, str]
    later: tuple[str, ...]


class Outcome(NamedTuple):
    """What a test gave: passed, skipped or failed, the text of it, and how many processes it had."""

    outcome: str
    why: str
    processes: int


MISSING = Outcome("missing", "its file was ended, or ended itself, before it", 0)


def compare(job: Job) -> Compared:
    """Run the tests of `job` plain and otherwise; those that differ again, alone."""
    plain, other = _outcomes(job, "plain"), _outcomes(job, job.kind)
    passed = [test for test, came in plain.items() if came.outcome == "passed"]
    differing = {test: other.get(test, MISSING) for test in passed}
    differing = {test: came for test, came in differing.items() if came.outcome != "passed"}
    later: list[str] = []
    for _ in range(TRIES):
        left = [test for test in differing if test not in later]
        again = _outcomes(job, job.kind, left) if left else {}
        later += [test for test in left if again.get(test, MISSING).outcome == "passed"]
    return Compared(
        job,
        tuple(map(_short, passed)),
        sum(1 for test in passed if other.get(test, MISSING).processes),
        {_short(test): f"{came.outcome}: {came.why}" for test, came in differing.items() if test not in later},
        {_short(test): f"{came.outcome}: {came.why}" for test, came in plain.items() if came.outcome != "passed"},
        tuple(map(_short, later)),
    )


def _short(test: str) -> str:
    """Return the part of a test's name from its file on."""
    return re.sub(r"^(?:[^:]*/)?tests?/(?:test_asyncio/)?", "", test)


def _outcomes(job: Job, kind: str, tests: Sequence[str] = ()) -> dict[str, Outcome]:
    """Run the file, or just `tests` of it; return what each test gave that ended."""
    with tempfile.TemporaryDirectory(prefix="midflight-peers-") as folder:
        out = Path(folder) / "outcomes"
        config = job.environment.anyio_tests.parent / "pyproject.toml" if job.suite == "anyio" else os.devnull
        command = [str(job.environment.python), "-m", "pytest", "-c", str(config), "--rootdir=/", "-q", "--tb=short"]
        command += ["-p", "peers.plugin", "-p", "no:cacheprovider", "-p", "no:midflight", "--assert=plain"]
        command += [f"--peers-as={kind}", f"--peers-out={out}"]
        command += ["-o", "timeout=60"] if job.suite == "anyio" else []
        command += ["-k", job.only] if job.only else []
        command += [f"/{test}" for test in tests] or [str(job.path)]
        try:
            subprocess.run(
                command,
                timeout=FILE_SECONDS,
                env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            pass
        lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    return {test.lstrip("/"): Outcome(**rest) for line in lines for test, rest in [_read(line)]}


def _read(line: str) -> tuple[str, dict[str, object]]:
    found = json.loads(line)
    return found.pop("test"), found
