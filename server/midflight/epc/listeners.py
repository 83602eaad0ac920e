"""The sockets that a server listens on: a port of 127.0.0.1, a Unix socket, either or both.

The Unix socket may be exchanged while the server runs: when its file was removed, a new one takes its place. Only
processes of the same user are let in by a Unix socket; who may connect to the port, nobody can say, so there the
handshake alone decides.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import socket
import threading
from collections.abc import Iterator

from midflight.epc.forks import hold
from midflight.epc.peer_user import peer_of
from midflight.errors import PortTaken
from midflight.kernel import trouble

__all__ = ["Listeners"]

_BACKLOG = 64
_REST_SECONDS = 0.1
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_log = logging.getLogger("midflight.epc")


class Listeners:
    """The listening sockets of one server. `accepted` runs in one thread; the rest may be called from any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_family: dict[int, socket.socket] = {}
        self._replaced: list[socket.socket] = []
        self._is_over = False
        self._waker, self._woken = socket.socketpair()
        hold(self)

    def open_port(self, port: int) -> int:
        """Listen on a port of 127.0.0.1, 0 for a free one; return it. Raises: PortTaken."""
        try:
            listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG, reuse_port=False)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(port) from None
            raise
        self.add(listener)
        return int(listener.getsockname()[1])

    def add(self, listener: socket.socket) -> None:
        """Listen on `listener`, too, in place of an earlier one of its family."""
        listener.setblocking(False)
        with self._lock:
            before = self._by_family.get(listener.family)
            if before is not None:
                self._replaced.append(before)  # closed by the thread that may wait for it
            self._by_family[listener.family] = listener
        self._wake()

    def accepted(self) -> Iterator[socket.socket]:
        """Yield each connection that comes, until `close`."""
        while not self._is_over:
            waiting = select.poll()
            waiting.register(self._woken, select.POLLIN)
            with self._lock:
                listeners = {each.fileno(): each for each in self._by_family.values()}
                for each in self._replaced:
                    each.close()
                self._replaced.clear()
            for handle in listeners:
                waiting.register(handle, select.POLLIN)
            for handle, _ in waiting.poll():
                if handle not in listeners:
                    self._woken.recv(1)
                elif (connection := self._accept(listeners[handle])) is not None:
                    yield connection

    def close(self) -> None:
        """Listen no more and end `accepted`."""
        self._is_over = True
        self._wake()

    def let_go(self) -> None:
        """Close the sockets: at the end, and in a forked child its copies."""
        for each in (*self._by_family.values(), *self._replaced, self._waker, self._woken):
            each.close()

    def _accept(self, listener: socket.socket) -> socket.socket | None:
        try:
            connection, _ = listener.accept()
        except OSError as error:
            if error.errno in _EXHAUSTED:
                # The one that waits would have the loop turn at full speed until a descriptor is free.
                trouble.log(_log, logging.WARNING, f"no connection can be taken: {error}")
                select.poll().poll(_REST_SECONDS * 1000)
            return None
        connection.setblocking(True)
        if connection.family == socket.AF_UNIX:
            peer = peer_of(connection)
            if peer is not None and peer.user != os.getuid():
                trouble.log(_log, logging.WARNING, f"a process of user {peer.user} was turned away")
                connection.close()
                return None
        return connection

    def _wake(self) -> None:
        try:
            self._waker.send(b"\0")
        except OSError:
            pass  # closed already
