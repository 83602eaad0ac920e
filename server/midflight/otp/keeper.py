"""`Keeper`: the keeper of one server's state beyond its process. It may hold replies back until the state is safe.

`midflight.durable` is behind it. The life of a kept server: `keeper_of` when it starts -> `restore`, or its init ->
`begin` -> for each message `between`, `take` and the callback -> `end`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from midflight.errors import NotDurable
from midflight.kernel import Client, Process

__all__ = ["Keeper", "States", "is_refused_state", "keeper_of", "mark_refused_state"]

_MARK = "__midflight_refused_state__"  # of an exception


class Keeper(Protocol):
    """Keeps the state of a server: is told by its loop, in its process. Only what is async may wait.

    `Serving.keeper` is set before init is done; without one a message costs nothing more.

    `hold(client, value)` is called in place of the answer to a call, of handle_call, of `reply`, or of a Stop; None
    holds nothing back. To let a reply go, on the scheduler's thread: set `client.hold` to None, and call
    `client.answer(value)`. A call that gave up meanwhile takes no answer. A reply that is never let go ends as the call
    does: by its timeout, or by the end of the server.
    """

    hold: Callable[[Client, object], object] | None

    async def restore(self) -> Any:
        """Return the server with the state that was kept; None if there is none, and init makes it.

        Raises: NotDurable, MigrationError; what its code_change raises: marked by `mark_refused_state`, for another
        start finds the same.
        """

    async def begin(self, server: Any) -> None:
        """Keep the first state, after init or `restored`. Raises: NotDurable; StoreError."""

    def between(self, server: Any) -> None:
        """Take note of the state: after init, and after each message was handled, a last one that raised Stop too.

        Not after a callback that raised or was interrupted: what it had changed is half a change. What this raises
        ends the server.
        """

    def take(self) -> None:
        """Note that a message is taken: until the next `between` the state is not to be looked at."""

    def changed(self, server: Any) -> None:
        """Note that code_change has made the state that the server has now."""

    def end(self, reason: object) -> None:
        """Note that the process ends with this reason, before `terminate` runs; the state before counts."""

    async def let_go(self) -> None:
        """Wait until every reply is let go: the server ends, and a caller that waits longer would get that end."""


class States(Protocol):
    """The states of a runtime's durable servers: the scheduler's `states`."""

    def keep(self, cls: type[Any], args: tuple[Any, ...], process: Process) -> Keeper:
        """Return the keeper of a server that starts in `process`. Raises: NotDurable; AlreadyStarted."""

    def note_left_out(self) -> None:
        """Note that a supervisor goes on without a child: it did not start, by an exception that is marked."""


def keeper_of(cls: type[Any], args: tuple[Any, ...], process: Process) -> Keeper:
    """Return the keeper of a server of class `cls`, which is durable.

    Raises: NotDurable if it cannot be kept; AlreadyStarted if a live server has its key.
    """
    if cls.durable is not True and cls.durable != "sync":
        raise NotDurable(f'{cls.__qualname__}.durable must be False, True or "sync", not {cls.durable!r}; not started')
    core: Any = process.core
    states: States | None = core.states
    if states is None:
        raise NotDurable(
            f"{cls.__qualname__} is durable, and the runtime has no store; it was not started. Give it one: "
            'Runtime(store="state.sqlite"), store = "state.sqlite" in [tool.midflight], or midflight serve --store'
        )
    return states.keep(cls, args, process)


def mark_refused_state(error: Exception) -> None:
    """Mark an exception by which a server did not start: its code does not take the state that was kept."""
    with suppress(AttributeError, TypeError):  # of a class that has no room: its child is started again, in vain
        setattr(error, _MARK, True)


def is_refused_state(error: BaseException) -> bool:
    """Say whether a server did not start because its code does not take the state that was kept."""
    return getattr(error, _MARK, False) is True
