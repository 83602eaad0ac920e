"""The functions that programs call: spawn, send, link, monitor and the rest, by OTP's names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from types import coroutine
from typing import Any, TypeVar

from midflight.errors import NoSuchName, ProcessExit, RegistrationError
from midflight.kernel import ends
from midflight.kernel.core import Pid, Process, sleep_in_process
from midflight.kernel.group_leader import Sink, group_leader_var
from midflight.kernel.info import describe
from midflight.kernel.refs import Ref
from midflight.kernel.running import current_process, current_scheduler
from midflight.kernel.scheduler import OUTSIDE, Scheduler
from midflight.kernel.signals import NODE, is_word
from midflight.kernel.timers import Timer

__all__ = [
    "alias",
    "cancel_timer",
    "demonitor",
    "exit",
    "group_leader",
    "is_alive",
    "link",
    "make_ref",
    "monitor",
    "process_dictionary",
    "process_info",
    "processes",
    "register",
    "registered",
    "self_",
    "send",
    "send_after",
    "sleep",
    "spawn",
    "spawn_link",
    "spawn_monitor",
    "trap_exit",
    "unalias",
    "unlink",
    "unregister",
    "whereis",
]

Message = TypeVar("Message")
Dest = Pid | Ref | str | tuple[str, str]


# --- Spawning ---------------------------------------------------------------------------------------------


def _spawn(function: Callable[..., Any], args: tuple[Any, ...], name: str | None, leader: Sink | None) -> Process:
    scheduler = current_scheduler()
    parent = scheduler.current() if scheduler.is_own_thread() else None
    return scheduler.spawn(function, args, name=name, group_leader=leader, parent=parent)


def spawn(function: Callable[..., Any], *args: Any, name: str | None = None, group_leader: Sink | None = None) -> Pid:
    """Start a process that runs `function(*args)` and return its pid at once. Safe from any thread.

    `function` is async or plain; it is called in the new process, so wrong arguments end that, not the caller.
    `name` registers it before it runs. `group_leader` is where its output goes; by default the caller's.

    Raises: TypeError if `function` is not callable; RegistrationError for a name that is taken.
    OTP: spawn/1, spawn/3.
    """
    return _spawn(function, args, name, group_leader).pid


def spawn_link(
    function: Callable[..., Any], *args: Any, name: str | None = None, group_leader: Sink | None = None
) -> Pid:
    """Spawn and link in one step: the link is there before the process runs.

    Raises: as `spawn`; NotInProcess. OTP: spawn_link/3.
    """
    me = current_process("spawn_link()")
    process = _spawn(function, args, name, group_leader)
    ends.link(_of(me), me, process.pid)
    return process.pid


def spawn_monitor(
    function: Callable[..., Any], *args: Any, name: str | None = None, group_leader: Sink | None = None
) -> tuple[Pid, Ref]:
    """Spawn and monitor in one step; return the pid and the monitor's ref.

    Raises: as `spawn`; NotInProcess. OTP: spawn_monitor/3.
    """
    me = current_process("spawn_monitor()")
    process = _spawn(function, args, name, group_leader)
    return process.pid, ends.monitor(_of(me), me, process, process.pid)


def _of(process: Process) -> Scheduler:
    scheduler = process.core
    assert isinstance(scheduler, Scheduler)
    return scheduler


def self_() -> Pid:
    """Return the calling process's pid. Raises: NotInProcess. OTP: self/0."""
    return current_process("self_()").pid


# --- Messages and time --------------------------------------------------------------------------------------


def _find(dest: object) -> Pid | Ref | None:
    """Return the receiver that `dest` means; None if (name, node) has none. Raises: NoSuchName, TypeError."""
    match dest:
        case Pid() | Ref():
            return dest
        case str():
            process = current_scheduler().names.get(dest)
            if process is None:
                raise NoSuchName(dest)
            return process.pid
        case (str() as name, str() as node):
            process = current_scheduler().names.get(name) if node == NODE else None
            return None if process is None else process.pid
    raise TypeError(f"a destination is a Pid, a name, (name, node) or an alias, not {dest!r}; nothing was sent")


def send(dest: Dest, message: Message) -> Message:
    """Send `message` and return it. Safe from any thread.

    A dead pid, a closed alias or a (name, node) that nobody has: it is dropped.
    Raises: NoSuchName for a name that nobody has. OTP: `!`.
    """
    receiver = _find(dest)
    if receiver is not None:
        receiver << message
    return message


_timers: dict[Ref, tuple[Scheduler, Timer]] = {}


def send_after(seconds: float, dest: Dest, message: object) -> Ref:
    """Send `message` to `dest` in `seconds`; return the timer. Nothing happens if `dest` is gone by then.

    Raises: ValueError if `seconds` is negative. OTP: erlang:send_after/3, in milliseconds.
    """
    if not seconds >= 0:
        raise ValueError(f"send_after: seconds must be >= 0, not {seconds!r}; no timer was set")
    scheduler = current_scheduler()
    ref = Ref()

    def ring() -> None:
        del _timers[ref]
        try:
            send(dest, message)
        except NoSuchName:  # the name is gone by now: OTP drops it too
            pass

    def set_timer() -> None:
        _timers[ref] = scheduler, scheduler.timers.set(scheduler.clock.now() + seconds, ring)
        scheduler.wake_up()  # the driver may sleep past this deadline

    scheduler.on_own_thread(set_timer)
    return ref


def cancel_timer(ref: Ref) -> float | None:
    """Cancel a timer; return the seconds it had left, or None if it rang or was cancelled.

    OTP: erlang:cancel_timer/1, which answers milliseconds or false.
    """
    found = _timers.pop(ref, None)
    if found is None:
        return None
    scheduler, timer = found
    scheduler.timers.cancel(timer)
    return max(0.0, timer.deadline - scheduler.clock.now())


@coroutine
def sleep(seconds: float) -> Generator[Any, Any, None]:
    """Wait for `seconds`; messages stay in the mailbox. 0 lets the others run once.

    Outside a process it is asyncio.sleep. Raises: ValueError if negative. OTP: timer:sleep/1.
    """
    if not seconds >= 0:
        raise ValueError(f"sleep: seconds must be >= 0, not {seconds!r}")
    scheduler = current_scheduler()
    if scheduler.is_own_thread() and scheduler.current() is not None:
        yield from sleep_in_process(seconds)
    else:
        yield from asyncio.sleep(seconds).__await__()


# --- Links, monitors, exits ------------------------------------------------------------------------------------


def link(pid: Pid) -> None:
    """Link the calling process and `pid`: when either ends with a reason other than "normal", so does the other.

    Raises: NoSuchProcess if `pid` is dead and the caller does not trap exits (if it does, it gets
    Exit(pid, "noproc")); NotInProcess. OTP: link/1.
    """
    me = current_process("link()")
    ends.link(_of(me), me, pid)


def unlink(pid: Pid) -> None:
    """Remove the link to `pid`, if there is one. Raises: NotInProcess. OTP: unlink/1."""
    ends.unlink(current_process("unlink()"), pid)


def monitor(dest: Pid | str | tuple[str, str]) -> Ref:
    """Watch a process: `Down(ref, pid, reason)` comes when it ends, at once with "noproc" if it is dead.

    By name it watches who has the name now, and Down shows (name, node) for the pid.
    Raises: NotInProcess. OTP: monitor(process, _).
    """
    me = current_process("monitor()")
    if isinstance(dest, Pid):
        return ends.monitor(_of(me), me, dest.process, dest)
    name, node = dest if isinstance(dest, tuple) else (dest, NODE)
    return ends.monitor(_of(me), me, _of(me).names.get(name) if node == NODE else None, (name, node))


def demonitor(ref: Ref, flush: bool = False) -> bool:
    """Stop a monitor; say whether it was still watching. `flush` also removes its Down from the mailbox.

    Raises: NotInProcess. OTP: demonitor/2; its answer is always true without the option info.
    """
    return ends.demonitor(current_process("demonitor()"), ref, flush)


def trap_exit(flag: bool) -> bool:
    """Turn exit signals to the calling process into `Exit` messages, or not; return what was set before.

    Raises: NotInProcess. OTP: process_flag(trap_exit, _).
    """
    me = current_process("trap_exit()")
    before, me.trap_exit = me.trap_exit, bool(flag)
    return before


def exit(pid: Pid, reason: object = "normal") -> None:
    """Send an exit signal to `pid`. Safe from any thread. A dead pid: nothing happens.

    "normal" is ignored by others than the caller itself; "kill" ends any process at once, with reason
    "killed"; any other reason ends a process that does not trap exits, after it has unwound.
    To exit oneself, `raise ProcessExit(reason)`. OTP: exit/2.
    """
    process = pid.process
    if process is None:
        return
    scheduler = _of(process)
    is_kill = is_word(reason, "kill")
    if not scheduler.is_own_thread():
        if is_kill:
            scheduler.doomed.add(process)  # in case it never yields
        scheduler.on_own_thread(exit, pid, reason)
        return
    me = scheduler.current()
    if is_kill:
        ends.kill(scheduler, process)
        if me is process:
            raise ProcessExit("killed")
    elif me is process and not process.trap_exit:
        process.exit_reason = process.exit_reason or (reason,)
        raise ProcessExit(reason)
    else:
        ends.signal(scheduler, process, me.pid if me is not None else OUTSIDE, reason)


# --- Names ------------------------------------------------------------------------------------------------------


def register(name: str, pid: Pid) -> None:
    """Give `pid` the name `name`; it goes when the process ends.

    Raises: RegistrationError for a taken name, a process that has one, "undefined", a dead pid. OTP: register/2.
    """
    scheduler = current_scheduler()
    scheduler.check_name(name)
    process = pid.process
    if process is None:
        raise RegistrationError(f"{pid!r} is not alive; {name!r} was not given")
    if process.name is not None:
        raise RegistrationError(f"{pid!r} is registered as {process.name!r}; {name!r} was not given")
    process.name = name
    scheduler.names[name] = process


def unregister(name: str) -> None:
    """Take the name back. Raises: RegistrationError if nobody has it. OTP: unregister/1."""
    process = current_scheduler().names.pop(name, None)
    if process is None:
        raise RegistrationError(f"no process is registered as {name!r}; see registered()")
    process.name = None


def whereis(name: str) -> Pid | None:
    """Return who has `name`, or None. OTP: whereis/1."""
    process = current_scheduler().names.get(name)
    return None if process is None else process.pid


def registered() -> list[str]:
    """Return the names that are given, in the order they were. OTP: registered/0."""
    return list(current_scheduler().names)


# --- Looking ----------------------------------------------------------------------------------------------------


def processes() -> list[Pid]:
    """Return the pids of all processes alive, oldest first. OTP: processes/0."""
    return [process.pid for process in list(current_scheduler().processes.values())]


def process_info(pid: Pid) -> dict[str, Any] | None:
    """Return what can be seen of a process, a new dict; None for a dead one. OTP: process_info/1.

    Keys: status, message_queue_len, messages, reductions, links, monitors, monitored_by, trap_exit, registered_name,
    initial_call, current_function, dictionary, group_leader, parent; and ours: pid, module, version,
    function, line, waiting_for.
    """
    process = pid.process
    return None if process is None else describe(_of(process), process)


def is_alive(pid: Pid) -> bool:
    """Say whether the process has not ended; one that unwinds is alive still. OTP: is_process_alive/1."""
    return pid.process is not None


def process_dictionary() -> dict[Any, Any]:
    """Return the calling process's own dictionary; a new process has an empty one.

    Raises: NotInProcess. OTP: put/2, get/1 and erase/1 work on it.
    """
    me = current_process("process_dictionary()")
    if me.dictionary is None:
        me.dictionary = {}
    return me.dictionary


def group_leader(pid: Pid | None = None) -> Sink | None:
    """Return where the output of `pid` goes, by default the caller's; None is the real standard output.

    OTP: group_leader/0; there it is a pid.
    """
    if pid is None:
        return group_leader_var.get()
    process = pid.process
    return None if process is None else process.context.get(group_leader_var)


def make_ref() -> Ref:
    """Return a new ref. A receive that waits for it skips what was in the mailbox before. OTP: make_ref/0."""
    scheduler = current_scheduler()
    return Ref(scheduler.current() if scheduler.is_own_thread() else None)


def alias(once: bool = False) -> Ref:
    """Return a ref that takes messages for the calling process (`ref << message`) until `unalias`.

    `once` closes it after its first message. Raises: NotInProcess. OTP: alias/1; `once` is [reply].
    """
    me = current_process("alias()")
    ref = Ref(me)
    ref.alias, ref.once = me, once
    if me.aliases is None:
        me.aliases = set()
    me.aliases.add(ref)
    return ref


def unalias(ref: Ref) -> bool:
    """Close an alias; say whether it was open. What is sent to it later is dropped. OTP: unalias/1."""
    was_open = ref.alias is not None
    ref.close()
    return was_open
