"""What makes each coroutine that a test hands to asyncio or anyio a process; children that it starts stay tasks."""

from __future__ import annotations

import asyncio
from asyncio import base_events, runners
from collections.abc import Callable
from functools import wraps
from typing import Any

from peers.hosts import NAME, host_of, leave_loop

__all__ = ["install", "install_in_anyio", "install_in_test_tasks"]


def install() -> None:
    """Have `loop.run_until_complete`, `asyncio.run` and `asyncio.Runner` run their coroutine as a process."""
    loop_class = base_events.BaseEventLoop
    run_until_complete, close, run = loop_class.run_until_complete, loop_class.close, runners.Runner.run

    @wraps(run_until_complete)
    def run_until_complete_in_process(loop: Any, future: Any) -> Any:
        if asyncio.iscoroutine(future) and _can_run(loop):
            future = host_of(loop).spawn(future)
        host = getattr(loop, NAME, None)
        if host is not None and _can_run(loop):
            host.activate()
        return run_until_complete(loop, future)

    @wraps(close)
    def close_after_host(loop: Any) -> None:
        if not loop.is_running():
            leave_loop(loop)
        close(loop)

    @wraps(run)
    def run_in_process(runner: Any, coro: Any, **options: Any) -> Any:
        if asyncio.iscoroutine(coro) and asyncio._get_running_loop() is None:
            loop = runner.get_loop()
            if loop.get_task_factory() in (None, getattr(asyncio, "eager_task_factory", None)):  # not a test's own
                _next_task_as_process(loop)
        return run(runner, coro, **options)

    loop_class.run_until_complete = run_until_complete_in_process  # type: ignore[method-assign]
    loop_class.close = close_after_host  # type: ignore[method-assign]
    runners.Runner.run = run_in_process  # type: ignore[method-assign]


def _can_run(loop: Any) -> bool:
    return not (loop.is_closed() or loop.is_running() or asyncio._get_running_loop() is not None)


def _next_task_as_process(loop: Any) -> None:
    """Let the next `loop.create_task` make a process: Runner and anyio's TestRunner make their main task so."""

    def create(coro: Any, *, name: object = None, context: Any = None, **_: Any) -> Any:
        del loop.create_task
        return host_of(loop).spawn(coro, context, name)

    loop.create_task = create


def install_in_anyio() -> None:
    """Have anyio's pytest plugin run the tests and the fixtures of a test runner in one process."""
    from anyio._backends import _asyncio as backend

    call: Callable[..., Any] = backend.TestRunner._call_in_runner_task

    @wraps(call)
    async def call_in_runner_process(runner: Any, *args: Any, **kwargs: Any) -> Any:
        if not runner._runner_task:
            _next_task_as_process(runner.get_loop())
        return await call(runner, *args, **kwargs)

    backend.TestRunner._call_in_runner_task = call_in_runner_process  # type: ignore[method-assign]


def install_in_test_tasks() -> None:
    """Have CPython's tests of Task itself meet a process wherever they make a C task: children, too."""
    from test.test_asyncio import test_tasks

    def new_task(self: Any, loop: Any, coro: Any, name: object = "TestTask", context: Any = None, **kwargs: Any) -> Any:
        if not asyncio.iscoroutine(coro):
            raise TypeError(f"a coroutine was expected, got {coro!r}")
        host = host_of(loop)
        host.activate()
        return host.spawn(coro, context, name)

    test_tasks.CTask_CFuture_Tests.new_task = new_task
