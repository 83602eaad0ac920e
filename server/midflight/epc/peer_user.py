"""The user at the other end of a socket: the system says who it is, so nobody can pretend."""

from __future__ import annotations

import socket
import struct
import sys
from typing import NamedTuple

__all__ = ["Peer", "peer_of", "user_of_port"]


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


def user_of_port(connection: socket.socket) -> int | None:
    """Return the user id of the program at the other end of a TCP connection on 127.0.0.1; None if nobody says."""
    ours, theirs = _hex(connection.getsockname()), _hex(connection.getpeername())
    try:
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table]
    except OSError:
        return None
    return next((int(row[7]) for row in rows if row[1:3] == [theirs, ours]), None)


def _hex(address: tuple[str, int]) -> str:
    """Return an IPv4 address and port as /proc/net/tcp writes them: 0100007F:1F90."""
    packed = int.from_bytes(socket.inet_aton(address[0]), sys.byteorder)
    return f"{packed:08X}:{address[1]:04X}"
