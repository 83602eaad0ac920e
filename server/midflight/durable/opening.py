"""The opening of a store: what the file is, before SQLite sees it, and who has it.

Laws:
1. A file that is not a store of ours, of this format or an older one, is refused and left byte for byte as it is.
   One of an older format is brought to this one, in one transaction; an older Midflight refuses it from then on.
2. A store appears whole: it is made next to its place and gets its name last.
3. One runtime has a store at a time. The lock is a file next to it, held by the system for the life of the process.
4. A store is a pickle, so who can write it can run code: it is refused if others may, or if it is a link.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import stat
import struct
from contextlib import closing, suppress
from pathlib import Path

from midflight.durable.schema import APPLICATION, FORMAT, SCHEMA, SEARCH_BYTES, STEPS
from midflight.durable.store_error import LEFT, StoreError

__all__ = ["Lock", "check_file", "opened", "why_foreign"]

MAGIC = b"SQLite format 3\0"
HEADER_BYTES = 100
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs"})
_held: set[tuple[int, str]] = set()  # the stores that this process has, with its pid: a fork has none


class Lock:
    """The sole use of a store, until `release`. Raises: StoreError if another runtime has it."""

    def __init__(self, path: Path) -> None:
        self._own = _own(path)
        if self._own in _held:
            raise StoreError(
                str(path), "is used by another runtime of this process", "choose another file for this one"
            )
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._file = os.open(f"{path}-lock", flags, 0o600)
        except OSError as error:
            raise StoreError(str(path), f"cannot be locked ({error.strerror or error})", LEFT) from error
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 20, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            who = f"the process {holder}" if holder else "another process"
            raise StoreError(
                str(path),
                f"is used by {who}",
                "nothing was started. End that, or give this one a store of its own: {name}",
            ) from error
        try:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, b"%d\n" % os.getpid(), 0)
        except OSError as error:  # a full disk
            os.close(self._file)
            raise StoreError(str(path), f"cannot be locked ({error.strerror or error})", LEFT) from error
        _held.add(self._own)

    def release(self) -> None:
        """Let others have the store. May be repeated."""
        if self._own in _held:
            _held.discard(self._own)
            os.close(self._file)


def _own(path: Path) -> tuple[int, str]:
    return os.getpid(), os.path.realpath(path)


def check_file(path: Path) -> bool:
    """Say whether there is a store at `path`; False if there is nothing. Raises: StoreError if it cannot be used."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise StoreError(str(path), f"cannot be looked at ({error})", LEFT) from error
    if stat.S_ISLNK(found.st_mode):
        raise StoreError(str(path), "is a symbolic link", f"{LEFT}. Name the file itself.")
    if not stat.S_ISREG(found.st_mode):
        raise StoreError(str(path), f"is a {_kind(found.st_mode)}, not a file", LEFT)
    if found.st_uid != os.getuid():
        raise StoreError(str(path), f"belongs to another user (uid {found.st_uid})", f"{LEFT}: a store can run code.")
    if found.st_mode & 0o022:
        raise StoreError(
            str(path), "can be written by others", f"{LEFT}: a store can run code. Allow you alone: chmod 600 {path}"
        )
    if found.st_nlink > 1:
        raise StoreError(
            str(path),
            "has a second name (a hard link)",
            f"{LEFT}: two servers could have it, one by each name. Make one of them a copy.",
        )
    _check_beside(path)
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK):
        raise StoreError(str(path), "is read-only, or in a folder that is", f"{LEFT}. Make both writable.")
    if _own(path) in _held:
        return True  # and to close a file of it would take the locks away that SQLite has on it: they are the process's
    with path.open("rb") as file:
        why = why_foreign(file.read(HEADER_BYTES), found.st_size, has_log=os.path.exists(f"{path}-wal"))
    if why is not None:
        raise StoreError(str(path), why, LEFT)
    return True


def _check_beside(path: Path) -> None:
    """Look at the log of a store, which becomes a part of it. Raises: StoreError if others may write it."""
    for name in (f"{path}-wal", f"{path}-shm", f"{path}-journal"):
        try:
            found = os.lstat(name)
        except OSError:
            continue
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise StoreError(
                str(path), f"has a {name}, which is not a file of yours alone", f"{LEFT}: a store can run code."
            )


def why_foreign(header: bytes, size: int, *, has_log: bool) -> str | None:
    """Return why a file that begins with `header` is not a store that can be used; None if it can."""
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        return "is not a store of Midflight: another program's file, or one that was cut off"
    version, application = struct.unpack(">I4xI", header[60:72])
    if application != APPLICATION:
        return "is a database of another program"
    if version > FORMAT:
        return f"has format {version}, and this Midflight knows {FORMAT}: a newer one wrote it. Use that one"
    page = struct.unpack(">H", header[16:18])[0]
    pages = struct.unpack(">I", header[28:32])[0]
    if not has_log and size < pages * (65536 if page == 1 else page):
        return "is cut off: the end of the file is missing"
    return None


def _kind(mode: int) -> str:
    return "folder" if stat.S_ISDIR(mode) else "device or pipe"


def opened(path: Path) -> sqlite3.Connection:
    """Open the store at `path`, made now if there is none; the caller has its Lock. Raises: StoreError."""
    kind = _file_system(path)
    if kind in _NETWORK:
        raise StoreError(str(path), f"is on a network disk ({kind}), which loses locks", f"{LEFT}. Use a local disk.")
    if not check_file(path):
        _make(path)
    connection = None
    try:
        connection = _connected(path)
        damage = _damage(connection, path)
        if damage is not None:
            raise StoreError(
                str(path), f"is damaged ({damage})", f"{LEFT}. Copy it, or move it away and start with a new one."
            )
        _bring_up_to_date(connection)
        for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            with suppress(FileNotFoundError):
                each.chmod(0o600)  # a copy that was made otherwise may be readable by others
        return connection
    except (sqlite3.Error, OSError) as error:
        if connection is not None:
            connection.close()
        if isinstance(error, StoreError):
            raise
        if _is_full(path):
            raise StoreError(str(path), "cannot be opened: its disk is full", f"{LEFT}. Make room.") from error
        raise StoreError(str(path), f"cannot be read ({error})", LEFT) from error


def _is_full(path: Path) -> bool:
    """Say whether the disk has no room: SQLite says "disk I/O error" then, which sounds like a broken one."""
    try:
        return os.statvfs(path).f_bavail == 0
    except OSError:
        return False


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Bring a store of an earlier format to this one, in one transaction. Raises: sqlite3.Error; it is as it was."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == FORMAT:
        return
    steps = "".join(STEPS[each] for each in range(version, FORMAT))
    try:
        connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {FORMAT}; COMMIT;")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _damage(connection: sqlite3.Connection, path: Path) -> str | None:
    """Return what SQLite finds wrong; None if nothing. A large store is searched only if it was not closed."""
    closed = connection.execute("SELECT value FROM meta WHERE name = 'closed'").fetchone()
    if closed == (1,) and path.stat().st_size > SEARCH_BYTES:
        return None
    found = connection.execute("PRAGMA quick_check(1)").fetchone()
    return None if found == ("ok",) else str(found[0] if found else "nothing can be read")


def _make(path: Path) -> None:
    """Make an empty store. It is whole before it has its name."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    if not path.parent.is_dir():
        raise StoreError(str(path), f"has no folder {path.parent}", "nothing was started. Make the folder.")
    try:
        with suppress(FileNotFoundError):
            draft.unlink()
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.executescript(SCHEMA)
        file = os.open(draft, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
        draft.rename(path)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            draft.unlink()
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StoreError(str(path), f"cannot be made ({why})", "nothing was started. Choose another place.") from error


def _file_system(path: Path) -> str:
    """Return the kind of the file system that `path` is on, "" if the system does not say."""
    try:
        lines = Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    real = os.path.realpath(path.parent)
    mounts = ([_unescaped(each) for each in line.split(" ")] for line in lines)
    over = [
        (len(each[1]), order, each[2]) for order, each in enumerate(mounts) if len(each) > 2 and _is_over(each[1], real)
    ]
    return max(over, default=(0, 0, ""))[2]  # of two in one place the later one is seen


def _unescaped(text: str) -> str:
    """Return a field of the table of mounts: a space in it is \\040."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _is_over(mount: str, real: str) -> bool:
    return mount == "/" or real == mount or real.startswith(f"{mount}/")
