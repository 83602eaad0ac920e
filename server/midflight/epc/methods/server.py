"""Methods about the server itself.

(call 2 ping nil)           (return 2 "pong")
(call 3 server/stop nil)    (return 3 t), and the server ends
(call 4 server/introduce ("Emacs 28.2"))    (return 4 t), and other people see who loads
"""

from __future__ import annotations

import os
import platform
import sys

from midflight.epc.method import AnswerThen, Lane, Method
from midflight.epc.methods.arguments import flags, text
from midflight.epc.methods.store import live_store, window_plist
from midflight.epc.server import ServerConnection
from midflight.epc.server_file import PROTOCOL
from midflight.epc.services import Services
from midflight.kernel import KERNEL
from midflight.shell import resident_bytes

__all__ = ["ServerMethods", "describe"]

_NAME_CHARACTERS = 60
_MOST_REFUSED = 100


def describe(services: Services) -> dict[str, object]:
    """Return the server's description for a client that connects."""
    return {
        "protocol": PROTOCOL,
        "version": services.version,
        "python": platform.python_version(),
        "root": str(services.root),
        "pid": os.getpid(),
    }


class ServerMethods:
    """The server, as any connection may use it."""

    def __init__(self, services: Services, connection: ServerConnection) -> None:
        self._services = services
        self._connection = connection

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("ping", self.ping, Lane.AT_ONCE),
            Method("server/introduce", self.introduce, Lane.AT_ONCE),
            Method("server/info", self.info),
            Method("server/memory", self.memory, Lane.AT_ONCE),
            Method("server/stop", self.stop),
        )

    def ping(self) -> str:
        """Say that the server reads."""
        return "pong"

    def introduce(self, name: object, options: object = None) -> bool:
        """Take NAME as the name of this connection that people see: "Emacs 28.2".

        OPTIONS: `:kinds`, to be told the kind of each error behind its text.
        """
        self._connection.tells_kinds = flags(options, ("kinds",)).get("kinds", False)
        words = " ".join(text(name, "NAME").split())
        self._connection.client = "".join(filter(str.isprintable, words))[:_NAME_CHARACTERS]
        return True

    def info(self) -> dict[str, object]:
        """Describe the server: as on connecting, with its kernel, how many processes, its connections, its failures.

        `:store` is nil without one, else its `:path`, and `:window`, as store/list has it; `:code`, whether the files
        or what ran last was to run; `:not-as-last`, a sentence for each module whose file was not what ran last; and
        `:refused`, the names and reasons of the states that the code does not take.
        """
        return describe(self._services) | {
            "kernel": KERNEL,
            "processes": len(self._services.scheduler.processes),
            "start_failures": list(self._services.start_failures),
            "store": self._store(),
            "connections": [peer.title for peer in self._connection.server.peers()],
        }

    def _store(self) -> dict[str, object] | None:
        states = self._services.scheduler.states
        if states is None:
            return None
        store = live_store(self._services)
        refused = [{"name": name, "why": why} for name, why in list(states.refusals.said.items())[:_MOST_REFUSED]]
        own = {"path": store.path, "window": window_plist(store), "code": states.code, "refused": refused}
        return own | {"not_as_last": states.last_run.said()}

    def memory(self) -> dict[str, object]:
        """Return the memory of the server: :total in bytes, nil where the system does not tell, :blocks of Python."""
        return {"total": resident_bytes(), "blocks": sys.getallocatedblocks()}

    def stop(self) -> AnswerThen:
        """End the server: processes get the exit signal shutdown, connections are closed."""
        return AnswerThen(True, self._services.stop)
