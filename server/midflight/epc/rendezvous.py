"""The rendezvous of clients and server: a project's name and root, the place of its files, and which of them count.

    RUNTIME/4f1c0a9d2b7e6853/main.json     {"name": "main", "port": 40123, "pid": 4711, "root": "/project", ...}
    RUNTIME/4f1c0a9d2b7e6853/main.sock     the Unix socket of that server
    RUNTIME/4f1c0a9d2b7e6853/server.json   what main.json says, without the secret: for EPC clients that are not ours
    RUNTIME/4f1c0a9d2b7e6853/cookie        64 hex digits: the secret, for them
    RUNTIME/4f1c0a9d2b7e6853/server.log    of a detached server

One folder a project, one NAME.json and NAME.sock a server in it; `midflight serve` is `main`. A server holds a lock on
its NAME.json as long as it lives: a file that nobody locks is of a server that is gone. If the files go while the
server lives, a client that misses them rings its bell (see bell.py), and the server puts them back.

Law: no secret is read from, or written into, a folder that another user owns or may enter.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from midflight.epc.bell import Ring, ring
from midflight.epc.private_folder import PrivateFolder, is_own_base, read_all
from midflight.epc.server_file import ServerFile
from midflight.errors import NoServer, RuntimeFolderError

__all__ = ["MAIN", "ProjectFiles", "Spot", "find_root", "running_servers", "runtime_folder"]

MAIN = "main"
"""The name of the server that `midflight serve` runs."""

_CLAIM_SECONDS = 5.0
_LOG_TRIAL_BYTES = 4096
_CLAIM_LOOK_SECONDS = 0.01
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_TAKEN = ("server", "cookie")  # of files that are main's


def find_root(path: str | os.PathLike[str]) -> Path:
    """Return the project root of a file or folder, its links resolved.

    The nearest folder upwards with `pyproject.toml`, else the nearest with `.git`: first above the path as it is
    named, so that a module that is linked into a project belongs there, then above what it links to. Else the
    file's folder or the folder itself. A path that does not exist is taken for a file.
    """
    true = Path(os.path.realpath(path))
    for start in (Path(os.path.abspath(path)), true):
        for mark in ("pyproject.toml", ".git"):
            for folder in (start, *start.parents) if start.is_dir() else start.parents:
                if (folder / mark).exists():
                    return Path(os.path.realpath(folder))
    return true if true.is_dir() else true.parent


@dataclass(frozen=True, slots=True)
class Spot:
    """The place of this user's runtime folder, as the environment says: the two variables, "" for an unset one."""

    own: str
    session: str

    @classmethod
    def of_environment(cls) -> Spot:
        """Read the variables; one that is not an absolute path counts as unset."""
        names = ("MIDFLIGHT_RUNTIME_DIR", "XDG_RUNTIME_DIR")
        return cls(*(value if os.path.isabs(value) else "" for value in (os.environ.get(name, "") for name in names)))

    @property
    def is_in_session(self) -> bool:
        """Say whether it is in $XDG_RUNTIME_DIR: that one must be this user's (not so after `su`), or can be made."""
        return not self.own and bool(self.session) and is_own_base(Path(self.session))

    def path(self) -> Path:
        """Return the folder's path; it need not exist."""
        if self.own:
            return Path("/" + os.path.normpath(self.own).lstrip("/"))
        if self.is_in_session:
            return Path(self.session) / "midflight"
        return Path(f"/tmp/midflight-{os.getuid()}")


def runtime_folder() -> Path:
    """Return this user's runtime folder, made if missing.

    `$MIDFLIGHT_RUNTIME_DIR`, else `midflight` in `$XDG_RUNTIME_DIR`, else `midflight-UID` in /tmp. A relative path, and
    an `$XDG_RUNTIME_DIR` of another user, are passed over.

    Raises: RuntimeFolderError if it is not a folder of this user's that nobody else may enter or exchange.
    """
    path = Spot.of_environment().path()
    folder = PrivateFolder.at(path, make=True)
    assert folder is not None
    folder.close()
    return path


class ProjectFiles:
    """The files by which the server `name` of one project is found. Making one looks at no file and makes none."""

    def __init__(self, root: str | os.PathLike[str], name: str = MAIN) -> None:
        if not _NAME.fullmatch(name) or name in _TAKEN:
            raise ValueError(
                f"{name!r} cannot be the name of a server; nothing was done. Take letters, digits and . _ @ - "
                "(not as the first), 64 at most, and neither server nor cookie."
            )
        self.root = Path(os.path.realpath(root))
        self.name = name
        self.spot = Spot.of_environment()
        self.key = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        self.file_name = f"{name}.json"
        self.socket_name = f"{name}.sock"
        self.log_name = "server.log" if name == MAIN else f"{name}.log"

    @classmethod
    def chosen(cls, root: str | os.PathLike[str], name: str | None = None) -> ProjectFiles:
        """Return the place of the server `name`: by default main, or the only one that runs if main does not.

        Raises: NoServer if none is named, main does not run and several others do.
        """
        place = cls(root, name or MAIN)
        if name is not None or place.running() is not None:
            return place
        others = running_servers(root)
        if len(others) > 1:
            raise NoServer(str(place.root), [each.name for each in others])
        return cls(root, others[0].name) if others else place

    @property
    def folder(self) -> Path:
        """The path of the project's folder; it need not exist."""
        return self.spot.path() / self.key

    @property
    def server_path(self) -> Path:
        """The path of NAME.json."""
        return self.folder / self.file_name

    @property
    def log_path(self) -> Path:
        """The path of the log of a detached server."""
        return self.folder / self.log_name

    @property
    def bell_name(self) -> bytes:
        """The name of the server's bell; it does not depend on folders that may go."""
        parts = (b"midflight", os.fsencode(self.spot.own), os.fsencode(self.root), self.name.encode())
        return b"midflight-%d-%s" % (os.getuid(), hashlib.sha256(b"\0".join(parts)).hexdigest()[:32].encode())

    def open(self, *, make: bool = False) -> PrivateFolder | None:
        """Open the project's folder; None if it does not exist and is not to be made.

        Raises: RuntimeFolderError, as `runtime_folder`.
        """
        runtime = PrivateFolder.at(self.spot.path(), make=make)
        if runtime is None:
            return None
        with runtime:
            return runtime.folder(self.key, make=make)

    def read(self) -> ServerFile | None:
        """Return the contents of NAME.json, whether that server runs or not; None without a proper one."""
        folder = self.open()
        if folder is None:
            return None
        with folder:
            return self._parse(folder.read(self.file_name))

    def running(self) -> ServerFile | None:
        """Return the running server, or None; a file that no server holds counts as none."""
        found = self._look()
        if found is None and ring(self.bell_name).ring is Ring.ANSWERED:
            found = self._look()  # it had lost its files
        return found

    def _look(self) -> ServerFile | None:
        folder = self.open()
        if folder is None:
            return None
        with folder:
            return self.held(folder)

    def held(self, folder: PrivateFolder) -> ServerFile | None:
        """Return the contents of NAME.json in `folder`, this place's, if a living server holds it."""
        handle = folder.open_file(self.file_name)
        if handle is None:
            return None
        try:
            return self._parse(read_all(handle)) if _is_locked(handle) else None
        finally:
            os.close(handle)

    def find(self) -> ServerFile:
        """Return the running server.

        Raises: NoServer if none runs.
        """
        found = self.running()
        if found is None:
            raise NoServer(str(self.root), [each.name for each in running_servers(self.root)], self.name)
        return found

    def open_log(self, folder: PrivateFolder) -> int:
        """Return a descriptor of the log in `folder`, this place's, which is empty and has room for some lines.

        Raises: RuntimeFolderError if it has none, so that nobody could learn why no server starts.
        """
        log = -1
        try:
            log = folder.open_log(self.log_name)
            os.write(log, b"\n" * _LOG_TRIAL_BYTES)
            os.ftruncate(log, 0)
        except OSError as error:
            if log >= 0:
                os.close(log)
            raise RuntimeFolderError(
                f"The log {self.log_path} cannot be written ({error.strerror}); no server was started. "
                "Make room or mend the folder, or name another one in MIDFLIGHT_RUNTIME_DIR."
            ) from error
        return log

    @contextmanager
    def claimed(self) -> Iterator[PrivateFolder]:
        """Keep other servers of this project out while looking and writing; the folder is made if missing.

        The lock is on the folder itself, so no lock file is left, and the system drops it with the process.
        Raises: RuntimeFolderError, also if somebody keeps the lock for 5 s.
        """
        deadline = time.monotonic() + _CLAIM_SECONDS
        while True:
            folder = self.open(make=True)
            if folder is None:
                continue  # removed in between
            with folder:
                while not _lock(folder.handle, fcntl.LOCK_EX):
                    if time.monotonic() > deadline:
                        raise RuntimeFolderError(
                            f"The runtime folder {folder.path} has been locked by another program for "
                            f"{_CLAIM_SECONDS:.0f} s; nothing was written there. End that program, or try again."
                        )
                    time.sleep(_CLAIM_LOOK_SECONDS)
                if folder.is_in_place():  # and not removed while we waited
                    yield folder
                    return

    def _parse(self, data: bytes | None) -> ServerFile | None:
        found = ServerFile.parse(data) if data is not None else None
        return found if found is not None and (found.root, found.name) == (str(self.root), self.name) else None


def running_servers(root: str | os.PathLike[str]) -> list[ServerFile]:
    """Return all servers of a project that run: main first, then by name."""
    folder = ProjectFiles(root).open()
    if folder is None:
        return []
    with folder:
        names = [name.removesuffix(".json") for name in folder.names() if name.endswith(".json")]
        places = [ProjectFiles(root, name) for name in names if _NAME.fullmatch(name) and name not in _TAKEN]
        found = [server for place in places if (server := place.held(folder)) is not None]
    return sorted(found, key=lambda server: (server.name != MAIN, server.name))


def _is_locked(handle: int) -> bool:
    return not _lock(handle, fcntl.LOCK_SH)


def _lock(handle: int, kind: int) -> bool:
    """Take a lock if nobody has one that excludes it; say whether it was taken. Closing the descriptor drops it."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
