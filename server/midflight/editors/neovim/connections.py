"""The connections of one project of one Neovim to its server, which is started if none runs and that is wished."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from midflight.epc import ProjectFiles, RemoteServer
from midflight.errors import ConnectionLost, NoServer

__all__ = ["Asker", "Connections"]

START_SECONDS = 30.0
COMMANDS = (".venv/bin/midflight", "venv/bin/midflight")  # the project's own, under its root


class Asker(Protocol):
    """The part of Neovim that making a connection needs."""

    def show(self, event: str, **values: object) -> None:
        """Show `event`; its values are of msgpack's types."""

    def may_start(self, root: str) -> bool:
        """Say whether a server may be started for the project `root`, asking the user if that is the policy."""


class Connections:
    """The connections by kind, "code" and "shell". `handlers` gives the handlers of the server's pushes to a kind.

    `on_lost` is called, once, when the server has gone by itself. Any thread may call.
    """

    def __init__(
        self,
        root: str,
        editor: Asker,
        handlers: Callable[[str], dict[str, Callable[..., object]]],
        on_lost: Callable[[], None],
    ) -> None:
        self._root = root
        self._editor = editor
        self._handlers = handlers
        self._on_lost = on_lost
        self._lock = threading.Lock()  # of what follows
        self._clients: dict[str, RemoteServer] = {}
        self.is_leaving = False

    def open(self, kind: str) -> RemoteServer | None:
        """Return the connection of that kind if there is one."""
        with self._lock:
            return self._clients.get(kind)

    def close(self) -> None:
        """End the connections, and tell nobody of the loss."""
        self.is_leaving = True
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    def client(self, kind: str) -> RemoteServer:
        """Return the connection for `kind`, "code" or "shell"; make it, start a server if none runs.

        Raises: NoServer if none runs and none may be started; what starting and connecting raises.
        """
        with self._lock:
            if kind in self._clients:
                return self._clients[kind]
            self.is_leaving = False
            client = self._clients[kind] = self._attach(kind)
            if kind == "code":
                client.call("shell/open")  # never asked: what a module prints while it is loaded needs a place
            return client

    def _attach(self, kind: str) -> RemoteServer:
        place = ProjectFiles(self._root)
        if place.running() is not None:
            try:
                return self._connect(kind)
            except (ConnectionLost, NoServer):
                if place.running() is not None:
                    raise
                # else it was ending, and its port open for an instant longer than its connections
        if not self._editor.may_start(self._root):
            raise NoServer(self._root)
        start_server(self._root)
        self._editor.show("message", level="info", text=f"Midflight: started a server for {self._root}")
        return self._connect(kind)

    def _connect(self, kind: str) -> RemoteServer:
        made: list[RemoteServer] = []
        handlers = self._handlers(kind)
        made.append(RemoteServer.attach(self._root, handlers, on_lost=lambda: self._lost(kind, made), name="Neovim"))
        return made[0]

    def _lost(self, kind: str, made: list[RemoteServer]) -> None:
        """Take in that the connection in `made` has ended; it is empty if it never came to be one."""
        with self._lock:
            if not made or self._clients.get(kind) is not made[0]:
                return  # closed by us, or the other one told already; a new one may be there by now
            del self._clients[kind]
            others, self._clients = list(self._clients.values()), {}
        for other in others:
            other.close()
        if not self.is_leaving:
            self._on_lost()


def start_server(root: str) -> None:
    """Start a server of the project `root` that outlives the editor; return when it answers.

    Raises: ConnectionLost, with what the command said, if it does not start.
    """
    own = next((str(Path(root) / each) for each in COMMANDS if (Path(root) / each).is_file()), None)
    command = [own] if own is not None else [sys.executable, "-P", "-m", "midflight.cli"]
    done = subprocess.run(
        [*command, "serve", "--detach", "--root", root],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise ConnectionLost(
            f"No server could be started for {root}; nothing was sent. {' '.join(command)} says: {done.stderr.strip()}"
        )
