"""`Agent`: a process that keeps one value, read and changed by the functions that it is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from midflight.kernel import Client, arguments
from midflight.otp import calls
from midflight.otp.gen_server import GenServer
from midflight.otp.protocol import Dest, Name, value_of
from midflight.otp.starting import Starting

__all__ = ["Agent"]


class Agent(GenServer):
    """A process around one value. Its functions that take an agent are called on the class: `await Agent.get(pid, f)`.

    The functions that are sent, async or plain, run in the agent's process, one after the other; while one waits the
    others wait. One that raises ends the agent, and its caller gets a CallError. `stop(agent)` ends it.
    OTP: Elixir's Agent.

    Example:

        pid = await Agent.start(list, (1, 2))
        await Agent.update(pid, lambda numbers: [*numbers, 3])
        await Agent.get(pid, sum)  # -> 6
        await Agent.get_and_update(pid, lambda numbers: (len(numbers), []))  # -> 3
        await Agent.get(pid, list)  # -> []
    """

    state: Any

    # --- What its clients call ------------------------------------------------------------------------------

    @classmethod
    def start(  # type: ignore[override]  # an agent's first argument is a function
        cls, function: Callable[..., Any], *args: Any, name: str | Name | None = None, timeout: float | None = None
    ) -> Starting:
        """Start an agent whose value is that of `function(*args)`, and wait until it has it; to be awaited for the pid.

        Raises: what the function raises; as GenServer.start. OTP: Elixir's Agent.start/2.
        """
        arguments.callable_("an agent", function)
        return super().start(function, *args, name=name, timeout=timeout)

    @classmethod
    def start_link(  # type: ignore[override]  # an agent's first argument is a function
        cls, function: Callable[..., Any], *args: Any, name: str | Name | None = None, timeout: float | None = None
    ) -> Starting:
        """Start an agent as `start` does, linked to the caller. OTP: Elixir's Agent.start_link/2."""
        arguments.callable_("an agent", function)
        return super().start_link(function, *args, name=name, timeout=timeout)

    @staticmethod
    async def get(agent: Dest, function: Callable[..., Any], *args: Any, timeout: float | None = 5) -> Any:
        """Return `function(value, *args)`, called in the agent. Raises: as `call`. OTP: Elixir's Agent.get/3."""
        return await _call(agent, "get", function, args, timeout)

    @staticmethod
    async def update(agent: Dest, function: Callable[..., Any], *args: Any, timeout: float | None = 5) -> None:
        """Make `function(value, *args)` the value. Raises: as `call`. OTP: Elixir's Agent.update/3."""
        await _call(agent, "update", function, args, timeout)

    @staticmethod
    async def get_and_update(agent: Dest, function: Callable[..., Any], *args: Any, timeout: float | None = 5) -> Any:
        """Take (answer, value) from `function(value, *args)`: make the one the value, and return the other.

        Raises: as `call`. The agent ends with a TypeError if it returns anything else.
        OTP: Elixir's Agent.get_and_update/3.
        """
        return await _call(agent, "get_and_update", function, args, timeout)

    @staticmethod
    def cast(agent: Dest, function: Callable[..., Any], *args: Any) -> None:
        """Make `function(value, *args)` the value, and wait for nothing. OTP: Elixir's Agent.cast/2."""
        calls.cast(agent, (arguments.callable_("an agent", function), args))

    # --- Callbacks ------------------------------------------------------------------------------------------

    async def init(self, function: Callable[..., Any], *args: Any) -> None:
        """Take the first value."""
        self.state = await value_of(function(*args))

    async def handle_call(self, request: Any, client: Client) -> Any:  # noqa: ARG002  # answered at once
        """Call the function that a client has sent."""
        kind, function, args = request
        value = await value_of(function(self.state, *args))
        if kind == "get":
            return value
        if kind == "update":
            self.state = value
            return None
        if type(value) is not tuple or len(value) != 2:
            raise TypeError(f"get_and_update: the function must return (answer, value), not {value!r}")
        answer, self.state = value
        return answer

    async def handle_cast(self, message: Any) -> None:
        """Call a function that nobody waits for."""
        function, args = message
        self.state = await value_of(function(self.state, *args))


async def _call(agent: Dest, kind: str, function: Any, args: tuple[Any, ...], timeout: float | None) -> Any:
    request = (kind, arguments.callable_("an agent", function), args)
    return await calls.call(agent, request, timeout)
