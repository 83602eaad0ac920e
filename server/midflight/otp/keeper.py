"""`Keeper`: who keeps the state of a server beyond its process, and may hold its replies back until that is done."""

from __future__ import annotations

from typing import Any, Protocol

from midflight.kernel import Client

__all__ = ["Keeper"]


class Keeper(Protocol):
    """Keeps the state of a server: is told by its loop, in its process. Only `let_go` may wait.

    `Serving.keeper` is set before init is done; without one a message costs nothing more.
    """

    def between(self, server: Any) -> None:
        """Take note of the state: after init, after each message was handled, and after the `terminate` of a Stop.

        Not after a callback that raised or was interrupted: what it had changed is half a change. What this raises
        ends the server.
        """

    def hold(self, client: Client, value: object) -> None:
        """Hold back a reply to a call: of handle_call, of `reply`, or of a Stop. Called in place of the answer.

        To let it go, on the scheduler's thread: set `client.hold` to None, and call `client.answer(value)`. A call
        that gave up meanwhile takes no answer. A reply that is never let go ends as the call does: by its timeout, or
        by the end of the server.
        """

    async def let_go(self) -> None:
        """Wait until every reply is let go: after a Stop the server ends, and who waits longer would get that end."""
