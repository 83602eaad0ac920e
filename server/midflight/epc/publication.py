"""The files of a running server: written, held, put back if they go, and taken away at the end.

The life of a publication: under a claim on the project's folder -> nobody else runs -> the Unix socket, the plain
files, then NAME.json, locked before anybody sees it -> a thread looks every 30 s, and whenever the bell rings, whether
all that is still there -> `withdraw` takes it away. What cannot be published again (the disk is full, the login session
is over) is tried at every look.

Laws: two living servers of one name never publish at once; nothing of another server's is removed; files are touched
once an hour, since cleaners take what has been left alone for days, and $XDG_RUNTIME_DIR's may after six hours.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import select
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

from midflight.epc.bell import Bell, Ring, ring
from midflight.epc.forks import hold
from midflight.epc.private_folder import PrivateFolder
from midflight.epc.rendezvous import MAIN, ProjectFiles
from midflight.epc.server_file import PROTOCOL, ServerFile
from midflight.errors import RuntimeFolderError, ServerRunning

__all__ = ["Publication"]

_END_SECONDS = 1.0  # for a thread that waits for nobody

LOOK_SECONDS = 30.0
TOUCH_SECONDS = 3600.0
_PATH_BYTES = 103
"""What the path of a Unix socket may have: 104 with the zero at its end on macOS, 108 on Linux."""

_PLAIN = ("cookie", "server.json")
_BACKLOG = 64
_log = logging.getLogger("midflight")


class Publication:
    """The files of one server of this process, found at `place`.

    `listen` gets the Unix socket, bound and listening, and again a new one whenever the files had to be put back; None
    publishes the port alone. `plain` publishes server.json and the cookie, too, by which other EPC clients find `main`.
    `take_log` gets a new log, open for appending, when the log of this server was removed with its files.
    """

    def __init__(
        self,
        place: ProjectFiles,
        cookie: str,
        version: str,
        *,
        port: int | None,
        listen: Callable[[socket.socket], object] | None = None,
        plain: bool = True,
        take_log: Callable[[int], object] | None = None,
    ) -> None:
        self.place = place
        self._cookie = cookie
        self._version = version
        self._port = port
        self._listen = listen
        self._take_log = take_log
        self._is_plain = plain and place.name == MAIN and port is not None
        self._lock = threading.RLock()
        self._folder: PrivateFolder | None = None  # where the files are
        self._held = -1  # NAME.json, locked
        self._runtime: PrivateFolder | None = None  # locked too: systemd's cleaner passes over what is below
        self._socket_home: PrivateFolder | None = None
        self._socket_status: os.stat_result | None = None
        self._bell: Bell | None = None
        self._trouble = ""
        self._stop_reader, self._stop_writer = os.pipe()
        self._thread: threading.Thread | None = None
        self._is_over = False
        hold(self)

    def publish(self) -> ServerFile:
        """Write the files and hold them; return the contents of NAME.json.

        Raises: ServerRunning if another server has the place, whose files are left alone; RuntimeFolderError.
        """
        heard = ring(self.place.bell_name)  # one that has lost its files puts them back first
        try:
            with self._lock, self.place.claimed() as folder:
                if (other := self.place.held(folder)) is not None:
                    raise ServerRunning(str(self.place.root), other.place, other.pid)
                if heard.ring is Ring.SILENT:
                    raise ServerRunning(str(self.place.root), None, heard.pid)
                self._bell = Bell.hang(self.place.bell_name)
                return self._write(folder)
        except OSError as error:
            self.withdraw()
            if isinstance(error, RuntimeFolderError):
                raise
            raise RuntimeFolderError(
                f"The files by which the server is found cannot be written to {self.place.folder} ({error}); no server "
                "was started. Make room or mend the folder, or name another one in MIDFLIGHT_RUNTIME_DIR."
            ) from error
        except BaseException:
            self.withdraw()
            raise

    def keep(self) -> None:
        """See to the files in a thread of its own, until `withdraw`."""
        self._thread = threading.Thread(target=self._keep, name="midflight-publication", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Put back what is missing of the files, and touch them if it is time. Says in the log what cannot be done."""
        with self._lock:
            if self._is_over:
                return
            try:
                if self._is_complete():
                    self._trouble = ""
                    return
                with self.place.claimed() as folder:
                    other = None if self._is_ours(folder) else self.place.held(folder)
                    if other is not None:
                        raise ServerRunning(str(self.place.root), other.place, other.pid)
                    self._write(folder)
                    self._restore_log(folder)
                self._say("", "The files by which this server is found were gone; they are back.")
            except (OSError, ServerRunning) as error:
                self._say(str(error), f"This server cannot be found, and goes on; it will try again. {error}")

    def withdraw(self) -> None:
        """Take the files away, if they are still this server's, and let go of all. The folder and the log stay."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            try:
                self._remove_socket()
                self._remove_files()
            except OSError as error:
                _log.warning("The files by which this server was found are left behind: %s", error)
            self._close()
        # As long as its thread waits at the bell, that can be rung, and nobody answers: the place looks taken.
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_END_SECONDS)

    def let_go(self) -> None:
        """Close a forked child's copies; the files stay the parent's, and locked."""
        self._is_over = True
        self._close(in_child=True)

    def _close(self, *, in_child: bool = False) -> None:
        for folder in (self._folder, self._runtime, self._socket_home):
            if folder is not None:
                folder.close()
        if self._bell is not None:
            self._bell.close()
        # The thread ends when the writing end is closed, and closes the other one itself.
        reader = self._stop_reader if in_child or self._thread is None else -1
        for handle in (self._held, self._stop_writer, reader):
            if handle >= 0:
                os.close(handle)
        self._held = self._stop_writer = -1
        if in_child:
            self._stop_reader = -1

    def _keep(self) -> None:
        waiting = select.poll()
        waiting.register(self._stop_reader, select.POLLIN)
        if self._bell is not None:
            waiting.register(self._bell.listener, select.POLLIN)
        while True:
            ready = [handle for handle, _ in waiting.poll(LOOK_SECONDS * 1000)]
            if self._stop_reader in ready:
                os.close(self._stop_reader)
                return
            if ready and self._bell is not None:
                self._bell.answer(self.look)
            else:
                self.look()

    def _write(self, folder: PrivateFolder) -> ServerFile:
        """Write all files into `folder`, which is claimed, and hold them; remove those that are elsewhere by now."""
        place = self.place
        mode = 0o1600 if place.spot.is_in_session else 0o600  # sticky: the XDG specification's way to say "keep"
        for name in folder.names():
            if name.startswith("."):
                folder.remove(name)  # half a file of a server that was killed while it wrote
        path = self._open_socket(folder)
        found = ServerFile(
            place.name, self._port, path, os.getpid(), str(place.root), PROTOCOL, self._version, self._cookie
        )
        try:
            if self._is_plain:
                os.close(folder.write("cookie", self._cookie, mode=mode))  # first: who sees server.json finds it
                os.close(folder.write("server.json", found.plain_text(), mode=mode))
            held = folder.write(place.file_name, found.text(), mode=mode, before=_hold)
        except BaseException:
            self._remove_plain(folder)
            raise
        if self._folder is not None and not self._folder.is_same(folder):
            self._remove_files()
        for old in (self._held, self._folder.handle if self._folder is not None else -1):
            if old >= 0:
                os.close(old)
        self._held, self._folder = held, folder.copy()
        self._hold_runtime()
        return found

    def _open_socket(self, folder: PrivateFolder) -> str | None:
        """Make the Unix socket and hand it over; return its path."""
        if self._listen is None:
            return None
        name = self.place.socket_name
        home = _socket_home(folder, name)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            home.remove(name)
            try:
                os.fchmod(listener.fileno(), 0o600)
            except OSError:
                pass  # only Linux takes it before the socket has a name; the folder keeps others out
            listener.bind(str(home.path / name))
            listener.listen(_BACKLOG)
            status = home.status(name)
            if status is None or not stat.S_ISSOCK(status.st_mode) or not home.is_in_place():
                raise RuntimeFolderError(
                    f"The folder {home.path} was exchanged while a socket was made in it; the server does not listen "
                    "there. See who may write to the folder around it."
                )
        except BaseException:
            listener.close()
            home.close()
            raise
        if self._socket_home is not None:
            self._remove_socket()  # of another folder; in the same one the new socket is in its place
            self._socket_home.close()
        self._socket_home, self._socket_status = home, status
        self._listen(listener)
        return str(home.path / name)

    def _restore_log(self, folder: PrivateFolder) -> None:
        """Make a new log if this server has one, and it is gone."""
        if self._take_log is not None and folder.status(self.place.log_name) is None:
            handle = folder.open_log(self.place.log_name)
            self._take_log(handle)
            os.close(handle)

    def _hold_runtime(self) -> None:
        """Keep a shared lock on the runtime folder: systemd-tmpfiles cleans nothing below a folder that is locked."""
        runtime = PrivateFolder.at(self.place.spot.path())
        if runtime is None:
            return
        if self.place.spot.is_in_session:
            os.fchmod(runtime.handle, 0o1700)
        try:
            fcntl.flock(runtime.handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            pass  # touching the files has to do
        if self._runtime is not None:
            self._runtime.close()
        self._runtime = runtime

    def _is_complete(self) -> bool:
        """Say whether all files are where a client looks for them now; touch them if they have not been for an hour."""
        folder = self.place.open()
        if folder is None:
            return False
        with folder:
            file = folder.status(self.place.file_name)
            if file is None or not self._is_ours(folder):
                return False
            if self._is_plain and any(folder.status(name) is None for name in _PLAIN):
                return False
            if self._listen is not None and not self._has_socket():
                return False
            if abs(time.time() - file.st_mtime) > TOUCH_SECONDS:
                folder.touch(self.place.file_name, self.place.log_name, *_PLAIN)
                for each in (self._runtime, self._socket_home):
                    if each is not None:
                        each.touch(self.place.socket_name)
        return True

    def _is_ours(self, folder: PrivateFolder) -> bool:
        """Say whether NAME.json in `folder` is the one that this server holds."""
        status = folder.status(self.place.file_name)
        return status is not None and self._held >= 0 and os.path.samestat(status, os.fstat(self._held))

    def _has_socket(self) -> bool:
        home, ours = self._socket_home, self._socket_status
        if home is None or ours is None or not home.is_in_place():
            return False
        status = home.status(self.place.socket_name)
        return status is not None and os.path.samestat(status, ours)

    def _remove_files(self) -> None:
        """Remove what this server holds. Without a claim: while it holds it nobody else publishes there."""
        folder = self._folder
        if folder is not None and self._is_ours(folder):
            self._remove_plain(folder)
            folder.remove(self.place.file_name)

    def _remove_socket(self) -> None:
        if self._socket_home is not None and self._has_socket():
            self._socket_home.remove(self.place.socket_name)

    def _remove_plain(self, folder: PrivateFolder) -> None:
        for name in _PLAIN if self._is_plain else ():
            folder.remove(name)

    def _say(self, trouble: str, text: str) -> None:
        """Log `text`, unless this trouble was told before."""
        if trouble != self._trouble or not trouble:
            _log.warning("%s", text)
        self._trouble = trouble


def _hold(handle: int) -> None:
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _socket_home(folder: PrivateFolder, name: str) -> PrivateFolder:
    """Return the folder for a Unix socket of `folder`: that one, unless the socket's path would be too long in it."""
    if len(os.fsencode(folder.path / name)) <= _PATH_BYTES:
        return folder.copy()
    with _made(PrivateFolder.at(Path(f"/tmp/midflight-{os.getuid()}"), make=True)) as short:
        return _made(short.folder(hashlib.sha256(os.fsencode(folder.path)).hexdigest()[:16], make=True))


def _made(folder: PrivateFolder | None) -> PrivateFolder:
    if folder is None:
        raise RuntimeFolderError("The folder for the server's socket was removed while it was made. Try again.")
    return folder
