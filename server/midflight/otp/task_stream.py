"""A task for each of many items, some at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from midflight.errors import TaskTimeout
from midflight.kernel import Client, Exit, Ref, check_timeout, current_process, current_scheduler, exit, receive
from midflight.otp.task_process import Outcome, begin, outcome_of

__all__ = ["stream"]


def stream(
    items: Iterable[Any],
    function: Callable[[Any], Any],
    *,
    max_concurrency: int = 8,
    ordered: bool = True,
    timeout: float | None = 5,
    on_timeout: str = "exit",
    linked: bool = True,
) -> AsyncIterator[Outcome]:
    """Run `function(item)` for each item in a task of its own, at most `max_concurrency` at once.

    `async for` over it gives ("ok", value) or ("exit", reason), in the order of `items`, or if not `ordered` as
    they end. `items` is read only as far as tasks are started. `timeout` is each task's, from its own start: then
    "exit" ends the stream by TaskTimeout, and "kill_task" kills the task and gives ("exit", "timeout"). A `linked`
    task that fails ends the owner, unless that traps exits. Leaving the loop kills those that run.
    Raises: ValueError for bad options, at once. OTP: Elixir's Task.async_stream; it runs one a core by default.
    """
    if not isinstance(max_concurrency, int) or max_concurrency < 1:
        raise ValueError(f"max_concurrency must be a whole number >= 1, not {max_concurrency!r}; nothing was started")
    if on_timeout not in ("exit", "kill_task"):
        raise ValueError(f'on_timeout must be "exit" or "kill_task", not {on_timeout!r}; nothing was started')
    return _stream(items, Crew(function, check_timeout(timeout), on_timeout, linked), max_concurrency, ordered)


async def _stream(items: Iterable[Any], crew: Crew, max_concurrency: int, ordered: bool) -> AsyncIterator[Outcome]:
    source = enumerate(items)
    done: dict[int, Outcome] = {}
    given = 0
    more = True
    try:
        while True:
            while more and len(crew.running) < max_concurrency:
                for index, item in source:
                    crew.add(index, item)
                    break
                else:
                    more = False
            while done and (given in done or not ordered):
                yield done.pop(given if ordered else next(iter(done)))
                given += 1
            if crew.running:
                index, outcome = await crew.next_done()
                done[index] = outcome
            elif not more:
                return
    finally:
        crew.kill()


class Crew:
    """The tasks of a stream that run now."""

    def __init__(self, function: Callable[[Any], Any], timeout: float | None, on_timeout: str, is_linked: bool) -> None:
        self.function = function
        self.timeout = timeout
        self.on_timeout = on_timeout
        self.is_linked = is_linked
        self.running: dict[Ref, tuple[int, float | None]] = {}  # its index and its deadline, oldest first

    def add(self, index: int, item: Any) -> None:
        """Start a task."""
        deadline = None if self.timeout is None else current_scheduler().clock.now() + self.timeout
        self.running[begin(self.function, (item,), self.is_linked)] = index, deadline

    async def next_done(self) -> tuple[int, Outcome]:
        """Wait until a task is done or out of time; return its index and its outcome. Raises: TaskTimeout."""
        oldest = next(iter(self.running))
        _, deadline = self.running[oldest]
        seconds = None if deadline is None else max(0.0, deadline - current_scheduler().clock.now())
        patterns = [pattern for client in self.running for pattern in ((client, ...), (client, ..., ...))]
        message = await receive(*patterns, timeout=seconds, default=None)
        client: Any = oldest if message is None else message[0]
        index, _ = self.running.pop(client)
        if message is not None:
            await _forget_exit(client)
            return index, outcome_of(message)
        _kill(client)
        if self.on_timeout == "exit":
            assert self.timeout is not None
            raise TaskTimeout(client.target, self.timeout)
        return index, ("exit", "timeout")

    def kill(self) -> None:
        """End the tasks that run. Wherever this is called: Python may close a generator outside its process."""
        for client in self.running:
            assert isinstance(client, Client)
            _kill(client)


def _kill(client: Client) -> None:
    client.unlink()  # first, else the owner would be killed with it
    client.abandon()
    exit(client.target, "kill")


async def _forget_exit(client: Client) -> None:
    """Take the Exit of a linked task that has ended out of the mailbox of an owner that traps exits."""
    if current_process("a stream").trap_exit:
        await receive(Exit(client.target, ...), timeout=0, default=None)
