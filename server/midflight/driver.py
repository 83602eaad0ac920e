"""The loop that really waits: runs a scheduler inside an asyncio event loop.

The life of a turn: something becomes runnable or due -> `_turn` in a callback of the loop -> `Scheduler.step` ->
the next turn at once, at a deadline, or when woken. The event loop serves its sockets and timers between turns.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from midflight import cluster, durable
from midflight.all_tasks import processes_in_all_tasks
from midflight.breakpoints import routed_breakpoints
from midflight.code.lowlevel import watch_imports
from midflight.current_task import current_tasks
from midflight.errors import ProcessExit
from midflight.event_loop import passing_ctrl_c, run_main
from midflight.kernel import Clock, Down, Pid, Process, Scheduler, Sink, current_scheduler, receive, routed_output
from midflight.kernel import ends as _ends
from midflight.kernel.running import enter, forget_schedulers, leave
from midflight.kernel.scheduler import OUTSIDE
from midflight.kernel.signals import is_normal
from midflight.line_input import routed_input
from midflight.loop_clock import LoopClock
from midflight.outside import is_from_outside
from midflight.thread_output import following_threads
from midflight.watchdog import Watchdog

__all__ = ["Runtime", "forget_runtimes", "on_start", "rarer_collections", "run", "run_process"]

Result = TypeVar("Result")

SHUTDOWN_SECONDS = 5.0
COLLECT_AFTER = 50_000  # new container objects


on_start: list[Callable[[Runtime], object]] = []  # called with each runtime that has started, in its thread

_runtimes: dict[Scheduler, Runtime] = {}  # those that run


class Runtime:
    """A runtime inside the running event loop: `async with Runtime() as runtime`.

    On leaving the block all processes get the exit signal "shutdown", and after `shutdown_seconds` "kill".
    `copy_messages` gives each receiver a deep copy of a message, as Erlang does; by default it is shared.
    `watchdog` has a thread look for processes that do not yield: it reports them, and ends those that are killed.
    `store` is the file that keeps the states of durable servers and the texts that ran; None for no such servers.
    With `code="last"` modules begin with the text that ran last, by default, "disk", with their file.
    `node` is the name of this runtime among others of a cluster, None for none of it; `join` are endpoints of others,
    such as "tcp/127.0.0.1:7447", one of which is enough, `listen` where this one can be joined (any free port). Nodes
    reach each other only if they have one `cookie`; None is the user's. See `midflight.cluster`.

    Example:

        async def main():
            async with Runtime() as runtime:
                return await runtime.run(lambda: "in a process")

        asyncio.run(main())  # -> 'in a process'
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        copy_messages: bool = False,
        shutdown_seconds: float = SHUTDOWN_SECONDS,
        watchdog: bool = True,
        store: str | os.PathLike[str] | None = None,
        node: str | None = None,
        join: str | Iterable[str] = (),
        listen: str | Iterable[str] = (),
        cookie: str | bytes | None = None,
        code: str = "disk",
    ) -> None:
        self._store, self._code, self._clock = store, code, clock
        self._node, self._endpoints, self._cookie = node, (listen, join), cookie
        self._copy_messages = copy_messages
        self._shutdown_seconds = shutdown_seconds
        self._has_watchdog = watchdog
        self.watchdog: Watchdog | None = None
        self._exit_stack = ExitStack()
        self._timer: asyncio.TimerHandle | None = None
        self._is_turn_posted = False

    async def __aenter__(self) -> Runtime:
        self.start()
        return self

    def start(self) -> None:
        """Start in the loop that runs in this thread; `async with` does it, and the end, too.

        Raises: RuntimeError if no loop runs here, or if this thread has a runtime; StoreError; ClusterError; LoadError,
        of `code`.
        """
        watch_imports()
        self.loop = loop = asyncio.get_running_loop()
        self.scheduler = Scheduler(
            self._clock or LoopClock(loop),
            loop=loop,
            tasks=current_tasks(),
            copy_messages=self._copy_messages,
        )
        context = self.scheduler.context
        self.scheduler.on_wake = lambda: loop.call_soon(self._turn, context=context)
        self.scheduler.on_wake_threadsafe = self._wake_threadsafe
        enter(self.scheduler)
        self._exit_stack.callback(leave, self.scheduler)
        with ExitStack() as undo:
            undo.callback(self._exit_stack.close)
            if self._store is not None:
                self.open_store(self._store, self._code)
            if self._node is not None:
                self.open_node(self._node, *self._endpoints, cookie=self._cookie)
            undo.pop_all()
        self._exit_stack.enter_context(processes_in_all_tasks())
        self._exit_stack.enter_context(routed_output())
        self._exit_stack.enter_context(routed_input())
        self._exit_stack.enter_context(routed_breakpoints())
        self._exit_stack.enter_context(following_threads())
        self._exit_stack.enter_context(passing_ctrl_c())
        if self._has_watchdog:
            self.watchdog = Watchdog(self.scheduler)
            self.watchdog.start()
            self._exit_stack.callback(self.watchdog.stop)
        _runtimes[self.scheduler] = self
        self._exit_stack.callback(_runtimes.pop, self.scheduler, None)
        for tell in list(on_start):
            tell(self)

    def open_store(self, path: str | os.PathLike[str], code: str = "disk") -> durable.States:
        """Keep the states of durable servers in the file `path`, until the runtime lets go of its loop.

        `code` as for a Runtime; "last" loads what is imported already. Raises: StoreError, LoadError, ValueError.
        """
        self.scheduler.states = states = durable.States(path, self.scheduler, code)
        self._exit_stack.callback(states.close)
        states.choose_code()
        return states

    def open_node(
        self,
        name: str,
        listen: str | Iterable[str] = (),
        join: str | Iterable[str] = (),
        cookie: str | bytes | None = None,
    ) -> None:
        """Be the node `name` of a cluster until the runtime lets go of its loop.

        Raises: ClusterError if that cannot be; the runtime is as it was.
        """
        node = cluster.start_node(self.scheduler, name, listen=listen, join=join, cookie=cookie)
        self._exit_stack.callback(node.close)

    def on_leave(self, do: Callable[[], object]) -> None:
        """Have `do` called when the runtime lets go of its loop; its processes have ended then."""
        self._exit_stack.callback(do)

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.shutdown()
        finally:
            self.leave()

    def leave(self) -> None:
        """Let go of the loop and the thread, when all processes have ended or the loop is closed."""
        if self._timer is not None:
            self._timer.cancel()
        self._exit_stack.close()

    @classmethod
    def here(cls) -> Runtime | None:
        """Return the runtime of this thread, None if it has none."""
        return next((each for scheduler, each in _runtimes.items() if scheduler.is_own_thread()), None)

    def _wake_threadsafe(self) -> None:
        if self._is_turn_posted:  # by another thread, and not yet taken: it will see to this caller's wish, too
            return
        self._is_turn_posted = True
        try:
            self.loop.call_soon_threadsafe(self._turn, context=self.scheduler.context)
        except RuntimeError:  # the loop is closed: nobody is left to be woken
            pass

    def _turn(self) -> None:
        """Take a turn and see to the next one."""
        self._is_turn_posted = False  # before the step looks at what other threads want
        scheduler = self.scheduler
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            deadline = scheduler.step(scheduler.clock.now())
        except BaseException:  # the user's Ctrl-C, within a step; the processes may still have to unwind
            scheduler.wake_up()
            raise
        if scheduler.awake or deadline is None:
            return
        seconds = deadline - scheduler.clock.now()
        if seconds > 0:
            self._timer = self.loop.call_later(seconds, self._turn, context=self.scheduler.context)
        else:
            scheduler.wake_up()

    def spawn(
        self,
        function: Callable[..., Any],
        *args: Any,
        name: str | None = None,
        group_leader: Sink | None = None,
    ) -> Pid:
        """Start a process in this runtime; see `midflight.spawn`.

        Example:

            async def main():
                async with Runtime() as runtime:
                    return runtime.spawn(receive, name="echo")

            asyncio.run(main())  # -> <0.1.0>
        """
        return self.scheduler.spawn(function, args, name=name, group_leader=group_leader).pid

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run `function(*args)` as a process of this runtime and wait for its result; see `run_process`.

        Example:

            async def main():
                async with Runtime() as runtime:
                    return await runtime.run(sum, [1, 2])

            asyncio.run(main())  # -> 3
        """
        return await _run_process(self.scheduler, function, args, self._shutdown_seconds)

    async def shutdown(self) -> None:
        """End all processes: the exit signal "shutdown", and "kill" for those alive `shutdown_seconds` later.

        A process is told once its parent has ended: so a supervisor ends its children itself, in its own order.
        """
        self.begin_shutdown()
        if self.scheduler.processes:
            ended = asyncio.Event()
            self.scheduler.on_empty = ended.set
            try:
                async with asyncio.timeout(self._shutdown_seconds):
                    await ended.wait()
            except TimeoutError:
                pass
        self.kill_all()

    def begin_shutdown(self) -> None:
        """Have every process sent the exit signal "shutdown", parents first; wait for none."""
        if self.scheduler.processes:
            self.scheduler.spawn(_shut_down, (self.scheduler,))

    def kill_all(self) -> None:
        """End every process now, with reason "killed"; also the processes that a clean-up spawns, before they run."""
        while self.scheduler.processes:
            for process in list(self.scheduler.processes.values()):
                _ends.kill(self.scheduler, process)


def forget_runtimes() -> None:
    """Know of no runtime any more, in a child that was forked: they are the parent's."""
    _runtimes.clear()
    forget_schedulers()


async def _shut_down(scheduler: Scheduler) -> None:
    """Tell every process to end, each when its parent is gone. The process that does this ends last."""
    me = scheduler.current()
    assert me is not None
    left = 0
    while len(scheduler.processes) > 1:  # again for those that were spawned meanwhile
        children: dict[Pid | None, list[Process]] = {}
        for process in scheduler.processes.values():
            parent = process.parent if process.parent is not None and process.parent.process is not None else None
            children.setdefault(parent, []).append(process)
        found = [process for process in children[None] if process is not me] + children.get(me.pid, [])
        while found or left:
            for process in found:
                left += 1
                _ends.monitor(scheduler, me, process, process.pid)
                _ends.signal(scheduler, process, OUTSIDE, "shutdown")
            down = await receive(Down)
            left -= 1
            found = [process for process in children.get(down.pid, ()) if process.pid.process is not None]


async def run_process(function: Callable[..., Any], *args: Any) -> Any:
    """Run `function(*args)` as a process and wait for its value, tail calls included: see `spawn`.

    The way from an asyncio task, which is not a process, into the runtime: a web framework's handler, say.
    A cancellation of the caller is passed on as the exit signal "shutdown".

    Raises: the exit reason, if that is an exception (no crash report is made then: the caller has it), else
    ProcessExit(reason) unless it is "normal"; RuntimeError without a runtime on this thread. A SystemExit or
    KeyboardInterrupt of the process comes as the reason of a ProcessExit: raised in a task it would end the loop.

    Example:

        async def ask(question):
            self_() << question
            return await receive()

        async def main():
            async with Runtime():
                return await run_process(ask, "why?")

        asyncio.run(main())  # -> 'why?'
    """
    try:
        return await _run_process(current_scheduler(), function, args, SHUTDOWN_SECONDS)
    except (SystemExit, KeyboardInterrupt) as error:
        if is_from_outside(error):
            raise
        raise ProcessExit(error) from error


async def _run_process(
    scheduler: Scheduler, function: Callable[..., Any], args: tuple[Any, ...], seconds: float
) -> Any:
    done: asyncio.Future[tuple[object, Any]] = asyncio.get_running_loop().create_future()
    process = scheduler.spawn(function, args)

    def on_result(reason: object, value: Any) -> None:
        if not done.done():
            done.set_result((reason, value))

    scheduler.on_result[process] = on_result
    try:
        reason, value = await asyncio.shield(done)
    except asyncio.CancelledError:
        _ends.signal(scheduler, process, OUTSIDE, "shutdown")
        await asyncio.wait([done], timeout=seconds)
        _ends.kill(scheduler, process)
        raise
    if issubclass(type(reason), BaseException):
        raise reason  # type: ignore[misc]  # it is an exception
    if not is_normal(reason):
        raise ProcessExit(reason)
    return value


def run(function: Callable[..., Any], *args: Any, copy_messages: bool = False) -> Any:
    """Start a runtime, run `function(*args)` as its first process, and return its value.

    Coroutines that it returns are gone on with, as `spawn` says: `run(Counter.start, 1)` returns the server's pid.

    The other processes then get the exit signal "shutdown", and after 5 s "kill".
    Raises: the first process's exit reason, if that is an exception, else ProcessExit(reason);
    KeyboardInterrupt on SIGINT, after the processes have unwound; RuntimeError inside a running event loop.
    Meanwhile the garbage collector runs once in 50 000 new objects, not 700.

    Example:

        async def main(name):
            return f"hello {name}"

        run(main, "world")  # -> 'hello world'
    """

    async def main() -> Any:
        async with Runtime(copy_messages=copy_messages) as runtime:
            return await runtime.run(function, *args)

    with rarer_collections():
        return run_main(main())


@contextmanager
def rarer_collections() -> Iterator[None]:
    """Let Python look for garbage cycles less often while the block runs; for programs that are ours to tune.

    Python's default suits few objects that die in cycles. A process is a dozen that do not, and with many alive each
    collection walks them all: spawning then costs twice as much.
    """
    before = gc.get_threshold()
    if before[0]:  # 0: switched off, which is the user's choice
        gc.set_threshold(max(before[0], COLLECT_AFTER), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
