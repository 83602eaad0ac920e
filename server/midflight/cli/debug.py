"""`midflight debug`: debugpy in the running server, for an editor that speaks the Debug Adapter Protocol.

An editor starts it and speaks over its standard input and output, or connects to the port that `--port` opens. All goes
through the server's own connection, so only who may load code may debug. The port is for programs of the same user.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

from midflight.cli.show import attach
from midflight.dap import Framer, framed
from midflight.epc import user_of_port
from midflight.errors import ConnectionLost, MidflightError, RequestError

__all__ = ["debug"]

Message = dict[str, Any]
Read = Callable[[], bytes]
Write = Callable[[bytes], object]

_BYTES = 65536
OPEN_SECONDS = 60.0  # debugpy takes its time to start


def debug(options: argparse.Namespace) -> int:
    """Serve the editor at the other end of stdin and stdout, or those that come to the port, one after another."""
    if options.port is not None:
        return _listen(options)
    if sys.stdin.isatty():
        raise RequestError(
            "An editor starts this command and speaks to it; nothing was started. For one that connects to a port, "
            "VS Code say: midflight debug --port 5678. The recipes are in docs/debugger.md."
        )
    lock = threading.Lock()

    def write(data: bytes) -> None:
        with lock:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    _carry(options, lambda: os.read(sys.stdin.fileno(), _BYTES), write)
    return 0


def _listen(options: argparse.Namespace) -> int:
    attach(options).close()  # or say now that there is none
    try:
        listener = socket.create_server(("127.0.0.1", options.port))
    except OSError as error:
        raise RequestError(
            f"The port {options.port} of 127.0.0.1 cannot be opened ({error.strerror}); nothing was started. Take "
            "another one, or 0 for a free one."
        ) from None
    with listener:
        port = listener.getsockname()[1]
        print(f"An editor can attach to 127.0.0.1, port {port}. Ctrl-C ends it, and the server goes on.", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                user = user_of_port(connection)
                if user is not None and user not in (os.getuid(), 0):
                    print(f"midflight: user {user} of this machine was turned away.", file=sys.stderr)
                    continue
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _serve(options, connection)


def _serve(options: argparse.Namespace, connection: socket.socket) -> None:
    try:
        _carry(options, lambda: connection.recv(_BYTES), connection.sendall)
    except OSError:
        pass  # the editor is gone
    except (MidflightError, TimeoutError, ValueError) as error:
        print(f"midflight: {error} The connection was closed.", file=sys.stderr)


def _carry(options: argparse.Namespace, read: Read, write: Write) -> None:
    """Carry messages between an editor and the server until one of them ends.

    Raises: MidflightError, TimeoutError if the server is not there or refuses; the editor was told.
    """
    session: list[int] = []

    def show(number: int, text: str) -> None:
        if session == [number]:  # before that it has been asked for nothing
            _try(write, json.loads(text))

    def lost() -> None:
        _try(write, {"seq": 0, "type": "event", "event": "terminated"})

    try:
        client = attach(options, handlers={"debug/message": show}, on_lost=lost)
        with client:
            session.append(client.call("debug/open", timeout_seconds=OPEN_SECONDS))
            for message in _messages(read):
                client.submit("debug/send", session[0], json.dumps(message, ensure_ascii=False))
            client.call("debug/close", session[0])
    except (MidflightError, TimeoutError) as error:
        if session and isinstance(error, ConnectionLost):
            return  # the server has ended, which the editor was told
        try:
            _refuse(read, write, str(error))
        except (OSError, ValueError):
            pass  # nobody is there to be told, or no editor
        raise


def _messages(read: Read) -> Any:
    framer = Framer()
    while data := read():
        yield from framer.feed(data)


def _try(write: Write, message: Message) -> None:
    try:
        write(framed(message))
    except OSError:
        pass  # the editor is gone, which the reader sees


def _refuse(read: Read, write: Write, text: str) -> None:
    """Answer the first request with the reason, so that the editor shows it."""
    for message in _messages(read):
        told = {"error": {"id": 1, "format": text, "showUser": True}}
        answer = {"seq": 1, "type": "response", "request_seq": message.get("seq"), "command": message.get("command")}
        _try(write, answer | {"success": False, "message": text, "body": told})
        return
