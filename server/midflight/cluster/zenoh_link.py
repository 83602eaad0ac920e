"""The network: a Zenoh session of this node. No other file knows Zenoh.

What is where: `midflight/1/node/NAME/CREATION` is the liveliness token of a node, `midflight/1/to/NAME/CREATION` takes
the packets for it. Sessions find each other by the endpoints that are given, and by gossip from those that they have
met; nothing is sent to a multicast address. A session without the cookie is refused before it is told any name: the
user name and password of Zenoh's transport are made of the cookie.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from typing import Any

from midflight.cluster.endpoints import ANY_PORT
from midflight.cluster.errors import ClusterError

try:
    import zenoh
except ImportError as error:
    raise ClusterError(
        "nodes need the package eclipse-zenoh, which is not installed; no node was started. "
        'Install it with: pip install "midflight[cluster]"'
    ) from error

__all__ = ["ZenohLink"]

ROOT = "midflight/1"
_USER = "midflight"
HUNG_SECONDS = 60  # a node that takes nothing for so long is lost. OTP: net_ticktime


class ZenohLink:
    """A `Link` over Zenoh: `listen` and `join` are checked endpoints."""

    def __init__(self, cookie: bytes, listen: Sequence[str], join: Sequence[str]) -> None:
        self._cookie = cookie
        self._listen, self._join = list(listen) or [ANY_PORT], list(join)
        self._publishers: dict[tuple[str, int], Any] = {}
        self._lock = threading.Lock()
        self._declared: list[Any] = []
        self._session: Any = None

    def open(self, name: str, creation: int, heard: Callable[[Any, int], object]) -> None:
        """Open the session, listen, then say that this node is there. Raises: ClusterError."""

        def on_packet(sample: Any) -> None:
            packet = sample.payload.to_bytes()
            heard(("packet", packet), len(packet))

        def on_token(sample: Any) -> None:
            *_, node, number = str(sample.key_expr).split("/")
            kind = "up" if sample.kind == zenoh.SampleKind.PUT else "down"
            if number.isdecimal():
                heard((kind, node, int(number)), 0)

        with tempfile.TemporaryDirectory(prefix="midflight-") as folder:
            try:
                self._session = zenoh.open(self._config(folder))
            except zenoh.ZError as error:
                where = ", ".join(self._listen)
                raise ClusterError(f"node {name} cannot listen on {where}: {error}; it was not started") from error
        direct = zenoh.handlers.Callback
        session = self._session
        # Listening first: who sees the token may send.
        self._declared = [
            session.declare_subscriber(f"{ROOT}/to/{name}/{creation}", direct(on_packet, indirect=False)),
            session.liveliness().declare_token(f"{ROOT}/node/{name}/{creation}"),
            session.liveliness().declare_subscriber(f"{ROOT}/node/*/*", direct(on_token, indirect=False), history=True),
        ]

    def _config(self, folder: str) -> Any:
        password = hashlib.sha256(b"midflight transport" + self._cookie).hexdigest()
        dictionary = os.path.join(folder, "users")
        with open(os.open(dictionary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{_USER}:{password}\n")
        config = zenoh.Config()
        for key, value in {
            "mode": "peer",
            "scouting/multicast/enabled": False,
            "scouting/delay": 0,
            "open/return_conditions/connect_scouted": False,
            "open/return_conditions/declares": False,
            "listen/endpoints": self._listen,
            "connect/endpoints": self._join,
            "connect/exit_on_failure": False,
            "connect/timeout_ms": -1,  # the others may be started later
            "connect/retry": {"period_init_ms": 200, "period_max_ms": 2000, "period_increase_factor": 2},
            "transport/link/tx/queue/congestion_control/block/wait_before_close": HUNG_SECONDS * 1_000_000,
            "transport/auth/usrpwd/user": _USER,
            "transport/auth/usrpwd/password": password,
            "transport/auth/usrpwd/dictionary_file": dictionary,
            "transport/shared_memory/enabled": False,
        }.items():
            config.insert_json5(key, json.dumps(value))
        return config

    def send(self, name: str, creation: int, packet: bytes) -> None:
        """Send a packet; blocks while the way is full. Raises: zenoh.ZError."""
        key = name, creation
        publisher = self._publishers.get(key)
        if publisher is None:
            with self._lock:
                publisher = self._publishers.get(key)
                if publisher is None:
                    publisher = self._publishers[key] = self._session.declare_publisher(
                        f"{ROOT}/to/{name}/{creation}",
                        congestion_control=zenoh.CongestionControl.BLOCK,
                        reliability=zenoh.Reliability.RELIABLE,
                        express=True,
                    )
        publisher.put(packet)

    def endpoints(self) -> list[str]:
        """Return where the session listens."""
        return self._listen

    def close(self) -> None:
        """Take the token away and close the session."""
        session, self._session = self._session, None
        if session is not None:
            session.close()
