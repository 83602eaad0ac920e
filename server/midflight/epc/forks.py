"""Sockets and locks in a forked child: it lets go of its copies.

A child that keeps them keeps the connections of a killed server open, so its clients do not notice its death, and
keeps its files locked, so no other server can start. Children that run another program lose them anyway.

Law: a child closes its copies and does nothing else with them: to end a connection, or to remove a file, is the
parent's.
"""

from __future__ import annotations

import os
import socket
from typing import Protocol
from weakref import WeakSet

__all__ = ["Held", "hold", "let_go_of_all"]


class Held(Protocol):
    """Something with descriptors of its own."""

    def let_go(self) -> None:
        """Close the descriptors. Called in the child, where no other thread runs and locks may be taken for good."""


_all: WeakSet[Held | socket.socket] = WeakSet()
_is_registered = False


def hold(held: Held | socket.socket) -> None:
    """Have children that are forked from now on let go of `held`, as long as it lives."""
    global _is_registered
    _all.add(held)
    if not _is_registered:  # here, not at import: a program that only imports the package gets no hook
        _is_registered = True
        os.register_at_fork(after_in_child=let_go_of_all)


def let_go_of_all() -> None:
    """Let go of everything, in the child."""
    for held in list(_all):
        try:
            if not isinstance(held, socket.socket):
                held.let_go()
            elif held.fileno() >= 0:
                os.close(held.detach())  # not by its `close`, which waits for files that were made of it
        except OSError:
            pass  # closed before
    _all.clear()
