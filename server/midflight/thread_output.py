"""The output of threads: a thread that a process starts has the group leader of that process.

A new thread has an empty context, so what it prints would go to the log. While `following_threads` is in force,
`threading.Thread.start` hands the group leader on, also to the threads that such a thread starts. Not to those of a
pool: they serve everybody, and `asyncio.to_thread` brings its own context.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from midflight.kernel import Sink, group_leader_var

__all__ = ["following_threads"]

_POOL = "concurrent.futures.thread"
_blocks = 0
_lock = threading.Lock()
_start = threading.Thread.start


@contextmanager
def following_threads() -> Iterator[None]:
    """Let threads follow the group leader of who starts them, while the block runs. Other blocks may run meanwhile."""
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(more: int) -> None:
    global _blocks
    with _lock:
        _blocks += more
        if _blocks == 1 and more == 1 and threading.Thread.start is _start:
            setattr(threading.Thread, "start", _start_following)  # noqa: B010  # by name: a method of another class
        elif _blocks == 0 and threading.Thread.start is _start_following:
            setattr(threading.Thread, "start", _start)  # noqa: B010


def _start_following(thread: threading.Thread) -> None:
    leader = group_leader_var.get()
    if leader is not None and getattr(getattr(thread, "_target", None), "__module__", "") != _POOL:
        _lead(thread, leader)
    _start(thread)


def _lead(thread: threading.Thread, leader: Sink) -> None:
    run = thread.run

    def run_led() -> None:
        group_leader_var.set(leader)
        run()

    thread.run = run_led  # type: ignore[method-assign]
