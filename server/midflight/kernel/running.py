"""The scheduler that a plain function call means: this thread's, else the only one that runs."""

from __future__ import annotations

from _thread import get_ident

from midflight.errors import NotInProcess
from midflight.kernel.core import Process, fast_path
from midflight.kernel.scheduler import Scheduler

__all__ = ["current_process", "current_scheduler", "enter", "forget_schedulers", "leave", "schedulers"]

_by_thread: dict[int, Scheduler] = {}


def enter(scheduler: Scheduler) -> None:
    """Make `scheduler` this thread's. Raises: RuntimeError if the thread has one."""
    if get_ident() in _by_thread:
        raise RuntimeError("this thread runs a Midflight runtime already; it goes on. Use that one, or a thread")
    _by_thread[get_ident()] = scheduler


def leave(scheduler: Scheduler) -> None:
    """Take `scheduler` from its thread."""
    for thread, running in list(_by_thread.items()):
        if running is scheduler:
            del _by_thread[thread]


def forget_schedulers() -> None:
    """Take all schedulers from their threads, in a child that was forked: those threads are the parent's."""
    _by_thread.clear()


def schedulers() -> tuple[Scheduler, ...]:
    """Return the schedulers that run in this interpreter, oldest first."""
    return tuple(_by_thread.values())


def current_scheduler() -> Scheduler:
    """Return this thread's scheduler, else the only one that runs. Raises: RuntimeError if there is none."""
    found = _by_thread.get(get_ident())
    if found is not None:
        return found
    running = schedulers()
    if len(running) == 1:
        return running[0]
    if not running:
        raise RuntimeError("no Midflight runtime is running; nothing was done. Call this inside midflight.run(...)")
    raise RuntimeError(f"{len(running)} runtimes are running and none on this thread; call this on one's thread")


@fast_path
def current_process(what: str) -> Process:
    """Return the calling process; `what` names the caller's function. Raises: NotInProcess."""
    scheduler = _by_thread.get(get_ident())
    if scheduler is not None:
        task = scheduler.tasks.get(scheduler.loop)
        if type(task) is Process:
            return task
    raise NotInProcess(
        f"{what} outside a process; nothing was done. A thread or an asyncio task that a process "
        "started is no process: spawn() one, or pass the pid on"
    )
