"""Task: a process that computes one value for the process that started it.

The life of a task: `Task.start(function, ...)` -> it runs, linked to its owner -> its value comes as a reply, or its
end as a Down -> `result`, `yield_`, `shutdown` or `ignore` takes that, in the owner.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from midflight.errors import TaskError, TaskTimeout
from midflight.kernel import TIMED_OUT, Client, Pid, arguments, current_process, exit
from midflight.otp.task_many import await_many, yield_many
from midflight.otp.task_process import Outcome, begin, outcome_of
from midflight.otp.task_stream import stream
from midflight.text import short

__all__ = ["Task"]


class Task:
    """A task, as its owner holds it. `pid` is its process, `ref` the mark of its messages.

    Only the owner, the process that started it, may ask for its value, and while it does not, the value may come to
    it as an ordinary message: (task.ref, value). A task that fails ends its owner too, if linked, unless that traps
    exits; and its process makes a crash report.
    OTP: Elixir's Task; its Task.async is `start`, since Python has a keyword by that name. `result` may be asked for
    again, and raises what the task raised.

    Example:

        task = Task.start(sum, [1, 2])
        await task.result()  # -> 3
    """

    __slots__ = ("_client", "outcome", "owner", "pid", "ref")

    def __init__(self, client: Client) -> None:
        """Take the task whose value comes to `client`; programs call `start` or `start_nolink`."""
        self._client = self.ref = client
        self.outcome: Outcome | None = None  # once it has come, and was asked for
        self.owner = self._client.pid
        self.pid: Pid = self._client.target

    @classmethod
    def start(cls, function: Callable[..., Any], *args: Any) -> Task:
        """Start `function(*args)`, async or plain, in a process linked to the caller.

        Raises: NotInProcess; TypeError if `function` is not callable.

        Example:

            task = Task.start(pow, 2, 10)
            await task.result()  # -> 1024
        """
        return cls(begin(function, args, is_linked=True))

    @classmethod
    def start_nolink(cls, function: Callable[..., Any], *args: Any) -> Task:
        """Start `function(*args)` in a process of its own fate: if it fails, only its owner is told.

        It runs on if its owner ends. Under a supervisor: TaskSupervisor.start_nolink. OTP: Elixir has that one only.

        Example:

            task = Task.start_nolink(int, "no number")
            outcome, reason = await task.yield_()
            outcome, type(reason).__name__  # -> ('exit', 'ValueError')
        """
        return cls(begin(function, args, is_linked=False))

    stream = staticmethod(stream)
    await_many = staticmethod(await_many)
    yield_many = staticmethod(yield_many)

    async def result(self, timeout: float | None = 5) -> Any:
        """Wait for the task and return its value. `timeout` is in seconds, None for no limit.

        Raises: what the task raised; TaskError if it ended for another reason; TaskTimeout: its value is then lost,
        and it runs on; TaskError in another process than its owner; ValueError for a negative timeout.
        OTP: Elixir's Task.await/2, which exits.

        Example:

            task = Task.start(sum, [1, 2])
            await task.result(timeout=1)  # -> 3
        """
        outcome = await self.yield_(timeout)
        if outcome is None:
            assert timeout is not None
            self.abandon()
            raise TaskTimeout(self.pid, timeout)
        status, value = outcome
        if status == "ok":
            return value
        if isinstance(value, Exception):
            raise value
        raise TaskError(self.pid, value)

    async def yield_(self, timeout: float | None = 5) -> Outcome | None:
        """Wait for the task; return ("ok", value), ("exit", reason), or None if it runs still: then ask again.

        Raises: TaskError in another process than its owner; TypeError or ValueError for a wrong timeout.
        OTP: Elixir's Task.yield/2.

        Example:

            task = Task.start(sleep, 0.01)
            await task.yield_(timeout=0)  # -> None
            await task.yield_()  # -> ('ok', None)
        """
        seconds = arguments.timeout("a task: timeout", timeout)
        self.check_owner()
        if self.outcome is None:
            message = await self._client.wait(seconds)
            if message is not TIMED_OUT:
                self.outcome = outcome_of(message)
        return self.outcome

    async def shutdown(self, timeout: float | Literal["brutal_kill"] | None = 5) -> Outcome | None:
        """Unlink the task and end it: by "shutdown", after `timeout` seconds by `kill`, or by `kill` at once.

        Returns: ("ok", value) if it was done before; None if it ended for that; else ("exit", reason).
        Raises: as `yield_`. OTP: Elixir's Task.shutdown/2.

        Example:

            task = Task.start(sleep, 60)
            await task.shutdown()  # -> None
            is_alive(task.pid)  # -> False
        """
        wanted: object = timeout
        is_brutal = type(wanted) is str and wanted == "brutal_kill"
        if type(wanted) is str and not is_brutal:
            raise ValueError(
                f'shutdown: timeout must be seconds, "brutal_kill" or None, not {short(timeout)}; it runs on'
            )
        seconds = None if is_brutal else arguments.timeout("shutdown: timeout", timeout)
        self.check_owner()
        self.unlink()
        exit(self.pid, "kill" if is_brutal else "shutdown")
        outcome = await self.yield_(seconds)
        if outcome is None:
            exit(self.pid, "kill")
            outcome = await self.yield_(None)
        assert outcome is not None  # it was waited for without a limit
        status, reason = outcome
        asked = "killed" if is_brutal else "shutdown"
        # A reason may be anything, an array too, whose == answers no bool.
        return None if status == "exit" and type(reason) is str and reason == asked else outcome

    async def ignore(self) -> Outcome | None:
        """Unlink the task and let it run on; return its outcome if there is one already, as `yield_`.

        Its value is dropped when it comes. Raises: as `yield_`. OTP: Elixir's Task.ignore/1.

        Example:

            task = Task.start(sleep, 60)
            await task.ignore()  # -> None
            is_alive(task.pid)  # -> True
        """
        outcome = await self.yield_(0)
        self.unlink()
        self.abandon()
        return outcome

    def check_owner(self) -> None:
        """Raise TaskError in another process than the owner."""
        if current_process("a task's result").pid is not self.owner:
            raise TaskError(self.pid, f"only its owner {self.owner!r} may ask")

    def abandon(self) -> None:
        """Drop the value of the task, when it comes; it runs on."""
        self._client.abandon()

    def unlink(self) -> None:
        """Unlink the task from its owner, wherever this is called. Nothing happens if it is not linked."""
        self._client.unlink()

    def __repr__(self) -> str:
        return f"<Task {self.pid!r} of {self.owner!r}>"
