"""A task for each of many items, some at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from midflight.errors import TaskTimeout
from midflight.kernel import Client, Ref, arguments, current_scheduler, exit, receive
from midflight.otp.task_process import Outcome, begin, outcome_of
from midflight.text import short

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
    An outcome that is due is given before the next task is started, so who leaves the loop has started no more than
    were asked for.
    Raises: ValueError for bad options, TypeError for `items` that are not iterable or a `function` that cannot be
    called, at once. OTP: Elixir's Task.async_stream; it runs one a core by default.
    """
    if type(max_concurrency) is not int or max_concurrency < 1:
        raise ValueError(
            f"max_concurrency must be a whole number >= 1, not {short(max_concurrency)}; nothing was started"
        )
    if on_timeout not in ("exit", "kill_task"):
        raise ValueError(f'on_timeout must be "exit" or "kill_task", not {short(on_timeout)}; nothing was started')
    arguments.callable_("a stream of tasks", function)
    crew = Crew(function, arguments.timeout("stream: timeout", timeout, "nothing was started"), on_timeout, linked)
    return _stream(arguments.items("stream: items", items, "nothing was started"), crew, max_concurrency, ordered)


async def _stream(items: Iterator[Any], crew: Crew, max_concurrency: int, ordered: bool) -> AsyncIterator[Outcome]:
    source = enumerate(items)
    done: dict[int, Outcome] = {}
    given = 0
    more = True
    try:
        while True:
            while done and (given in done or not ordered):
                yield done.pop(given if ordered else next(iter(done)))
                given += 1
            while more and len(crew.running) < max_concurrency:
                for index, item in source:
                    crew.add(index, item)
                    break
                else:
                    more = False
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
            client.forget_exit()
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
    client.forget_exit()
    exit(client.target, "kill")
