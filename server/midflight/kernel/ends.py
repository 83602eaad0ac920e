"""The end of a process and its notices: exit signals, links, monitors, kill. Every end of a process is in this file.

Laws:
1. A dead process is told of once: its pid is emptied first, then links hear, in the order they were made, then
   monitors. So `Exit` comes before `Down` to one that has both.
2. An exit signal settles the reason; the unwinding that follows cannot change it. Only `kill` overtakes it.
3. No end runs inside another: a signal to a linked process is thrown in that one's own turn.
4. Nothing of the program's runs between the emptying of the pid and the last Down, unless somebody traces: a crash
   report comes after that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from midflight.errors import NoSuchProcess, ProcessExit
from midflight.kernel import closing, trouble
from midflight.kernel.crash import Remains, report_crash, report_unclosable
from midflight.kernel.distant import DistantCore
from midflight.kernel.frames import is_kernel_frame
from midflight.kernel.mailbox import drop_first
from midflight.kernel.refs import Ref
from midflight.kernel.signals import Down, Exit, is_normal
from midflight.kernel.swallowed import exit_for
from midflight.outside import is_from_outside
from midflight.text import exceptions_in, trace_of

if TYPE_CHECKING:
    from midflight.kernel.core import Pid, Process
    from midflight.kernel.scheduler import Scheduler

__all__ = ["demonitor", "ended", "kill", "link", "monitor", "signal", "unlink"]


def ended(scheduler: Scheduler, process: Process, error: BaseException | None, value: Any) -> None:
    """Take in that the process function of `process` returned `value`, or raised `error`."""
    if process.pid.process is None:  # killed while it ran; all have been told
        return
    if error is not None:
        _forget_own_frames(error)
    elif type(process.pending) is asyncio.CancelledError:  # too late to be thrown; a Task is cancelled then, too
        error = process.pending
    crash = None
    if process.exit_reason is not None:
        reason = process.exit_reason[0]
    elif error is None:
        reason = "normal"
    else:
        asked = _reason_asked_for(error)
        if asked is not None:
            (reason,) = asked
        else:
            reason = crash = error
    on_result = scheduler.on_result.pop(process, None)
    remains = None if crash is None else Remains.of(process)
    _bury(scheduler, process, reason)
    process.value = value
    if on_result is not None:  # who waits for the result gets the exception itself
        on_result(reason, value)
    elif crash is not None and remains is not None and not is_from_outside(crash):
        scheduler.limit.run(report_crash, scheduler, remains, crash)
    if error is not None and isinstance(error, KeyboardInterrupt) and is_from_outside(error):
        raise error  # the user's Ctrl-C, which was not meant for this process: it ends the program


def _forget_own_frames(error: BaseException) -> None:
    """Let the traceback of `error` begin in the user's code: the kernel's frames hold the process, which holds it."""
    trace = trace_of(error)
    while trace is not None and is_kernel_frame(trace.tb_frame):
        trace = trace.tb_next
    BaseException.with_traceback(error, trace)  # not the user's own


def _reason_asked_for(error: BaseException) -> tuple[object] | None:
    """Return the reason, in a tuple, of the ProcessExit that `error` is, or that a TaskGroup has wrapped in it."""
    for each in exceptions_in(error):
        if issubclass(type(each), ProcessExit):
            try:
                return (each.reason,)  # type: ignore[attr-defined]  # it is a ProcessExit
            except BaseException:  # of a class that makes something of its own of it
                return None
    return None


def signal(scheduler: Scheduler, target: Process, sender: Pid, reason: object, *, by_link: bool = False) -> None:
    """Send an exit signal. `kill` is a reason like others here: `exit` treats it before."""
    if target.core is not scheduler:
        _distant(target).signal(target, sender, reason, by_link)
    elif target.trap_exit:
        scheduler.deliver(target, Exit(sender, reason))
    elif is_normal(reason) and (by_link or sender is not target.pid):
        return
    elif target.exit_reason is None:
        target.exit_reason = (reason,)
        target.cancels += 1  # so asyncio.timeout and TaskGroup know that the cancellation is not theirs
        scheduler.interrupt(target, exit_for(scheduler, target, reason))


def kill(scheduler: Scheduler, process: Process) -> None:
    """End `process` now, reason "killed": its links and monitors hear first, then its coroutine is closed.

    `finally` blocks run up to their first await, with no current process. Nothing resumes it afterwards.
    """
    if process.pid.process is None:
        scheduler.doomed.pop(process, None)  # marked by another thread when it was dead already
        return
    coro, waiting, context = process.coro, process.waiting, process.context
    is_running = scheduler.current() is process
    on_result = scheduler.on_result.pop(process, None)
    _bury(scheduler, process, "killed")
    if is_running:
        process.pending = ProcessExit("killed")  # closed where it next waits
    else:
        process.coro = None
        try:
            if asyncio.isfuture(waiting):
                waiting.cancel()
        except BaseException as error:  # of a future of the program's own making
            trouble.tell(f"What {process.pid!r} awaited when it was killed", error)
        if coro is not None:
            close(scheduler, process.pid, context, coro)
    if on_result is not None:
        on_result("killed", None)


def close(scheduler: Scheduler, pid: Pid, context: Any, coro: Any) -> None:
    """Close the coroutine of a dead process, with no current process; report one that will not be closed."""
    current = scheduler.tasks.pop(scheduler.loop, None)
    error: BaseException | None
    try:
        error = scheduler.limit.run(context.run, closing.close, coro)
    except BaseException as worse:  # of an awaitable that tells nobody what it awaits, or that took too long
        error = worse
    finally:
        if current is not None:
            scheduler.tasks[scheduler.loop] = current
    if error is not None:  # nobody is left to have it as a reason
        report_unclosable(pid, error)


def _bury(scheduler: Scheduler, process: Process, reason: object) -> None:
    """Take `process` out of everything, then tell its links, then its monitors."""
    if scheduler.tracer is not None:
        scheduler.tracer.ended(process, reason)
    pid = process.pid
    pid.process = None
    del scheduler.processes[pid.number]
    scheduler.doomed.pop(process, None)
    if process.name is not None:
        del scheduler.names[process.name]
    if process.timer is not None:
        scheduler.timers.cancel(process.timer)
    for alias in tuple(process.aliases or ()):
        alias.close()
    links, monitors, monitored_by = process.links, process.monitors, process.monitored_by
    # Held until all have been told: with the last reference a `__del__` runs, which may do anything.
    kept = process.mailbox, process.dictionary, process.value, process.waiting
    process.links = process.monitors = process.monitored_by = process.mailbox = process.dictionary = None
    process.waiting = process.value = process.timer = process.name = process.pending = None
    process.resume = _gone
    process.exit_reason = (reason,)
    for ref, target in (monitors or {}).items():
        (target.monitored_by or {}).pop(ref, None)
        if target.core is not scheduler:
            _distant(target).demonitor(ref)
    for other in links or ():
        (other.links or {}).pop(process, None)
        signal(scheduler, other, pid, reason, by_link=True)
    for ref, (watcher, shown) in (monitored_by or {}).items():
        (watcher.monitors or {}).pop(ref, None)
        _send_down(scheduler, watcher, Down(ref, shown, reason))
    process.tell_callbacks()
    del kept
    if not scheduler.processes:
        scheduler.on_empty()


def _gone(_: object) -> Any:
    """Stand in for the coroutine of a process that died while it was in the run queue."""
    raise StopIteration


def _send_down(scheduler: Scheduler, watcher: Process, down: Down) -> None:
    if watcher.core is not scheduler:
        down.ref.close()
        _distant(watcher).down(down.ref, down.reason)
    elif watcher.pid.process is not None:
        down.ref.close()  # a monitor that is an alias too closes with its Down
        scheduler.deliver(watcher, down)


def link(scheduler: Scheduler, process: Process, other: Pid) -> None:
    """Link `process` and `other`; once linked, again changes nothing. OTP: link/1.

    A dead `other`: an Exit message with reason "noproc" if `process` traps exits.
    Raises: NoSuchProcess if it does not.
    """
    target = other.process
    if target is process:
        return
    if target is None:
        if other.node:  # of a node that is not reached: an exit signal says so, in OTP too
            signal(scheduler, process, other, "noconnection", by_link=True)
            return
        if not process.trap_exit:
            raise NoSuchProcess(other)
        scheduler.deliver(process, Exit(other, "noproc"))
        return
    is_linked = process.links is not None and target in process.links
    for one, two in ((process, target), (target, process)):
        if one.links is None:
            one.links = {}
        one.links[two] = None
    if target.core is not scheduler and not is_linked:
        _distant(target).link(process, target)
    if scheduler.tracer is not None:
        scheduler.tracer.linked(process, target)


def unlink(process: Process, other: Pid) -> None:
    """Remove the link between `process` and `other`, if there is one. OTP: unlink/1."""
    target = other.process
    if target is not None and process.links and target in process.links:
        del process.links[target]
        (target.links or {}).pop(process, None)
        if target.core is not process.core:
            _distant(target).unlink(process, target)


def monitor(scheduler: Scheduler, watcher: Process, target: Process | None, shown: Any) -> Ref:
    """Let `watcher` be told, by a Down with `shown` in it, when `target` ends; at once if it is None (dead)."""
    ref = Ref(watcher)
    if target is None:
        scheduler.deliver(watcher, Down(ref, shown, _why_nobody(scheduler, shown)))
        return ref
    if watcher.monitors is None:
        watcher.monitors = {}
    if target.monitored_by is None:
        target.monitored_by = {}
    watcher.monitors[ref] = target
    target.monitored_by[ref] = (watcher, shown)
    if target.core is not scheduler:
        _distant(target).monitor(ref, watcher, target)
    return ref


def _why_nobody(scheduler: Scheduler, shown: Any) -> str:
    """Return the reason of a Down for a pid or (name, node) that no living process is known by."""
    if scheduler.nodes is None:
        return "noproc"
    if issubclass(type(shown), tuple):
        return "noproc" if scheduler.nodes.is_reached(shown[1]) else "noconnection"
    return "noconnection" if shown.node and not scheduler.nodes.is_reached(scheduler.nodes.name_of(shown)) else "noproc"


def demonitor(watcher: Process, ref: Ref, flush: bool) -> bool:
    """Stop the monitor `ref`; say whether it was one of `watcher`. `flush` also takes a Down that has come already."""
    target = watcher.monitors.pop(ref, None) if watcher.monitors else None
    if target is not None:
        (target.monitored_by or {}).pop(ref, None)
        ref.close()  # of one that is an alias too
        if target.core is not watcher.core:
            _distant(target).demonitor(ref)
        return True
    if flush:
        drop_first(watcher, ref, lambda message: type(message) is Down and message.ref is ref)
    return False


def _distant(process: Process) -> DistantCore:
    """Return the core of a process that is not of the scheduler it was compared with: so it is of another node."""
    core = process.core
    assert isinstance(core, DistantCore)
    return core
