"""`Server`: the connections of a project's server, from the door to the news of loads.

Everybody on the machine can connect to a port. Until it is let in (see door.py) a connection has one thread; when
too many stand at the door, the one that came first is shown out, so that nobody can lock the others out by standing
there. One that is admitted gives its thread back: from then on the I/O thread reads it.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from socketserver import ThreadingMixIn
from typing import Any

from epc.server import EPCServer

from midflight.epc.connection import Connection
from midflight.epc.door import AUTHENTICATE_SECONDS, FIRST_FRAME_LIMIT, Doorkeeper
from midflight.epc.io_thread import IoThread
from midflight.epc.listeners import Listeners
from midflight.epc.method import Method
from midflight.epc.pushes import Events
from midflight.epc.wire import PAYLOAD_LIMIT, encode
from midflight.epc.workers import Workers
from midflight.kernel import trouble

__all__ = ["Server", "ServerConnection"]

_DOOR_LIMIT = 16
_PEERS_LIMIT = 256
_NAMED_CLIENTS = 5
_STOP_SECONDS = 2.0
_log = logging.getLogger("midflight.epc")


class ServerConnection(Connection):
    """A peer of the server: it goes through the door before anything else, and gets reports afterwards."""

    server: Server

    def setup(self) -> None:
        """Give the connection the small limits of one that is not admitted."""
        super().setup()
        self.frames.limit = FIRST_FRAME_LIMIT
        self.frames.skip_oversized = False
        self.number = 0
        self.client = ""

    @property
    def title(self) -> str:
        """A title for people: "Emacs 28.2, connection 1"; without the first part for a client that gave no name."""
        return f"{self.client}{', ' if self.client else ''}connection {self.number}"

    def admit(self) -> bool:
        """Let the peer through the door, or say that it is to be closed."""
        uid = self.server.doorkeeper.admit(self.request, self.frames)
        if uid is None:
            return False
        self.frames.limit = PAYLOAD_LIMIT
        self.frames.skip_oversized = True
        self.reports = Events(self)
        self.methods = self.server.methods_of(self)
        answer = encode("return", uid, self.server.describe())
        with self.outbox.lock:  # a report must not come before the answer
            number = self.server.let_in(self)
            if number is not None:
                self.number = number
                self.outbox.put(answer)
        if number is None:
            self.request.sendall(encode("return-error", uid, self.server.crowd()))
        return number is not None


class Server(ThreadingMixIn, EPCServer):  # type: ignore[misc]  # epc has no type hints
    """The EPC server of one project.

    It listens on `port` of 127.0.0.1, 0 for a free one and None for no port, and on the Unix socket that it is given.
    `methods_of` gives each admitted connection its own table of methods; `describe` is what it is told first. Neither
    is called before the peer has shown that it has the cookie; `plain_cookie` lets it show the cookie itself.
    """

    daemon_threads = True  # a connection's thread ends with its socket; the interpreter need not wait for it

    def __init__(
        self,
        cookie: str,
        methods_of: Callable[[ServerConnection], Mapping[str, Method]],
        describe: Callable[[], Mapping[str, object]],
        *,
        port: int | None = 0,
        plain_cookie: bool = True,
        authenticate_seconds: float = AUTHENTICATE_SECONDS,
        door_limit: int = _DOOR_LIMIT,
        peers_limit: int = _PEERS_LIMIT,
    ) -> None:
        self.doorkeeper = Doorkeeper(cookie, plain_cookie, authenticate_seconds)
        self.methods_of = methods_of
        self.describe = describe
        self._door_limit = door_limit
        self._peers_limit = peers_limit
        self.io = IoThread("midflight-epc-io")
        self.workers = Workers("midflight-epc-worker")
        self._changed = threading.Condition()
        self._door: list[ServerConnection] = []
        self._peers: list[ServerConnection] = []
        self._numbers = 0
        EPCServer.__init__(self, ("127.0.0.1", port), ServerConnection, bind_and_activate=False)
        self.socket.close()  # it could listen on one address only
        self.listeners = Listeners()
        self.port = None if port is None else self.listeners.open_port(port)
        self._thread = threading.Thread(target=self._accept, name="midflight-epc-accept", daemon=True)

    def peers(self) -> tuple[ServerConnection, ...]:
        """The admitted connections, in the order they came."""
        with self._changed:
            return tuple(self._peers)

    def report(self, method: str, plist: dict[str, object], *, but: ServerConnection | None = None) -> None:
        """Push `method` with `plist` to every admitted connection but one. Never waits for any of them."""
        for peer in self.peers():
            if peer is not but:
                peer.reports.add(method, plist)

    def let_in(self, connection: ServerConnection) -> int | None:
        """Count `connection` among the admitted; return its number, from 1, or None if there are too many."""
        with self._changed:
            if len(self._peers) >= self._peers_limit:
                return None
            self._door.remove(connection)
            self._peers.append(connection)
            self._numbers += 1
            self._changed.notify_all()
            return self._numbers

    def crowd(self) -> str:
        """Return the refusal of a connection too many: the number of connections, their programs, and the remedy."""
        clients = Counter(peer.client or "unnamed" for peer in self.peers())
        names = ", ".join(f"{count} of {client}" for client, count in clients.most_common(_NAMED_CLIENTS))
        return (
            f"The server takes {self._peers_limit} connections and has as many ({names}); this one was closed and "
            "nothing changed. Close one that nobody needs: C-c C-x c in an Emacs that is connected lists them."
        )

    def start(self) -> None:
        """Accept connections in a thread of its own, until `stop`."""
        self.io.start()
        self._thread.start()

    def stop(self) -> None:
        """Accept no more connections, send all waiting data, and close them. Not callable from their threads."""
        if self._thread.is_alive():
            self.listeners.close()
            self._thread.join()
        self.listeners.let_go()
        self.server_close()
        deadline = time.monotonic() + _STOP_SECONDS  # for all of them: those who do not read wait together
        for peer in self.peers():
            peer.outbox.wait_empty(max(0.0, deadline - time.monotonic()))
        with self._changed:
            for connection in (*self._door, *self._peers):
                connection.cut()
            self._changed.wait_for(lambda: not self._door and not self._peers, _STOP_SECONDS)
        self.io.stop()
        self.workers.stop()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Let a connection stand at the door, in this thread, until it is admitted or shut."""
        try:
            connection = ServerConnection(request, client_address, self)
            if connection.admit():
                connection.begin()
            else:
                connection.finish()
        except Exception:
            self.handle_error(request, client_address)
            self.shutdown_request(request)

    def _accept(self) -> None:
        # Not serve_forever: that one looks several times a second whether it should stop, at one socket.
        for connection in self.listeners.accepted():
            try:
                self.process_request(connection, "a client")
            except RuntimeError as error:
                text = "no thread can be started for a connection, which is closed"
                trouble.log_raised(_log, text, error, logging.WARNING)
                self.shutdown_request(connection)

    def add_client(self, handler: ServerConnection) -> None:
        """Let a connection stand at the door. Called by `epc` for each new one."""
        with self._changed:
            self._door.append(handler)
            # Other users crowd at the port only, where they do not push out those who came by the Unix socket.
            crowd = [other for other in self._door if other.is_tcp == handler.is_tcp]
            surplus = crowd[: -self._door_limit]
            self._changed.notify_all()
        for connection in surplus:
            connection.cut()

    def remove_client(self, handler: ServerConnection) -> None:
        """Forget a connection that has ended. Called by `epc`."""
        with self._changed:
            for connections in (self._door, self._peers):
                if handler in connections:
                    connections.remove(handler)
            self._changed.notify_all()

    def handle_error(self, request: socket.socket, _client_address: object) -> None:
        """Say nothing on stderr of a connection that broke: a port scan would fill the log."""
        _log.debug("a connection broke: %s", request, exc_info=True)
