"""Run CPython's test_asyncio and anyio's tests, plain and with each coroutine as a process, and print what differs.

    .venv/bin/python tests/peers/run.py
    .venv/bin/python tests/peers/run.py --python python3.12 --python python3.13 --only locks,queues

Exit status 1 if a test passes plain, fails as a process, and no law of Midflight is the reason.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from peers.environment import Environment, prepare
from peers.reasons import reason_for
from peers.runs import Compared, Job, compare
from peers.table import details, table

ASYNCIO = "not trio and not uvloop"  # of anyio's back ends
WHOLE_TASK = "CTask_CFuture_Tests and not SubClass"  # the tests of Task itself that can be given another


def jobs(environment: Environment, only: set[str]) -> Iterator[Job]:
    """Yield a job for each file of both suites; `only` are words, one of which must be in its name."""
    name = f"CPython {environment.version}, test_asyncio"
    files = sorted(environment.asyncio_tests.glob("test_*.py")) if environment.asyncio_tests else []
    wanted = [path for path in files if not only or any(word in f"{path.stem}_process" for word in only)]
    for path in wanted:
        yield Job("asyncio", name, environment, path)
    for path in files:
        if path.stem == "test_tasks" and (not only or any(word in f"{path.stem}_whole" for word in only)):
            whole = f"CPython {environment.version}, the tests of Task: a process for each task"
            yield Job("asyncio", whole, environment, path, "task", WHOLE_TASK)
    for path in sorted(environment.anyio_tests.rglob("test_*.py")):
        if not only or any(word in f"anyio_{path.stem}" for word in only):
            yield Job(
                "anyio",
                f"anyio {environment.anyio_version}, its tests",
                environment,
                path,
                only=ASYNCIO,
            )


def main() -> int:
    """Run all; return 1 for a difference that has no reason."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", help="a Python to run with, again for more; this one if none")
    parser.add_argument("--only", default="", help="words, with commas: files with one of them in their name")
    options = parser.parse_args()
    environments = [prepare(python) for python in options.python or [sys.executable]]
    for environment in environments:
        if environment.asyncio_tests is None:
            print(
                f"Python {environment.version} has no package test.test_asyncio, so it is left out. "
                f"On Debian: apt install libpython{environment.version.rpartition('.')[0]}-testsuite"
            )
    only = set(filter(None, options.only.split(",")))
    found: list[Compared] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for compared in pool.map(compare, (job for each in environments for job in jobs(each, only))):
            job = compared.job
            print(
                f"{job.environment.version} {job.suite} {job.kind} {job.path.stem}: "
                f"{len(compared.passed)} run, {len(compared.differing)} differ",
                file=sys.stderr,
                flush=True,
            )
            found.append(compared)
    print(table(found))
    print(details(found))
    return int(any(reason_for(each.job.kind, test) is None for each in found for test in each.differing))


if __name__ == "__main__":
    sys.exit(main())
