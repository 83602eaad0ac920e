"""The endpoints at which a node listens, and that it joins, as Zenoh has them, such as "tcp/127.0.0.1:7447".

Law: without TLS a node talks to its own machine only, for what it sends can be read on the way.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from midflight.cluster.errors import ClusterError

__all__ = ["ANY_PORT", "checked_endpoints", "checked_node_name"]

ANY_PORT = "tcp/127.0.0.1:0"
_TCP = re.compile(r"tcp/(?:\[([^\]]+)\]|([^:/\[\]#?]+)):(\d{1,5})")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}(?:@[A-Za-z0-9._-]{1,128})?")


def checked_endpoints(what: str, given: str | Iterable[str]) -> list[str]:
    """Return endpoints; one may be given alone, and "HOST:PORT" means "tcp/HOST:PORT".

    Raises: ClusterError for another text, and for an endpoint that is not of this machine.
    """
    several = [given] if isinstance(given, str) else list(given)
    return [_checked(what, each) for each in several]


def _checked(what: str, given: str) -> str:
    endpoint = given if "/" in given else f"tcp/{given}"
    match = _TCP.fullmatch(endpoint)
    if match is None or int(match[3]) > 65535:
        raise ClusterError(f"{what}: {given!r} is not an endpoint; no node was started. One is tcp/127.0.0.1:7447")
    host = match[1] or match[2]
    if not _is_loopback(host):
        raise ClusterError(
            f"{what}: {given!r} is not of this machine, and what nodes send is not encrypted; no node was started. "
            "Take tcp/127.0.0.1:PORT, at either end of a tunnel (ssh -L) for another machine"
        )
    return endpoint


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_node_name(name: object) -> str:
    """Return the name of a node. Raises: ClusterError for what cannot be one."""
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise ClusterError(
            f"{name!r} is not a name of a node; none was started. It has a letter first, then letters, digits, _ and "
            "-, 64 at the most, and perhaps @host"
        )
    return str(name)
