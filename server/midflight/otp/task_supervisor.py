"""`TaskSupervisor`: tasks that run under a supervisor, which shows them, stops them at its end, and may limit them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from midflight.errors import TaskError
from midflight.kernel import Client, Pid, arguments, current_process, function_name, link
from midflight.otp.child_spec import ChildSpec, Shutdown
from midflight.otp.dynamic_supervisor import DynamicSupervisor
from midflight.otp.protocol import Dest, Name
from midflight.otp.restart import Restart
from midflight.otp.starting import Starting
from midflight.otp.supervisor import Supervisor
from midflight.otp.task import Task
from midflight.otp.task_process import Supervised, alone, supervised

__all__ = ["TaskSupervisor"]


class TaskSupervisor:
    """A supervisor of tasks: `ChildSpec("tasks", TaskSupervisor, name="tasks", type="supervisor")` in a tree.

    Its functions take it as the first argument: its pid or its name.
    OTP: Elixir's Task.Supervisor.

    Example:

        await TaskSupervisor.start_link(name="tasks")
        task = await TaskSupervisor.start("tasks", sum, [1, 2])
        await task.result()  # -> 3
        pid = await TaskSupervisor.start_child("tasks", sleep, 60)
        await TaskSupervisor.children("tasks") == [pid]  # -> True
    """

    @staticmethod
    def start_link(*, max_children: int | None = None, name: str | Name | None = None) -> Starting:
        """Start a supervisor of tasks, linked to the caller; to be awaited for the pid. At most `max_children` run.

        Raises: as Supervisor.start_link. OTP: Elixir's Task.Supervisor.start_link/1.
        """
        return DynamicSupervisor.start_link(max_children=max_children, name=name)

    @staticmethod
    async def start(supervisor: Dest, function: Callable[..., Any], *args: Any, shutdown: Shutdown = 5.0) -> Task:
        """Start a task as Task.start does, linked to the caller and to the supervisor.

        `shutdown` is the time that it has to end when the supervisor does, as in a ChildSpec.
        Raises: ChildError ("max_children"); CallError if there is no such supervisor; NotInProcess.
        OTP: Elixir's Task.Supervisor.async/3.
        """
        return await _start(supervisor, function, args, shutdown, is_linked=True)

    @staticmethod
    async def start_nolink(
        supervisor: Dest, function: Callable[..., Any], *args: Any, shutdown: Shutdown = 5.0
    ) -> Task:
        """Start a task as Task.start_nolink does: if it fails, its owner is only told. Raises: as `start`.

        OTP: Elixir's Task.Supervisor.async_nolink/3.
        """
        return await _start(supervisor, function, args, shutdown, is_linked=False)

    @staticmethod
    async def start_child(
        supervisor: Dest,
        function: Callable[..., Any],
        *args: Any,
        restart: Restart = "temporary",
        shutdown: Shutdown = 5.0,
    ) -> Pid:
        """Start a process for `function(*args)` that has no owner: its value is dropped. Return its pid.

        By `restart` it may be started again. Raises: as `start`. OTP: Elixir's Task.Supervisor.start_child/3.
        """
        arguments.callable_("a task", function)
        spec = ChildSpec(function_name(function), alone, (function, args), restart, shutdown)
        pid = await Supervisor.start_child(supervisor, spec)
        assert pid is not None
        return pid

    @staticmethod
    async def children(supervisor: Dest) -> list[Pid]:
        """Return the pids of the tasks that run, oldest first. OTP: Elixir's Task.Supervisor.children/1."""
        found = await Supervisor.which_children(supervisor)
        return [child.pid for child in found if isinstance(child.pid, Pid)]

    @staticmethod
    async def terminate_child(supervisor: Dest, pid: Pid) -> None:
        """Stop a task. Raises: ChildError ("not_found"). OTP: Elixir's Task.Supervisor.terminate_child/2."""
        await Supervisor.terminate_child(supervisor, pid)


async def _start(
    supervisor: Dest, function: Callable[..., Any], args: tuple[Any, ...], shutdown: Shutdown, *, is_linked: bool
) -> Task:
    me = current_process("a task")
    running = Supervised(me.pid, arguments.callable_("a task", function), args)
    spec = ChildSpec(function_name(function), supervised, (running,), "temporary", shutdown)
    pid = await Supervisor.start_child(supervisor, spec)
    if pid is None or pid.process is None:
        raise TaskError(pid, "it was ended before it began")
    client = Client(me, pid.process)
    if is_linked:
        link(pid)
    pid << (running.mark, client)
    return Task(client)
