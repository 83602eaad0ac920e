"""The functions on processes that programs call: spawn, link, monitor, exit and the rest, by OTP's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from midflight.errors import ProcessExit
from midflight.kernel import arguments, ends
from midflight.kernel.core import Pid, Process, fast_path
from midflight.kernel.distant import DistantCore
from midflight.kernel.doomed import Doom
from midflight.kernel.group_leader import Sink, group_leader_var
from midflight.kernel.info import describe
from midflight.kernel.names import process_named
from midflight.kernel.refs import Ref
from midflight.kernel.running import current_process, current_scheduler
from midflight.kernel.scheduler import OUTSIDE, Scheduler
from midflight.kernel.signals import is_word

__all__ = [
    "demonitor",
    "exit",
    "group_leader",
    "is_alive",
    "link",
    "monitor",
    "process_dictionary",
    "process_info",
    "processes",
    "self_",
    "spawn",
    "spawn_link",
    "spawn_monitor",
    "trap_exit",
    "unlink",
]

# --- Spawning ---------------------------------------------------------------------------------------------


def _spawn(function: Callable[..., Any], args: tuple[Any, ...], name: str | None, leader: Sink | None) -> Process:
    scheduler = current_scheduler()
    if leader is not None:
        arguments.sink("spawn: group_leader", leader)
    parent = scheduler.current() if scheduler.is_own_thread() else None
    return scheduler.spawn(function, args, name=name, group_leader=leader, parent=parent)


@fast_path
def spawn(function: Callable[..., Any], *args: Any, name: str | None = None, group_leader: Sink | None = None) -> Pid:
    """Start a process that runs `function(*args)` and return its pid at once. Safe from any thread.

    `function` is async or plain; it is called in the new process, so wrong arguments end that, not the caller. If it
    returns a coroutine that nobody has awaited, the process goes on as that: the tail call. What `GenServer.start`
    returns is one, so `spawn(Counter.start, 1)` starts a server; a future, a task and any other value end the process.
    `name` registers it before it runs. `group_leader` is where its output goes; by default the caller's.

    Raises: TypeError if `function` is not callable, `name` not a str or `group_leader` not a place to write to;
    RegistrationError for a name that is taken.
    OTP: spawn/1, spawn/3.

    Example:

        async def echo():
            sender, word = await receive()
            sender << word

        spawn(echo) << (self_(), "hello")
        await receive()  # -> 'hello'
    """
    return _spawn(function, args, name, group_leader).pid


def spawn_link(
    function: Callable[..., Any], *args: Any, name: str | None = None, group_leader: Sink | None = None
) -> Pid:
    """Spawn and link in one step: the link is there before the process runs.

    Raises: as `spawn`; NotInProcess. OTP: spawn_link/3.

    Example:

        async def fail():
            raise ProcessExit("no reason")

        trap_exit(True)
        pid = spawn_link(fail)
        await receive() == Exit(pid, "no reason")  # -> True
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

    Example:

        async def work():
            return 5

        pid, ref = spawn_monitor(work)
        await receive() == Down(ref, pid, "normal")  # -> True
    """
    me = current_process("spawn_monitor()")
    process = _spawn(function, args, name, group_leader)
    return process.pid, ends.monitor(_of(me), me, process, process.pid)


def _of(process: Process) -> Scheduler:
    scheduler = process.core
    assert isinstance(scheduler, Scheduler)
    return scheduler


@fast_path
def self_() -> Pid:
    """Return the calling process's pid. Raises: NotInProcess. OTP: self/0.

    Example:

        self_() << "a message to myself"
        await receive()  # -> 'a message to myself'
    """
    return current_process("self_()").pid


# --- Links, monitors, exits ------------------------------------------------------------------------------------


def link(pid: Pid) -> None:
    """Link the calling process and `pid`: when either ends with a reason other than "normal", so does the other.

    A process of a node that is not reached, or that is lost later, ends the caller with "noconnection".
    Raises: NoSuchProcess if `pid` is dead and the caller does not trap exits (if it does, it gets
    Exit(pid, "noproc")); TypeError if `pid` is not a Pid; ValueError for a process of another runtime; NotInProcess.
    OTP: link/1.

    Example:

        pid = spawn(receive)
        link(pid)
        process_info(self_())["links"] == [pid]  # -> True
    """
    me = current_process("link()")
    ends.link(_of(me), me, arguments.reached_pid("link()", pid, me.core))


def unlink(pid: Pid) -> None:
    """Remove the link to `pid`, if there is one. Raises: TypeError if it is not a Pid; NotInProcess. OTP: unlink/1.

    Example:

        pid = spawn_link(receive)
        unlink(pid)
        exit(pid, "kill")  # and the caller lives
        process_info(self_())["links"]  # -> []
    """
    ends.unlink(current_process("unlink()"), arguments.pid("unlink()", pid))


def monitor(dest: Pid | str | tuple[str, str]) -> Ref:
    """Watch a process: `Down(ref, pid, reason)` comes when it ends, at once with "noproc" if it is dead.

    By name it watches who has the name now, and Down shows (name, node) for the pid. A node that is not reached, or is
    lost later: the reason is "noconnection".
    Raises: TypeError if `dest` is neither a Pid nor a name nor (name, node); ValueError for a process of another
    runtime; NotInProcess. OTP: monitor(process, _).

    Example:

        pid = spawn(receive)
        ref = monitor(pid)
        exit(pid, "kill")
        await receive() == Down(ref, pid, "killed")  # -> True
    """
    me = current_process("monitor()")
    if type(dest) is Pid:
        return ends.monitor(_of(me), me, arguments.reached_pid("monitor()", dest, me.core).process, dest)
    name, node = arguments.name_and_node("monitor()", dest)
    return ends.monitor(_of(me), me, process_named(_of(me), name, node), (name, node))


def demonitor(ref: Ref, flush: bool = False) -> bool:
    """Stop a monitor of the calling process; say whether it was still watching. `flush` takes its Down out, too.

    A ref that is not a monitor, or another process's: nothing is changed, and the answer is False.
    Raises: TypeError if `ref` is not a Ref; NotInProcess. OTP: demonitor/2; its answer is always true without the
    option info.

    Example:

        ref = monitor(spawn(receive))
        demonitor(ref)  # -> True
        demonitor(ref)  # -> False
    """
    return ends.demonitor(current_process("demonitor()"), arguments.ref("demonitor()", ref), flush)


def trap_exit(flag: bool) -> bool:
    """Turn exit signals to the calling process into `Exit` messages, or not; return the setting before.

    Raises: TypeError unless `flag` is True or False; NotInProcess. OTP: process_flag(trap_exit, _).

    Example:

        trap_exit(True)  # -> False
        pid = spawn_link(receive)
        exit(pid, "enough")
        await receive() == Exit(pid, "enough")  # -> True
    """
    me = current_process("trap_exit()")
    before, me.trap_exit = me.trap_exit, arguments.flag("trap_exit()", flag)
    return before


def exit(pid: Pid, reason: object = "normal") -> None:
    """Send an exit signal to `pid`. Safe from any thread. A dead pid: nothing happens.

    "normal" is ignored by others than the caller itself; "kill" ends any process at once, with reason
    "killed"; any other reason ends a process that does not trap exits, after it has unwound.
    To exit oneself, `raise ProcessExit(reason)`. Raises: TypeError if `pid` is not a Pid. OTP: exit/2; a name is
    not taken there either: `exit(whereis(name), reason)`.

    Example:

        pid, ref = spawn_monitor(receive)
        exit(pid, "enough")
        (await receive()).reason  # -> 'enough'
    """
    process = arguments.pid("exit()", pid).process
    if process is None:
        return
    if isinstance(process.core, DistantCore):
        here = process.core.scheduler
        sender = here.current() if here.is_own_thread() else None
        process.core.signal(process, OUTSIDE if sender is None else sender.pid, reason, False)
        return
    scheduler = _of(process)
    is_kill = is_word(reason, "kill")
    if not scheduler.is_own_thread():
        if is_kill:
            scheduler.doomed.setdefault(process, Doom())  # in case it never yields
            scheduler.on_own_thread(ends.kill, scheduler, process)
        else:
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


# --- Looking ----------------------------------------------------------------------------------------------------


def processes() -> list[Pid]:
    """Return the pids of all processes alive, oldest first. OTP: processes/0.

    Example:

        pid = spawn(receive)
        processes() == [self_(), pid]  # -> True
    """
    return [process.pid for process in list(current_scheduler().processes.values())]


def process_info(pid: Pid) -> dict[str, Any] | None:
    """Return a new dict that describes a process; None for a dead one.

    Raises: TypeError if `pid` is not a Pid; ValueError for a process of another node. OTP: process_info/1.

    Keys: status, message_queue_len, messages, reductions, links, monitors, monitored_by, trap_exit, registered_name,
    initial_call, current_function, dictionary, group_leader, parent; and ours: pid, module, version,
    function, line, waiting_for.

    Example:

        pid = spawn(receive, name="echo")
        process_info(pid)["registered_name"]  # -> 'echo'
    """
    process = arguments.local_pid("process_info()", pid).process
    return None if process is None else describe(_of(process), process)


def is_alive(pid: Pid) -> bool:
    """Say whether the process has not ended; a process that unwinds is still alive.

    Raises: TypeError if `pid` is not a Pid; ValueError for a process of another node. OTP: is_process_alive/1.

    Example:

        pid = spawn(receive)
        is_alive(pid)  # -> True
        exit(pid, "kill")
        is_alive(pid)  # -> False
    """
    return arguments.local_pid("is_alive()", pid).process is not None


def process_dictionary() -> dict[Any, Any]:
    """Return the calling process's own dictionary; a new process has an empty one.

    Raises: NotInProcess. OTP: put/2, get/1 and erase/1 work on it.

    Example:

        process_dictionary()["user"] = "ada"
        process_dictionary()  # -> {'user': 'ada'}
    """
    me = current_process("process_dictionary()")
    if me.dictionary is None:
        me.dictionary = {}
    return me.dictionary


def group_leader(pid: Pid | None = None) -> Sink | None:
    """Return the sink for the output of `pid`, by default the caller's; None is the real standard output.

    Raises: TypeError if `pid` is not a Pid; ValueError for a process of another node. OTP: group_leader/0; there it is
    a pid.

    Example:

        pid = spawn(receive, group_leader=sys.stderr)
        group_leader(pid) is sys.stderr  # -> True
    """
    if pid is None:
        return group_leader_var.get()
    process = arguments.local_pid("group_leader()", pid).process
    return None if process is None else process.context.get(group_leader_var)
