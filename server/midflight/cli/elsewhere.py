"""`--connect`: the server of another machine or container, by a program that leads there, as ssh.

That program runs `midflight relay` where the server is. The relay says first what NAME.json says, the secret among it,
so the way must be as private as ssh; then it carries the wire. A file that is loaded is the one of this machine: its
text goes over.
"""

from __future__ import annotations

import argparse
import os
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from midflight.epc import ProjectFiles, RemoteServer, ServerFile, find_root
from midflight.errors import NoServer, NotFound, RequestError

__all__ = ["attach_elsewhere", "relay", "sent_there"]

GREETING_SECONDS = 30.0  # a person may have to type a passphrase
_LINE_BYTES = 65536
_BYTES = 65536
_WITH_TEXT = ("code/load", "code/preview", "code/check", "code/upgrade")
_WITH_TEXTS = ("code/load-many", "code/upgrade-many")


class NotReached(NoServer):
    """The server elsewhere that `--connect` names cannot be reached: no such machine, no relay, or no server there."""

    def __init__(self, where: str, command: str, code: int) -> None:
        super().__init__(where)
        self.args = (
            f"The server at {where} was not reached; nothing was asked. The reason is above, or try by hand: {command} "
            f"(it ended with exit code {code})",
        )


def attach_elsewhere(
    options: argparse.Namespace,
    handlers: Mapping[str, Callable[..., object]] | None,
    on_lost: Callable[[], object],
    name: str,
) -> RemoteServer:
    """Connect to the server that `--connect` names. Raises: NotReached if it cannot be; as RemoteServer."""
    command = _command(options.connect, options.server)
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=theirs.fileno())
        except OSError as error:
            ours.close()
            raise RequestError(f"{command[0]} cannot be run ({error.strerror}); nothing was asked.") from None
    line = _first_line(ours)
    found = ServerFile.parse(line)
    if found is None:
        ours.close()
        code = _end(process)
        raise NotReached(options.connect, shlex.join(command), code)
    # It ends with the connection; nobody waits for it then.
    threading.Thread(target=process.wait, name="midflight-connect", daemon=True).start()
    return RemoteServer.to(found, handlers, on_lost=on_lost, name=name, by=ours)


def _command(where: str, server: str | None) -> list[str]:
    """Return the program that leads to the server: ssh for HOST:FOLDER, else the command that was given."""
    named = [] if server is None else ["--server", server]
    host, colon, folder = where.partition(":")
    if " " in where.strip():
        return [*shlex.split(where), *named]
    if not (host and colon and folder):
        raise RequestError(
            f"--connect takes HOST:FOLDER, or a command that runs midflight relay there, received {where!r}; nothing "
            "was asked."
        )
    there = f"cd {shlex.quote(folder)} && PATH=$PWD/.venv/bin:$PATH exec {shlex.join(['midflight', 'relay', *named])}"
    return ["ssh", "-T", host, there]


def _first_line(stream: socket.socket) -> bytes:
    """Return the first line that comes, without reading on; b"" if none comes in time."""
    data = b""
    stream.settimeout(GREETING_SECONDS)
    try:
        while not data.endswith(b"\n") and len(data) < _LINE_BYTES and (byte := stream.recv(1)):
            data += byte
    except OSError:
        return b""
    return data


def _end(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(1.0)
    except subprocess.TimeoutExpired:
        process.terminate()
        return process.wait()


def sent_there(options: argparse.Namespace, method: str, arguments: tuple[Any, ...], root: str) -> tuple[Any, ...]:
    """Return the arguments of a method with each file of this project as its place under `root` there, and its text."""
    if not arguments or method not in (*_WITH_TEXT, *_WITH_TEXTS):
        return arguments
    if method in _WITH_TEXT:
        if not os.path.isabs(str(arguments[0])):
            return arguments
        return (*_moved(options, str(arguments[0]), root), *arguments[2:])
    files = [list(_moved(options, each, root)) if os.path.isabs(each) else each for each in arguments[0]]
    return (files, *arguments[1:])


def _moved(options: argparse.Namespace, path: str, root: str) -> tuple[str, str]:
    own = Path(options.root).resolve() if options.root else find_root(path)
    try:
        inside = Path(path).resolve().relative_to(own)
        text = Path(path).read_text(encoding="utf-8")
    except IsADirectoryError:
        raise RequestError(f"{path} is a folder; with --connect name files. Nothing was loaded.") from None
    except (OSError, UnicodeError) as error:
        raise NotFound(f"{path} cannot be read ({error}); nothing was loaded.") from None
    except ValueError:
        raise RequestError(f"{path} is not below {own}, so its place there is not known; nothing was loaded.") from None
    return f"{root}/{inside.as_posix()}", text


def relay(options: argparse.Namespace) -> int:
    """Carry the wire of the server here over standard input and output."""
    place = ProjectFiles.chosen(Path(options.root).resolve() if options.root else find_root("."), options.server)
    if sys.stdout.isatty():
        raise RequestError(
            "This command is for --connect, which starts it where the server runs; what it prints is a secret. "
            "Nothing was done."
        )
    found = place.find()
    with _dialled(found) as stream:
        _write(found.text().encode())
        threading.Thread(target=_send, args=(stream,), daemon=True).start()
        while data := stream.recv(_BYTES):
            _write(data)
    return 0


def _dialled(found: ServerFile) -> socket.socket:
    if found.socket is None:
        assert found.port is not None
        return socket.create_connection(("127.0.0.1", found.port))
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.connect(found.socket)
    return stream


def _send(stream: socket.socket) -> None:
    try:
        while data := os.read(sys.stdin.fileno(), _BYTES):
            stream.sendall(data)
        stream.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the server is gone, which the reader sees


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
