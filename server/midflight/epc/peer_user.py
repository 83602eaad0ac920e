"""The user at the other end of a Unix socket: the system says who it is, so nobody can pretend."""

from __future__ import annotations

import socket
import struct
import sys
from typing import NamedTuple

__all__ = ["Peer", "peer_of"]


class Peer(NamedTuple):
    """The user id and, where the system says it, the process id of a peer, both as they were when it connected."""

    user: int
    process: int | None


if sys.platform == "linux":

    def _ask(connection: socket.socket) -> Peer:
        process, user, _ = struct.unpack("iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return Peer(user, process)

else:  # macOS and the BSDs: LOCAL_PEERCRED at level 0, whose struct xucred begins with its version and the user id

    def _ask(connection: socket.socket) -> Peer:
        _, user = struct.unpack("II", connection.getsockopt(0, 1, 8))
        return Peer(user, None)


def peer_of(connection: socket.socket) -> Peer | None:
    """Return the peer at the other end of a connected Unix socket; None where the system does not say."""
    try:
        return _ask(connection)
    except (OSError, struct.error):
        return None
