"""A file for the text of each version, which its code names as its own.

The code of version 3 of /project/counter.py says that it comes from .../midflight-4711-x1f3/counter@3.py. Under the
real path every traceback of old code would show the lines of the new text, and of the current code too as soon as the
file is edited; an entry in `linecache` alone is unknown to the interpreter's own traceback (3.11 and 3.12) and to
debuggers. The name ends in .py, so editors, `inspect` and coverage take it for Python; it carries the version for
people to see, and `real_path` and `readable` lead from it to the file that they edit.
The files are the store that `rollback` and `diff` read from. All go when the interpreter ends; those of one that was
killed go when the next one makes its own. A text that the disk has no room for is kept in memory, with the name that
its file would have: a load does not fail for it.
"""

from __future__ import annotations

import atexit
import fcntl
import inspect
import linecache
import logging
import os
import re
import shutil
import stat
import tempfile
import threading
import tokenize
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, count

__all__ = ["Snapshot", "note_earlier", "readable", "real_path", "show_at", "take"]

_folders: dict[int, str] = {}  # by operating system process: a fork gets a folder of its own
_real: dict[str, tuple[str, int]] = {}
_held: set[str] = set()  # the files of versions that were given up, and still run

_making = threading.Lock()
_trouble = ""  # why the last text could not be written; "" if it could
_log = logging.getLogger("midflight")

LOCK = "in-use"
FOLDER = re.compile(r"midflight-(\d+)-\w+")
FRAME = re.compile(r'File "([^"\n]+)", line (\d+)(, in [^\n]+)?')


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The file that holds the text of one version; `text` in place of it if it could not be written."""

    file: str
    text: str | None = None

    def read(self) -> str | None:
        """Return the text; None if somebody took the file away."""
        if self.text is not None:
            return self.text
        try:
            with tokenize.open(self.file) as stream:
                return stream.read()
        except (OSError, SyntaxError):
            return None

    def renumber(self, number: int) -> None:
        """Show the file as that of version `number` from now on."""
        if self.file in _real:
            _real[self.file] = (_real[self.file][0], number)

    def hold(self) -> None:
        """Keep the file though another version gets its number: a load was given up, and its thread runs on."""
        _held.add(self.file)

    def remove(self) -> None:
        """Delete the file; a file that is gone already is not an error."""
        _held.discard(self.file)
        _real.pop(self.file, None)
        linecache.cache.pop(self.file, None)
        inspect.modulesbyfile.pop(self.file, None)
        try:
            os.unlink(self.file)
        except OSError:  # taken away by somebody else, a cleaner of the temporary folder perhaps
            pass


def take(name: str, number: int, path: str, text: str, encoding: str) -> Snapshot:
    """Keep `text` as version `number` of module `name`, whose real file is `path`: in a file, else in memory.

    The log says once that texts are kept in memory, and why; then again only after one could be written.
    """
    global _trouble
    snapshot = Snapshot(_free_file(name, number))
    snapshot.remove()  # of an attempt that failed
    try:
        _write(snapshot.file, text, encoding)
        _trouble = ""
    except OSError as error:
        snapshot.remove()  # there was no space for all of it
        snapshot = Snapshot(snapshot.file, text)
        show_at(snapshot.file, text)
        if not _trouble:
            _log.warning(
                "The text of %s version %d could not be written to %s (%s). It is kept in memory, so loads, rollback "
                "and tracebacks work; debuggers do not find it. Make room there.",
                name,
                number,
                os.path.dirname(snapshot.file),
                error.strerror or error,
            )
        _trouble = str(error)
    except BaseException:
        snapshot.remove()
        raise
    _real[snapshot.file] = (path, number)
    inspect.modulesbyfile[snapshot.file] = name  # by this, inspect finds the module of a frame
    return snapshot


def _free_file(name: str, number: int) -> str:
    """Return the path of the file for a version; its folder does not exist if none could be made."""
    try:
        folder = _folder()
    except OSError:
        folder = os.path.join(os.devnull, f"midflight-{os.getpid()}")  # where nobody can put a file
    names = (os.path.join(folder, f"{name}@{number}{suffix}.py") for suffix in chain([""], map("-{}".format, count(2))))
    return next(file for file in names if file not in _held)


def _write(file: str, text: str, encoding: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR)
    with open(descriptor, "w", encoding=encoding, newline="") as stream:
        stream.write(text)


def real_path(filename: str) -> tuple[str, int | None]:
    """Return the file that people edit and the version, for the file name in a frame or a code object.

    A file name of no version is returned as it is, with None.
    """
    return _real.get(filename, (filename, None))


def readable(text: str) -> str:
    """Return a traceback as printed, with the real files in it: File "counter.py", line 9, in loop (version 3).

    The lines of text in it stay those of the version that ran.
    """

    def rename(match: re.Match[str]) -> str:
        path, version = real_path(match[1])
        if version is None:
            return match[0]
        return f'File "{path}", line {match[2]}{match[3] or ""} (version {version})'

    return FRAME.sub(rename, text)


def note_earlier(file: str, path: str, number: int, read: Callable[[], str | None]) -> None:
    """Have the file of a version that an earlier interpreter has run mean that version, and have its lines shown.

    A traceback that was kept as text names it, in a state say. `read` gives the text, when somebody wants a line.
    """
    if file not in _real:
        _real[file] = (path, number)
        linecache.cache[file] = (lambda: read() or "",)  # as `linecache.lazycache` puts it there


def show_at(path: str, text: str | None) -> None:
    """Let `inspect` and debuggers show `text` for the real path: a class knows no other file name."""
    if text is None:
        linecache.cache.pop(path, None)
    else:  # without a time of change in it, the entry stays when the file changes
        linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)


def _folder() -> str:
    with _making:
        return _made_folder()


def _made_folder() -> str:
    pid = os.getpid()
    folder = _folders.get(pid)
    if folder is None or not os.path.isdir(folder):  # cleaners of temporary folders take old ones away
        _remove_left_behind()
        folder = _folders[pid] = tempfile.mkdtemp(prefix=f"midflight-{pid}-")
        # Locked before it has its name, and open until the interpreter ends, however it does.
        descriptor = os.open(os.path.join(folder, "new"), os.O_WRONLY | os.O_CREAT, stat.S_IRUSR | stat.S_IWUSR)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.rename(os.path.join(folder, "new"), os.path.join(folder, LOCK))
        atexit.register(_remove_folder, pid, folder)
    return folder


def _remove_left_behind() -> None:
    """Remove the folders of this user's interpreters that were killed: nobody has them locked."""
    parent = tempfile.gettempdir()
    for name in os.listdir(parent):
        folder = os.path.join(parent, name)
        found = FOLDER.fullmatch(name)
        if found is None:
            continue
        try:
            if os.lstat(folder).st_uid != os.getuid():
                continue
            descriptor = os.open(os.path.join(folder, LOCK), os.O_WRONLY | os.O_NOFOLLOW)
        except FileNotFoundError:  # just being made or removed; by an interpreter that was killed at that, it stays so
            if not _is_running(int(found[1])):
                shutil.rmtree(folder, ignore_errors=True)
            continue
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # its interpreter runs
            pass
        finally:
            os.close(descriptor)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove_folder(pid: int, folder: str) -> None:
    if os.getpid() == pid:  # not in a fork, which inherits what is done at exit
        shutil.rmtree(folder, ignore_errors=True)
