"""Threads on demand: as many as jobs that run, none for what is over, and none that starves another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from helpers.epc_peer import DEADLINE_SECONDS
from midflight.epc.workers import Workers


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Workers that stay idle until the test ends."""
    workers = Workers("test-worker", idle_seconds=60.0)
    yield workers
    workers.stop()
    for thread in threading.enumerate():
        if thread.name == "test-worker":
            thread.join(DEADLINE_SECONDS)
            assert not thread.is_alive()


def test_jobs_that_never_end_starve_nobody(workers: Workers) -> None:
    """Behind a hundred that wait, the next one runs at once."""
    gate, began, ran = threading.Event(), threading.Semaphore(0), threading.Event()

    def block() -> None:
        began.release()
        assert gate.wait(DEADLINE_SECONDS)

    for _ in range(100):
        workers.run(block)
    for _ in range(100):
        assert began.acquire(timeout=DEADLINE_SECONDS)

    workers.run(ran.set)

    assert ran.wait(DEADLINE_SECONDS)
    gate.set()


def test_one_thread_runs_what_comes_one_after_another(workers: Workers) -> None:
    """A thread that is idle takes the next job."""
    threads = set()
    for _ in range(50):
        done = threading.Event()

        def job(done: threading.Event = done) -> None:
            threads.add(threading.get_ident())
            done.set()

        workers.run(job)
        assert done.wait(DEADLINE_SECONDS)
        with workers._changed:
            while not workers._idle_count:
                workers._changed.release()
                workers._changed.acquire()

    assert len(threads) == 1


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(3), KeyboardInterrupt()])
def test_job_that_raises_leaves_its_thread(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """The next job runs when it has ended, and the log has the traceback."""
    workers = Workers("test-failing", at_once=1, patience_seconds=60.0, idle_seconds=0.0)
    ran = threading.Event()

    def fail() -> None:
        raise error

    workers.run(fail)
    workers.run(ran.set)

    assert ran.wait(DEADLINE_SECONDS)
    assert [repr(error).partition("(")[0] in record.getMessage() for record in caplog.records] == [True]


def test_idle_threads_end() -> None:
    """What is idle for its time is gone, and a job after that gets another."""
    workers = Workers("test-idle", idle_seconds=0.0)
    threads: list[threading.Thread] = []
    for _ in range(2):
        ran = threading.Event()

        def job(ran: threading.Event = ran) -> None:
            threads.append(threading.current_thread())
            ran.set()

        workers.run(job)
        assert ran.wait(DEADLINE_SECONDS)
        threads[-1].join(DEADLINE_SECONDS)
        assert not threads[-1].is_alive()

    assert len(set(threads)) == 2


def test_few_jobs_begin_at_once() -> None:
    """The others begin when one has ended: computing all at once would take longer for each of them."""
    workers = Workers("test-few", at_once=2, patience_seconds=60.0, idle_seconds=0.0)
    gate, began = threading.Event(), threading.Semaphore(0)
    order: list[int] = []

    def job(number: int) -> None:
        order.append(number)
        began.release()
        assert gate.wait(DEADLINE_SECONDS)

    for number in range(6):
        workers.run(partial(job, number))
    for _ in range(2):
        assert began.acquire(timeout=DEADLINE_SECONDS)
    assert not began.acquire(timeout=0.05)
    assert workers.is_behind

    gate.set()

    for _ in range(4):
        assert began.acquire(timeout=DEADLINE_SECONDS)
    assert sorted(order[:2]) == [0, 1]
    assert sorted(order) == [0, 1, 2, 3, 4, 5]
