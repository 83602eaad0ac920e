"""Methods about debugpy: a session of the Debug Adapter Protocol, carried over the wire.

(call 5 debug/open nil)                                         (return 5 1)
(call 6 debug/send (1 "{\\"seq\\": 1, \\"type\\": \\"request\\", \\"command\\": \\"initialize\\"}"))    (return 6 t)
(call 1 debug/message (1 "{\\"seq\\": 1, \\"type\\": \\"response\\", \\"command\\": \\"initialize\\", ...}"))
"""

from __future__ import annotations

import json
import threading
from itertools import count
from typing import Any

from midflight.dap import DebugSession
from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import number, text
from midflight.epc.server import ServerConnection
from midflight.epc.services import Services
from midflight.errors import ConnectionLost, NotFound, RequestError

__all__ = ["DebugMethods"]

_numbers = count(1)


class DebugMethods:
    """The session of one connection, if it has one."""

    def __init__(self, services: Services, connection: ServerConnection) -> None:
        self._scheduler = services.scheduler
        self._connection = connection
        self._session: tuple[int, DebugSession] | None = None
        self._lock = threading.Lock()

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("debug/open", self.open, Lane.ASIDE),
            Method("debug/send", self.send, Lane.AT_ONCE),
            Method("debug/close", self.close, Lane.ASIDE),
        )

    def open(self) -> int:
        """Begin a session; return its number. It ends with the connection.

        Raises: RequestError if debugpy is not installed, or somebody debugs this program already.
        """
        with self._lock:
            self._close()
            number = next(_numbers)
            session = DebugSession(self._scheduler, lambda message: self._push(number, message), self._connection.title)
            self._session = number, session
        self._connection.at_close(self._over)
        return number

    def send(self, session: object, message: object) -> bool:
        """Take MESSAGE, JSON, of the front end; what there is to answer comes as `debug/message`."""
        found = self._session
        if found is None or found[0] != number(session, "SESSION"):
            raise NotFound(f"this connection has no debugger {session}; nothing was done. Call debug/open.")
        try:
            request = json.loads(text(message, "MESSAGE"))
        except ValueError as error:
            raise RequestError(f"MESSAGE is not JSON ({error}); nothing was done. Send one message.") from None
        if not isinstance(request, dict):
            raise RequestError("MESSAGE must be a JSON object; nothing was done. Send one message.")
        found[1].receive(request)
        return True

    def close(self, session: object) -> bool:
        """End SESSION: breakpoints are gone, and all goes on. nil if it has ended."""
        with self._lock:
            if self._session is None or self._session[0] != number(session, "SESSION"):
                return False
            self._close()
        return True

    def _over(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._session is not None:
            self._session[1].close()
            self._session = None

    def _push(self, number: int, message: dict[str, Any]) -> None:
        try:
            self._connection.push("debug/message", [number, json.dumps(message, ensure_ascii=False)], lambda _: None)
        except ConnectionLost:
            pass  # the session ends with it
