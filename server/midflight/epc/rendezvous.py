"""The files by which an editor finds the server of a project, and the rule that says what a project is.

    RUNTIME/4f1c0a9d2b7e6853/server.json   {"port": 40123, "pid": 4711, "root": "/project", ...}
    RUNTIME/4f1c0a9d2b7e6853/cookie        64 hex digits
    RUNTIME/4f1c0a9d2b7e6853/server.log    of a detached server

The life of the files: a server that starts takes the project's folder for itself while it looks whether
another one runs, writes both files whole, and removes them when it ends. A server that was killed leaves
them; whoever finds its process id dead, or nobody listening on its port, writes over them.

Law: no secret is written into a folder that another user owns or may enter.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from midflight.errors import NoServer, RuntimeFolderError, ServerRunning

__all__ = ["PROTOCOL", "Place", "ServerFile", "find_root", "runtime_folder"]

PROTOCOL = 1
"""The version of the methods and of these files. A client that knows another one says so and stops."""


@dataclass(frozen=True, slots=True)
class ServerFile:
    """What server.json says."""

    port: int
    pid: int
    root: str
    protocol: int
    version: str

    def is_running(self) -> bool:
        """Say whether its process lives and somebody listens on its port.

        Both, since a process id is given out again after a restart of the machine, and so is a port.
        """
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # alive, and another user's
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
        except OSError:
            return False
        return True


def find_root(path: str | os.PathLike[str]) -> Path:
    """Return the project root of a file or folder, its links resolved.

    The nearest folder upwards with `pyproject.toml`, else the nearest with `.git`, else the file's folder or
    the folder itself. A path that does not exist is taken for a file.
    """
    start = Path(os.path.realpath(path))
    if not start.is_dir():
        start = start.parent
    for mark in ("pyproject.toml", ".git"):
        for folder in (start, *start.parents):
            if (folder / mark).exists():
                return folder
    return start


def runtime_folder() -> Path:
    """Return this user's runtime folder, made if missing.

    `$MIDFLIGHT_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/midflight`, else `midflight-UID` in /tmp.

    Raises: RuntimeFolderError if it is not a folder of this user's that nobody else may enter.
    """
    if given := os.environ.get("MIDFLIGHT_RUNTIME_DIR"):
        folder = Path(given)
    elif base := os.environ.get("XDG_RUNTIME_DIR"):
        folder = Path(base) / "midflight"
    else:
        folder = Path(f"/tmp/midflight-{os.getuid()}")
    return _own_folder(folder)


class Place:
    """Where the server of one project is found."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(os.path.realpath(root))
        self.folder = runtime_folder() / hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        self.server_path = self.folder / "server.json"
        self.cookie_path = self.folder / "cookie"
        self.log_path = self.folder / "server.log"

    def read(self) -> ServerFile | None:
        """Return what server.json says, or None if there is none or it is not one."""
        try:
            values = json.loads(self.server_path.read_text(encoding="utf-8"))
            fields = {name: kind(values[name]) for name, kind in _FIELDS.items()}
            return ServerFile(**fields)
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
            return None

    def running(self) -> ServerFile | None:
        """Return the running server, or None; a stale file counts as none."""
        found = self.read()
        return found if found is not None and found.is_running() else None

    def find(self) -> tuple[ServerFile, str]:
        """Return the running server and its cookie.

        Raises: NoServer if none runs.
        """
        found = self.running()
        if found is None:
            raise NoServer(str(self.root))
        try:
            return found, self.cookie_path.read_text(encoding="ascii")
        except FileNotFoundError:
            raise NoServer(str(self.root)) from None  # it ended between the two reads

    def publish(self, port: int, version: str, cookie: str) -> ServerFile:
        """Write both files for a server of this process that listens on `port`.

        Raises: ServerRunning if another one runs; its files are left alone.
        """
        with self.claimed():
            if (other := self.running()) is not None:
                raise ServerRunning(str(self.root), other.port, other.pid)
            mine = ServerFile(port, os.getpid(), str(self.root), PROTOCOL, version)
            _write_whole(self.cookie_path, cookie)  # first: who sees server.json finds its cookie
            _write_whole(self.server_path, json.dumps(asdict(mine)) + "\n")
            return mine

    def withdraw(self) -> None:
        """Remove both files if they are this process's. The folder and the log stay."""
        with self.claimed():
            found = self.read()
            if found is not None and found.pid == os.getpid():
                self.server_path.unlink(missing_ok=True)
                self.cookie_path.unlink(missing_ok=True)

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other servers of this project out while looking and writing.

        The lock is on the folder itself, so no lock file is left, and the system drops it with the process.
        """
        handle = os.open(_own_folder(self.folder), os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


_FIELDS: dict[str, type] = {"port": int, "pid": int, "root": str, "protocol": int, "version": str}


def _own_folder(folder: Path) -> Path:
    """Make `folder` with mode 0700 if missing, and check that it is this user's alone."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    status = os.lstat(folder)  # not stat: in /tmp another user may have put a link there
    wrong = None
    if not stat.S_ISDIR(status.st_mode):
        wrong = "is not a folder"
    elif status.st_uid != os.getuid():
        wrong = f"belongs to user {status.st_uid}"
    elif status.st_mode & 0o077:
        wrong = f"has mode {stat.S_IMODE(status.st_mode):04o}, so others may enter it"
    if wrong is not None:
        raise RuntimeFolderError(
            f"The runtime folder {folder} {wrong}; nothing was written there. Make it a folder of yours with "
            "mode 0700, or name another one in MIDFLIGHT_RUNTIME_DIR."
        )
    return folder


def _write_whole(path: Path, text: str) -> None:
    """Write `path` with mode 0600 so that a reader sees the old text or the new one, never half."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mkstemp makes it 0600
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
