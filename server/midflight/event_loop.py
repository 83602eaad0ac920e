"""`run_main`, the event loop of a program that Midflight runs: asyncio.run, except for the events that end the program.

asyncio lets a SystemExit or KeyboardInterrupt of any task or callback end the loop, and so does what goes wrong while
it words the failure of a callback (the `repr` of an argument). Here none of them ends it before `main` has: each is
told of, and the loop goes on. Ctrl-C has its own way, the handler of the signal; it does not depend on the process
that an exception happens to land in. Nor does a loop that never waits keep the program's other threads from running.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from asyncio.events import Handle
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any, NoReturn, TypeVar

from midflight.kernel import trouble
from midflight.outside import is_from_outside, mark
from midflight.pauses import PausingSelector
from midflight.text import trace_of

__all__ = ["passing_ctrl_c", "run_main"]

Result = TypeVar("Result")


def run_main(main: Coroutine[Any, Any, Result]) -> Result:
    """Run `main` in an event loop of its own and return its value; no other task or callback ends the loop.

    Raises: what `main` raises; KeyboardInterrupt on SIGINT where asyncio handles that, after `main` was cancelled.
    """
    with ExitStack() as stack:
        stack.callback(asyncio.set_event_loop, None)
        runner = stack.enter_context(asyncio.Runner(loop_factory=_new_loop))
        loop = runner.get_loop()
        run_forever = loop.run_forever
        task: asyncio.Task[Result] | None = None

        async def noted() -> Result:
            nonlocal task
            task = asyncio.current_task()
            return await main

        def run_on() -> None:
            while True:
                try:
                    return run_forever()
                except BaseException as error:
                    if task is None or task.done() or task.cancelling() or not _is_of_a_callback(error):
                        raise
                    trouble.tell("A task or callback of the event loop", error)

        try:
            loop.run_forever = run_on  # type: ignore[method-assign]  # run_until_complete calls it
        except AttributeError:  # a loop written in C: it ends as asyncio's would
            pass
        return runner.run(noted())


def _new_loop() -> asyncio.AbstractEventLoop:
    """Make the loop that the program's policy asks for; asyncio's own gets a selector that lets other threads run."""
    loop = asyncio.new_event_loop()
    if type(loop) is asyncio.SelectorEventLoop:
        loop.close()
        loop = asyncio.SelectorEventLoop(PausingSelector())
    asyncio.set_event_loop(loop)  # as asyncio.Runner does with a loop of its own making
    return loop


def _is_of_a_callback(error: BaseException) -> bool:
    """Say whether `error` came out of one callback, which is over: the loop has lost nothing else."""
    trace = None if is_from_outside(error) else trace_of(error)
    while trace is not None:
        if trace.tb_frame.f_code is Handle._run.__code__:
            return True
        trace = trace.tb_next
    return False


@contextmanager
def passing_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end the program while the block runs, whichever process it lands in.

    Where Python's own handler of SIGINT is in place it raises in whatever runs, and a KeyboardInterrupt that a process
    raises is otherwise that process's crash. asyncio.run has a handler of its own, which cancels the main task.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    try:
        signal.signal(signal.SIGINT, _raise_marked)
    except ValueError:  # the main thread of an interpreter in another program, which has no signals
        yield
        return
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is _raise_marked:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _raise_marked(_number: int, _frame: FrameType | None) -> NoReturn:
    raise mark(KeyboardInterrupt())
