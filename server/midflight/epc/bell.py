"""The bell of a server: a name by which the living server is reached though its files are gone.

Cleaners of temporary folders and the end of a login session remove files of servers that live on. The bell is a Unix
socket with an abstract name (Linux): it is in no folder, so nothing removes it, and the system takes it down with the
process. Nothing is said through it. Who rings waits until the server has put its files back, and reads those.

Laws: only the same user is answered, and only the same user's answer counts, since anybody may take an abstract name.
Everybody who rings has an end of waiting.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from midflight.epc.peer_user import peer_of

__all__ = ["Bell", "Heard", "Ring", "ring"]

_SECONDS = 2.0


class Ring(Enum):
    """The outcome of ringing."""

    NOBODY = auto()  # no server of this user's has the name
    ANSWERED = auto()  # its files are as it can make them
    SILENT = auto()  # it lives, but does not answer: it is stopped, say


@dataclass(frozen=True, slots=True)
class Heard:
    """The outcome of ringing, and the process id of the server that has the bell, if that is known."""

    ring: Ring
    pid: int | None = None


class Bell:
    """The bell of a running server, with its listening socket."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener

    @classmethod
    def hang(cls, name: bytes) -> Bell | None:
        """Take the name; None if another program has it, or there are no such names here."""
        if not _has_abstract_names():
            return None
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(b"\0" + name)
            listener.listen(16)
            listener.setblocking(False)
        except OSError:
            listener.close()
            return None
        return cls(listener)

    def answer(self, do: Callable[[], object]) -> None:
        """Call `do` if a client has rung, then answer that client; do nothing if nobody has."""
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        with connection:
            peer = peer_of(connection)
            if peer is None or peer.user != os.getuid():
                return
            do()
            try:
                connection.send(b"1")
            except OSError:
                pass  # it does not wait any more

    def close(self) -> None:
        """Give the name up."""
        self.listener.close()


def ring(name: bytes, seconds: float = _SECONDS) -> Heard:
    """Ring the bell `name` and wait for the answer, `seconds` at most."""
    if not _has_abstract_names():
        return Heard(Ring.NOBODY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(b"\0" + name)
        except OSError:
            return Heard(Ring.NOBODY)
        peer = peer_of(connection)
        if peer is None or peer.user != os.getuid():
            return Heard(Ring.NOBODY)
        try:
            is_answered = connection.recv(1) == b"1"
        except OSError:
            is_answered = False
        return Heard(Ring.ANSWERED if is_answered else Ring.SILENT, peer.process)


def _has_abstract_names() -> bool:
    return sys.platform == "linux"
