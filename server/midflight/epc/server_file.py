"""`ServerFile`: the text of NAME.json as a value, in which a server publishes itself, and the check of such a text.

{"name": "main", "port": 40123, "socket": "/run/user/1000/midflight/4f1c0a9d2b7e6853/main.sock", "pid": 4711,
 "root": "/project", "protocol": 1, "version": "0.1.0", "cookie": "0123...64 hex digits...ef"}
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field

__all__ = ["PROTOCOL", "ServerFile"]

PROTOCOL = 1
"""The version of the methods and of these files. A client that knows another one says so and stops."""

_COOKIE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ServerFile:
    """The contents of NAME.json. `socket` is the path of a Unix socket, `port` is on 127.0.0.1; one may be None."""

    name: str
    port: int | None
    socket: str | None
    pid: int
    root: str
    protocol: int
    version: str
    cookie: str = field(repr=False)

    @property
    def address(self) -> str | int | None:
        """The address for clients: the Unix socket if there is one, else the port."""
        return self.socket or self.port

    @property
    def place(self) -> str:
        """The address in words: "port 40123", or the path of its socket if it has no port."""
        return f"port {self.port}" if self.port is not None else str(self.socket)

    def text(self) -> str:
        """Return the text of NAME.json."""
        return json.dumps(asdict(self)) + "\n"

    def plain_text(self) -> str:
        """Return the text of server.json, which other EPC clients read; it has no secret."""
        values = asdict(self)
        del values["cookie"]
        return json.dumps(values) + "\n"

    @classmethod
    def parse(cls, data: bytes) -> ServerFile | None:
        """Return the contents of a file as a value; None if it is not such a file."""
        try:
            values = json.loads(data)
            found = cls(**{name: values[name] for name in cls.__slots__})
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return found if found._is_sound() else None

    def _is_sound(self) -> bool:
        texts = (self.name, self.root, self.version, self.cookie, "" if self.socket is None else self.socket)
        numbers = (self.pid, self.protocol, 1 if self.port is None else self.port)
        return (
            all(type(text) is str and "\0" not in text for text in texts)
            and all(type(number) is int and number > 0 for number in numbers)
            and (self.port is None or self.port < 65536)
            and self.pid < 2**31
            and (self.socket is None or os.path.isabs(self.socket))
            and self.address is not None
            and _COOKIE.fullmatch(self.cookie) is not None
        )
