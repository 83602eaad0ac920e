"""What a process function returns: a coroutine that the process goes on as, or a value that ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import coroutine

import pytest

import midflight
from midflight import GenServer, Pid, Supervisor, Task, call, monitor, receive, self_, sleep, spawn, stop


class Counter(GenServer):
    def init(self, total):
        self.total = total

    def handle_call(self, request, client):
        return self.total


class Compiled(Coroutine):
    """A coroutine of a class of its own, as those of compiled modules are."""

    def __init__(self, coro):
        self.coro = coro

    def __await__(self):
        return self.coro.__await__()

    def send(self, value):
        return self.coro.send(value)

    def throw(self, *error):
        return self.coro.throw(*error)

    def close(self):
        self.coro.close()


async def forty_two():
    await sleep(0)
    return 42


@coroutine
def by_generator():
    return (yield from forty_two().__await__())


@pytest.mark.parametrize(
    "function",
    [forty_two, lambda: forty_two(), by_generator, lambda: Compiled(forty_two())],
    ids=["async def", "returned", "types.coroutine", "class"],
)
def test_every_kind_of_coroutine_is_gone_on_with(runtime, function):
    """Whether the function makes it or returns it."""

    async def returns_it():
        return function()

    assert runtime.run(function) == 42
    assert runtime.run(returns_it) == 42


def test_a_process_that_is_a_receive_waits_for_a_message(runtime):
    """`receive` and `sleep` are coroutine functions like others."""

    async def main():
        ref = monitor(spawn(receive, "wanted"))
        sleeper = spawn(sleep, 5)
        await sleep(0)
        assert sleeper.process is not None
        return await receive((ref, ..., ...), timeout=0, default="it waits")

    assert runtime.run(main) == "it waits"


def test_what_start_returns_starts_the_server(runtime):
    """In a task, and as a process function."""

    async def main():
        pid = await Task.start(Counter.start, 7).result()
        assert await call(pid, "total") == 7
        await stop(pid)
        spawn(Counter.start_link, 8)
        spawn(Supervisor.start_link)

    runtime.run(main)


def test_run_of_start_gives_the_pid():
    """And not something that nobody has started."""
    assert isinstance(midflight.run(Counter.start, 1), Pid)


@pytest.mark.parametrize("kind", ["future", "task", "awaitable", "generator"])
def test_other_values_end_the_process(runtime, kind):
    """Law 1: a future is a value that a program may want; what can only be awaited is not a coroutine."""

    class Awaitable:
        def __await__(self):
            yield

    def generator():
        yield 1

    async def main():
        match kind:
            case "future":
                return asyncio.get_running_loop().create_future()
            case "task":
                return asyncio.create_task(asyncio.sleep(0))
            case "awaitable":
                return Awaitable()
            case "generator":
                return generator()

    assert not isinstance(runtime.run(main), (int, type(None)))


def test_a_crash_in_what_was_returned_is_the_processes_own(runtime):
    """Its reason is what it raised."""

    @coroutine
    def fails():
        yield from sleep(0)
        raise ValueError("in the generator")

    async def main():
        ref = monitor(spawn(fails))
        return (await receive((ref, ..., ...))).reason

    assert isinstance(runtime.run(main), ValueError)


def test_a_callback_may_return_what_start_returns(runtime):
    """`init` goes on with it, too, and says what it may return."""

    class Starts(GenServer):
        def init(self):
            self.me = self_()
            return sleep(0)

    async def main():
        return await Starts.start()

    assert isinstance(runtime.run(main), Pid)
