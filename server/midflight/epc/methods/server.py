"""Methods about the server itself.

(call 2 ping nil)           (return 2 "pong")
(call 3 server/stop nil)    (return 3 t), and the server ends
"""

from __future__ import annotations

import os
import platform

from midflight.epc.method import AnswerThen, Lane, Method
from midflight.epc.rendezvous import PROTOCOL
from midflight.epc.services import Services

__all__ = ["ServerMethods", "describe"]


def describe(services: Services) -> dict[str, object]:
    """Return what a client learns on connecting."""
    return {
        "protocol": PROTOCOL,
        "version": services.version,
        "python": platform.python_version(),
        "root": str(services.root),
        "pid": os.getpid(),
    }


class ServerMethods:
    """The server, as any connection may use it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("ping", self.ping, Lane.AT_ONCE),
            Method("server/info", self.info),
            Method("server/stop", self.stop),
        )

    def ping(self) -> str:
        """Say that the server reads."""
        return "pong"

    def info(self) -> dict[str, object]:
        """Say what the server is, as on connecting, and how many processes it runs."""
        return describe(self._services) | {"processes": len(self._services.scheduler.processes)}

    def stop(self) -> AnswerThen:
        """End the server: processes get the exit signal shutdown, connections are closed."""
        return AnswerThen(True, self._services.stop)
