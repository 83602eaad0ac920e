"""Folders that this user owns and nobody else may enter, and the files in them.

Laws: a folder is opened once and checked by its descriptor; every file in it is reached through that descriptor,
so that nobody can swap a folder or a link in between. A file is read only if it is a regular one of this user's,
and written whole under another name that did not exist, then renamed. Nothing here follows a link, waits for the
other end of a pipe, or shortens a file.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from midflight.errors import RuntimeFolderError

__all__ = ["FILE_LIMIT", "PrivateFolder", "is_own_base"]

FILE_LIMIT = 64 * 1024
"""Bytes of a file that is read; what a server publishes has a few hundred."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)  # nothing there, or a link, or a socket


class PrivateFolder:
    """An open folder of this user's, with mode 0700. Close it, or use it in a `with`."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self.handle = handle

    @classmethod
    def at(cls, path: Path, *, make: bool = False) -> Self | None:
        """Open the folder `path`; None if it does not exist and is not to be made.

        Raises: RuntimeFolderError if it is not a folder of this user's with mode 0700, or if another user could put
        another one in its place.
        """
        if make:
            _make_parents(path.parent)
        try:
            base = os.open(path.parent, _FOLDER)
        except OSError as error:
            if error.errno in _NONE and not make:
                return None
            raise _refused(path, f"cannot be reached ({error.strerror})") from None
        try:
            if (wrong := _wrong_with_base(os.fstat(base))) is not None:
                raise _refused(path, f"lies in a folder that {wrong}")
            return cls._open(path, base, make)
        finally:
            os.close(base)

    def folder(self, name: str, *, make: bool = False) -> Self | None:
        """Open the folder `name` in this one, as `at` does."""
        return self._open(self.path / name, self.handle, make)

    @classmethod
    def _open(cls, path: Path, base: int, make: bool) -> Self | None:
        if make:
            try:
                os.mkdir(path.name, 0o700, dir_fd=base)
            except FileExistsError:
                pass
            except OSError as error:
                raise _refused(path, f"cannot be made ({error.strerror})") from None
        try:
            handle = os.open(path.name, _FOLDER | os.O_NOFOLLOW, dir_fd=base)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            if error.errno in _NONE:
                raise _refused(path, "is not a folder") from None
            raise _refused(path, f"cannot be opened ({error.strerror})") from None
        status = os.fstat(handle)
        wrong = None
        if status.st_uid != os.getuid():
            wrong = f"belongs to user {status.st_uid}"
        elif status.st_mode & 0o077:
            wrong = f"has mode {stat.S_IMODE(status.st_mode):04o}, so others may enter it"
        if wrong is not None:
            os.close(handle)
            raise _refused(path, wrong)
        return cls(path, handle)

    def is_in_place(self) -> bool:
        """Say whether the folder's path still leads to it."""
        try:
            return os.path.samestat(os.stat(self.path, follow_symlinks=False), os.fstat(self.handle))
        except OSError:
            return False

    def is_same(self, other: PrivateFolder) -> bool:
        """Say whether two open folders are one."""
        return os.path.samestat(os.fstat(self.handle), os.fstat(other.handle))

    def copy(self) -> Self:
        """Return the same folder, opened once more: with locks of its own, and to be closed on its own."""
        return type(self)(self.path, os.open(".", _FOLDER, dir_fd=self.handle))

    def open_file(self, name: str) -> int | None:
        """Open the file `name` for reading; None if it is not a regular file of this user's, of some 64 KB at most."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            handle = os.open(name, flags, dir_fd=self.handle)
        except OSError as error:
            if error.errno in _NONE or error.errno == errno.EACCES:
                return None
            raise
        status = os.fstat(handle)
        if stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid() and status.st_size <= FILE_LIMIT:
            return handle
        os.close(handle)
        return None

    def read(self, name: str) -> bytes | None:
        """Return the contents of the file `name`; None as for `open_file`."""
        handle = self.open_file(name)
        if handle is None:
            return None
        try:
            return read_all(handle)
        finally:
            os.close(handle)

    def write(self, name: str, text: str, *, mode: int = 0o600, before: Callable[[int], object] | None = None) -> int:
        """Put a new file `name` in place of what is there; return its open descriptor, which the caller closes.

        A reader sees the old text or the new one, never half. `before` gets the descriptor before anybody can see it.
        """
        temporary = f".{name}.{secrets.token_hex(8)}"
        handle = self.create(temporary, os.O_RDWR, mode)
        try:
            if before is not None:
                before(handle)
            data = text.encode()
            while data:
                data = data[os.write(handle, data) :]
            os.rename(temporary, name, src_dir_fd=self.handle, dst_dir_fd=self.handle)
        except BaseException:
            os.close(handle)
            self.remove(temporary)
            raise
        return handle

    def create(self, name: str, flags: int, mode: int = 0o600) -> int:
        """Make the file `name`, which must not exist, and return its descriptor."""
        handle = os.open(name, flags | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=self.handle)
        os.fchmod(handle, mode)  # whatever the umask
        return handle

    def open_log(self, name: str) -> int:
        """Return a descriptor for appending to the empty file `name`; one that is not this user's alone is replaced."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            handle = os.open(name, flags, dir_fd=self.handle)
        except OSError:
            pass  # missing, or no file
        else:
            status = os.fstat(handle)
            if stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid() and status.st_nlink == 1:
                os.set_blocking(handle, True)
                os.ftruncate(handle, 0)
                return handle
            os.close(handle)
        self.remove(name)
        return self.create(name, os.O_WRONLY | os.O_APPEND)

    def remove(self, name: str) -> None:
        """Remove the file, link or socket `name` if it is there."""
        try:
            os.unlink(name, dir_fd=self.handle)
        except FileNotFoundError:
            pass

    def status(self, name: str) -> os.stat_result | None:
        """Return the status of `name` itself, not of what a link names; None if there is none."""
        try:
            return os.stat(name, dir_fd=self.handle, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def touch(self, *names: str) -> None:
        """Give the folder and files in it the time of now."""
        os.utime(self.handle)
        for name in names:
            try:
                os.utime(name, dir_fd=self.handle, follow_symlinks=False)
            except FileNotFoundError:
                pass

    def names(self) -> list[str]:
        """Return the names of the files in the folder, sorted."""
        return sorted(os.listdir(self.handle))

    def close(self) -> None:
        """Close the descriptor; again does nothing."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def is_own_base(path: Path) -> bool:
    """Say whether a private folder may be made in the folder `path`: it is this user's, or missing in such a one."""
    for each in (path, path.parent):
        try:
            status = os.stat(each)
        except FileNotFoundError:
            continue
        except OSError:
            return False
        return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not _is_open_to_all(status)
    return False


def read_all(handle: int) -> bytes:
    """Return the first 64 KB of a file."""
    data = b""
    while len(data) <= FILE_LIMIT and (piece := os.read(handle, FILE_LIMIT)):
        data += piece
    return data


def _is_open_to_all(status: os.stat_result) -> bool:
    """Say whether anybody may rename the files in a folder."""
    return bool(status.st_mode & 0o002) and not status.st_mode & stat.S_ISVTX


def _wrong_with_base(status: os.stat_result) -> str | None:
    if status.st_uid not in (0, os.getuid()):
        return f"belongs to user {status.st_uid}"
    return "everybody may change" if _is_open_to_all(status) else None


def _make_parents(folder: Path) -> None:
    """Make the missing parts of `folder`, for this user alone, and not in another user's folder."""
    try:
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        if missing and (wrong := _wrong_with_base(os.stat(missing[-1].parent))) is not None:
            raise _refused(folder, f"lies in a folder that {wrong}")
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
    except RuntimeFolderError:
        raise
    except OSError as error:
        raise _refused(folder, f"cannot be made ({error.strerror})") from None


def _refused(path: Path, why: str) -> RuntimeFolderError:
    return RuntimeFolderError(
        f"The runtime folder {path} {why}; nothing was written there. Make it a folder of yours with mode 0700, "
        "or name another one in MIDFLIGHT_RUNTIME_DIR."
    )
