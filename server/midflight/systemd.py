"""Words to the service manager that started this program: it is ready, it is alive, it stops. Made for systemd.

The protocol is that of sd_notify(3): a datagram of lines, to the socket that $NOTIFY_SOCKET names. Law: a word that
cannot be sent is dropped; a server runs on without a manager that listens.
"""

from __future__ import annotations

import asyncio
import os
import socket

__all__ = ["keep_alive", "tell"]


def tell(*lines: str) -> bool:
    """Send lines such as "READY=1" in one datagram; say whether a manager took them."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]  # of Linux's abstract namespace
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stream:
            stream.setblocking(False)  # a manager that does not read must not hold the event loop up
            stream.sendto("\n".join(lines).encode(), address)
    except OSError:
        return False
    return True


async def keep_alive() -> None:
    """Say in time that this event loop runs, as long as the manager asks for it; return if it does not.

    It is asked for by `WatchdogSec=` of a unit. Of each period half is left for a loop that is busy.
    """
    seconds = _watchdog_seconds()
    while seconds is not None:
        tell("WATCHDOG=1")
        await asyncio.sleep(seconds / 2)


def _watchdog_seconds() -> float | None:
    """Return the period after which the manager takes this program for dead; None if it does not watch."""
    try:
        seconds = int(os.environ.get("WATCHDOG_USEC", "")) / 1_000_000
        watched = int(os.environ.get("WATCHDOG_PID", os.getpid()))
    except ValueError:
        return None
    return seconds if seconds > 0 and watched == os.getpid() else None
