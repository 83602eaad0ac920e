"""The cookie: the secret that makes nodes of one cluster. One for each user, as Erlang's ~/.erlang.cookie.

Law: a file that others may read, or that is another user's, is not a secret, and is refused.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from midflight.cluster.errors import ClusterError

__all__ = ["checked_cookie", "default_cookie"]

VARIABLE = "MIDFLIGHT_COOKIE"
SHORTEST = 8
_MOST_BYTES = 4096


def checked_cookie(given: str | bytes) -> bytes:
    """Return a cookie as bytes. Raises: ClusterError for one that is too short to be a secret."""
    cookie = given.encode() if isinstance(given, str) else bytes(given)
    if len(cookie) < SHORTEST:
        raise ClusterError(f"a cookie has {SHORTEST} bytes or more, not {len(cookie)}; no node was started")
    return cookie


def default_cookie() -> bytes:
    """Return the value of MIDFLIGHT_COOKIE, else the content of the cookie file, which is made if it is missing.

    Raises: ClusterError if the file is not this user's alone, or cannot be read or made.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return checked_cookie(given)
    path = cookie_path()
    try:
        return checked_cookie(_read(path) or _make(path))
    except OSError as error:
        raise ClusterError(f"the cookie {path} could not be read ({error.strerror}); no node was started") from error


def cookie_path() -> Path:
    """Return the path of the cookie file of this user."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "midflight" / "cookie"


def _read(path: Path) -> bytes | None:
    """Return the content, None if the file does not exist. Raises: OSError; ClusterError."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with open(number, "rb") as file:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise ClusterError(
                f"{path} is not a file that only you can read; no node was started. chmod 600 it, or remove it"
            )
        return file.read(_MOST_BYTES).strip()


def _make(path: Path) -> bytes:
    """Make the file, whole or not at all; return its content, or that of a program that was faster."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    cookie = secrets.token_hex(32).encode()
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    number = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(number, "wb") as file:
            file.write(cookie + b"\n")
        try:
            os.link(unfinished, path)
        except FileExistsError:
            return _read(path) or b""
    finally:
        os.unlink(unfinished)
    return cookie
