"""The client's end, for the command line and the Neovim bridge: `epc`'s client on the hardened connection.

    with RemoteServer.attach(root, {"shell/output": show}) as client:
        report = client.call("code/load", "/project/counter.py", None, None)
        report["summary"]        # "counter v2 loaded: loop changed (3.1 ms)"

Answers come as plain values: a property list is a dict with underscores in its keys, nil is None, or what
nil means for that key (`added` is a list, `current` is False).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeout
from functools import wraps
from types import TracebackType
from typing import Any, Self

from midflight.epc.bell import Ring, ring
from midflight.epc.connection import Connection
from midflight.epc.greeting import greet
from midflight.epc.io_thread import IoThread
from midflight.epc.method import Lane, Method
from midflight.epc.package import BaseRemoteError, EPCClient
from midflight.epc.rendezvous import ProjectFiles
from midflight.epc.server_file import PROTOCOL, ServerFile
from midflight.epc.wire import PAYLOAD_LIMIT
from midflight.epc.workers import Workers
from midflight.errors import ConnectionLost, RemoteError

__all__ = ["CALL_SECONDS", "RemoteServer"]

CALL_SECONDS = 30.0
"""How long a call waits unless told otherwise: a load runs the module's body, which may take its time."""

_LISTS = (
    "start_failures",
    "added", "changed", "removed", "diagnostics", "lingering", "moved", "not_moved", "upgraded", "stale_imports",
    "links", "monitors", "monitored_by", "messages", "processes", "versions", "keepers", "connections",
    "answers", "inputs", "modules",
)  # fmt: skip
_FLAGS = ("current", "trap_exit", "down", "code_change", "alive", "imported", "whole", "resumed", "busy", "gone")


class _ClientConnection(Connection):
    """The hardened connection of a client, which has threads of its own that end with it."""

    items_limit = PAYLOAD_LIMIT  # what a server that has proved itself answers may be as long as a frame

    def _lane(self, *_: object) -> Lane:
        # Answers too: the output of an evaluation is to be shown before its value.
        return Lane.IN_ORDER

    def finish(self) -> None:
        super().finish()
        self.io.stop()
        self.workers.stop()


class _Endpoint(EPCClient):  # type: ignore[misc]  # epc has no type hints
    """`epc`'s client with our connection in place of its own handler."""

    def connect(self, stream: socket.socket) -> None:
        self.socket = stream
        self.io = IoThread("midflight-epc-io")
        self.workers = Workers("midflight-epc-worker")
        self.handler = _ClientConnection(stream, None, self)

    def start(self) -> None:
        self.io.start()
        self.handler.begin()


class RemoteServer:
    """A connection to a running server, which has let it in when the constructor returns.

    `handlers` are called with the arguments of the server's pushes, by name, in a thread of the connection.
    Pushes and answers are handled one after another as they came, so a handler must not wait for an answer;
    the server hears when it has returned, which is what holds a flood back. `on_lost` is called in such a
    thread when the connection ends, whichever end closed it. Otherwise all methods may be called from any thread.
    """

    def __init__(
        self,
        address: int | str,
        cookie: str,
        handlers: Mapping[str, Callable[..., object]] | None = None,
        *,
        pid: int,
        on_lost: Callable[[], object] = lambda: None,
        name: str | None = None,
        by: socket.socket | None = None,
    ) -> None:
        """Connect to the server with process id `pid` at `address`, a port or the path of a Unix socket.

        Nothing is sent, and nothing done that the other end asks for, before it has shown that it has the cookie.
        `name` is what the server's other clients see: "midflight load". `by` is a stream that leads to a server on
        another machine, say.

        Raises: ConnectionLost if nobody answers there, or no server that has the cookie, or not within 5 s; RemoteError
        if the server speaks another protocol.
        """
        stream, answer = greet(address, cookie, pid, by)
        self._endpoint = _Endpoint(stream)
        self._connection: _ClientConnection = self._endpoint.handler
        self._connection.at_close(on_lost)
        self._connection.methods = {name: Method(name, _filled(handler)) for name, handler in (handlers or {}).items()}
        self._endpoint.start()
        try:
            self.info = _require_protocol(answer)
            if name is not None:
                self.submit("server/introduce", name, {"kinds": True})
        except BaseException:
            self.close()
            raise

    @classmethod
    def attach(
        cls,
        root: str | os.PathLike[str],
        handlers: Mapping[str, Callable[..., object]] | None = None,
        *,
        on_lost: Callable[[], object] = lambda: None,
        name: str | None = None,
        server: str | None = None,
    ) -> Self:
        """Connect to the server that runs for the project `root`: that with the name `server`, by default main, or the
        only one that there is.

        Raises: NoServer if none runs, or it cannot be told which is meant; else as the constructor.
        """
        place = ProjectFiles.chosen(root, server)
        found = place.find()
        try:
            return cls.to(found, handlers, on_lost=on_lost, name=name)
        except ConnectionLost:
            # It has lost the file of its socket, which it puts back; or it has ended, and another one has started.
            is_back = ring(place.bell_name).ring is Ring.ANSWERED
            again = place.find()
            if again == found and not is_back:
                raise
        return cls.to(again, handlers, on_lost=on_lost, name=name)

    @classmethod
    def to(
        cls,
        found: ServerFile,
        handlers: Mapping[str, Callable[..., object]] | None = None,
        *,
        on_lost: Callable[[], object] = lambda: None,
        name: str | None = None,
        by: socket.socket | None = None,
    ) -> Self:
        """Connect to the server that `found` tells of. Raises: as the constructor."""
        assert found.address is not None
        return cls(found.address, found.cookie, handlers, pid=found.pid, on_lost=on_lost, name=name, by=by)

    def submit(self, method: str, *arguments: object) -> Future[Any]:
        """Send a request and return the future of its answer; do not wait.

        The future fails with RemoteError if the server refuses, and with ConnectionLost, at once, when the
        server is gone.
        """
        future: Future[Any] = Future()
        try:
            self._connection.callmanager.call(
                self._connection,
                method,
                list(arguments),
                callback=lambda value: _settle(future, _fill(value)),
                errback=lambda error: _fail(future, error),
            )
        except Exception as error:
            _fail(future, error)
        return future

    def call(self, method: str, *arguments: object, timeout_seconds: float | None = CALL_SECONDS) -> Any:
        """Send a request and return its answer; `timeout_seconds` None waits as long as the server lives.

        Raises: RemoteError, ConnectionLost; TimeoutError if no answer came in time.
        """
        try:
            return self.submit(method, *arguments).result(timeout_seconds)
        except FutureTimeout:
            raise TimeoutError(
                f"{method} was not answered within {timeout_seconds} s; it may still be carried out. "
                "See what the server does, or try again."
            ) from None

    def close(self) -> None:
        """End the connection; earlier messages still go out. Calls without an answer fail."""
        self._connection.outbox.close()
        self._connection.outbox.wait_empty(1.0)
        self._connection.cut()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _require_protocol(answer: Any) -> dict[str, Any]:
    protocol = answer.get("protocol") if isinstance(answer, dict) else None
    if protocol != PROTOCOL:
        raise RemoteError(
            f"The server speaks protocol {protocol}, this program {PROTOCOL}; the connection was closed. "
            "Stop the server with its own version's command and start it anew."
        )
    return dict(answer)


def _settle(future: Future[Any], value: object) -> None:
    try:
        future.set_result(value)
    except InvalidStateError:
        pass  # given up by its caller, or failed when the connection was lost


def _fail(future: Future[Any], error: object) -> None:
    match error:
        case ConnectionLost():
            pass
        case BaseRemoteError(args=((str(text), str(kind)),)):
            error = RemoteError(text, kind)
        case BaseRemoteError(args=((text, *_),)):
            error = RemoteError(str(text))
        case _:
            error = RemoteError(str(error))
    try:
        future.set_exception(error)
    except InvalidStateError:
        pass  # as above


def _filled(handler: Callable[..., object]) -> Callable[..., object]:
    """Return `handler` for arguments as they come from the wire."""

    @wraps(handler)
    def handle(*arguments: object) -> object:
        return handler(*map(_fill, arguments))

    return handle


def _fill(value: object) -> object:
    """Replace None by an empty list or False where the key tells which one nil means."""
    match value:
        case dict():
            return {key: _meant(key) if item is None else _fill(item) for key, item in value.items()}
        case list():
            return [_fill(item) for item in value]
        case _:
            return value


def _meant(key: str) -> object:
    if key in _LISTS:
        return []
    return False if key in _FLAGS else None
