"""The one listening socket, on 127.0.0.1, and the door: who is let in, and how long it may stand there.

Everybody on the machine can connect. Until the first frame has shown the cookie, a connection has one thread,
256 bytes and 5 seconds; when too many stand at the door, the one that came first is shown out, so that nobody
can lock the others out by standing there. One that is admitted gives its thread back: from then on the I/O thread
reads it.
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
from midflight.epc.cookie import FIRST_FRAME_LIMIT, read_claim
from midflight.epc.io_thread import IoThread
from midflight.epc.method import Method
from midflight.epc.pushes import Events
from midflight.epc.wire import PAYLOAD_LIMIT, Frame, encode
from midflight.epc.workers import Workers
from midflight.errors import FrameError

__all__ = ["AUTHENTICATE_SECONDS", "Server", "ServerConnection"]

AUTHENTICATE_SECONDS = 5.0
"""How long a connection may take to show the cookie."""

_DOOR_LIMIT = 16
_PEERS_LIMIT = 256
_NAMED_CLIENTS = 5
_STOP_SECONDS = 2.0
_log = logging.getLogger("midflight.epc")


class ServerConnection(Connection):
    """A peer of the server: it shows the cookie before anything else, and gets reports afterwards."""

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
        """What people call it: "Emacs 28.2, connection 1"; without the first part if it has not introduced itself."""
        return f"{self.client}{', ' if self.client else ''}connection {self.number}"

    def admit(self) -> bool:
        """Compare the first frame with the cookie. What is neither right nor in time is closed.

        Only a frame of the right shape gets an answer: a program with an old cookie should say so, whoever
        else tries the port learns nothing.
        """
        try:
            first = self._first_frame(time.monotonic() + self.server.authenticate_seconds)
        except (OSError, FrameError) as error:
            _log.debug("turned away: %s", error)
            return False
        claim = read_claim(first.payload, self.server.cookie) if first else None
        if claim is None:
            return False
        if not claim.is_valid:
            self.request.sendall(
                encode("return-error", claim.uid, "The cookie is wrong; the connection is closed. Read it anew.")
            )
            return False
        self.frames.limit = PAYLOAD_LIMIT
        self.frames.skip_oversized = True
        self.reports = Events(self)
        self.methods = self.server.methods_of(self)
        answer = encode("return", claim.uid, self.server.describe())
        with self.outbox.lock:  # a report must not come before the answer
            number = self.server.let_in(self)
            if number is not None:
                self.number = number
                self.outbox.put(answer)
        if number is None:
            self.request.sendall(encode("return-error", claim.uid, self.server.crowd()))
        return number is not None

    def _first_frame(self, deadline: float) -> Frame | None:
        # The time limit is for the frame, not for each read: a byte a second would outlast that one for ever.
        while (event := self.frames.next_event()) is None:
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                return None
            self.request.settimeout(seconds)
            data = self.request.recv(FIRST_FRAME_LIMIT)
            if not data:
                return None
            self.frames.feed(data)
        return event if isinstance(event, Frame) else None


class Server(ThreadingMixIn, EPCServer):  # type: ignore[misc]  # epc has no type hints
    """The EPC server of one project.

    `methods_of` gives each admitted connection its own table of methods; `describe` is the answer to
    `authenticate`. Neither is called before the cookie was right.
    """

    daemon_threads = True  # a connection's thread ends with its socket; the interpreter need not wait for it
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self,
        cookie: str,
        methods_of: Callable[[ServerConnection], Mapping[str, Method]],
        describe: Callable[[], Mapping[str, object]],
        *,
        port: int = 0,
        authenticate_seconds: float = AUTHENTICATE_SECONDS,
        door_limit: int = _DOOR_LIMIT,
        peers_limit: int = _PEERS_LIMIT,
    ) -> None:
        self.cookie = cookie
        self.methods_of = methods_of
        self.describe = describe
        self.authenticate_seconds = authenticate_seconds
        self._door_limit = door_limit
        self._peers_limit = peers_limit
        self.io = IoThread("midflight-epc-io")
        self.workers = Workers("midflight-epc-worker")
        self._changed = threading.Condition()
        self._door: list[ServerConnection] = []
        self._peers: list[ServerConnection] = []
        self._numbers = 0
        EPCServer.__init__(self, ("127.0.0.1", port), ServerConnection)
        self._is_stopping = False
        self._thread = threading.Thread(target=self._accept, name="midflight-epc-accept", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

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
        """Return what a client hears that is one too many: how many there are, of which programs, what to do."""
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
        """Accept no more, send what waits, and close every connection. Not callable from their threads."""
        if self._thread.is_alive():
            self._is_stopping = True
            socket.create_connection(("127.0.0.1", self.port)).close()  # wakes the thread that accepts
            self._thread.join()
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
        # Not serve_forever: that one looks several times a second whether it should stop.
        while not self._is_stopping:
            self.handle_request()

    def add_client(self, handler: ServerConnection) -> None:
        """Let a connection stand at the door. Called by `epc` for each new one."""
        with self._changed:
            self._door.append(handler)
            surplus = self._door[: -self._door_limit]
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

    def handle_error(self, request: socket.socket, client_address: object) -> None:
        """Say nothing on stderr of a connection that broke: a port scan would fill the log."""
        _log.debug("a connection of %s broke: %s", client_address, request, exc_info=True)
