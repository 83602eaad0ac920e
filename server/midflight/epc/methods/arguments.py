"""Checks of a request's arguments: the right type, or an error with the expected one. Pids as they are shown."""

from __future__ import annotations

import os
import re
from collections.abc import Collection

from midflight.errors import NotFound, RequestError
from midflight.kernel import Pid, Scheduler

__all__ = [
    "absolute_path",
    "find_pid",
    "flags",
    "keywords",
    "modules_of",
    "name_or_path",
    "names",
    "number",
    "pid_text",
    "text",
]

_PID = re.compile(r"0\.([0-9]{1,18})\.0|<0\.([0-9]{1,18})\.0>")


def text(value: object, name: str) -> str:
    """Return `value`. Raises: RequestError if it is not a string."""
    if not isinstance(value, str):
        raise RequestError(f"{name} must be a string, received {value!r}; nothing was done. Send a string.")
    return value


def number(value: object, name: str) -> int:
    """Return `value`. Raises: RequestError if it is not an integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise RequestError(f"{name} must be an integer, received {value!r}; nothing was done. Send an integer.")
    return value


def absolute_path(value: object, name: str) -> str:
    """Return `value`. Raises: RequestError if it is not an absolute path."""
    path = text(value, name)
    if not os.path.isabs(path):
        raise RequestError(
            f"{name} must be an absolute path, received {path!r}; nothing was done. Send the whole path."
        )
    return path


def name_or_path(value: object, name: str) -> str:
    """Return `value`, the name of a module or its file. Raises: RequestError if it is neither."""
    found = text(value, name)
    return absolute_path(found, name) if os.sep in found else found


def modules_of(value: object) -> list[str | tuple[str, str | None]]:
    """Return a list of modules, each a name, an absolute path, or a list of a path and a text, which may be nil.

    Raises: RequestError for anything else, an empty list among it.
    """
    if not isinstance(value, list) or not value:
        raise RequestError(f"MODULES must be a list of modules, received {value!r}; nothing was done. Send one.")
    return [_module(each) for each in value]


def _module(each: object) -> str | tuple[str, str | None]:
    match each:
        case str():
            return each
        case [str(path), str() | None as source]:
            return absolute_path(path, "PATH"), source
    raise RequestError(
        f"A module must be a name, a path, or a list of path and text, received {each!r}; nothing was done. Send one."
    )


def flags(value: object, allowed: Collection[str]) -> dict[str, bool]:
    """Return a property list of switches as keyword arguments; nil means none.

    Raises: RequestError for anything else, an unknown switch among them.
    """
    return {name: bool(switch) for name, switch in keywords(value, allowed).items()}


def names(value: object, what: str) -> tuple[str, ...]:
    """Return a list of names; nil is an empty one. Raises: RequestError for anything else."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise RequestError(f"{what} must be a list of names, received {value!r}; nothing was done. Send that.")
    return tuple(value)


def keywords(value: object, allowed: Collection[str]) -> dict[str, object]:
    """Return a property list as a dict; nil is an empty one.

    Raises: RequestError for anything else, an unknown keyword among them.
    """
    if value is None:
        return {}
    if not isinstance(value, dict) or not value.keys() <= set(allowed):
        allowed_words = " ".join(":" + name.replace("_", "-") for name in allowed)
        raise RequestError(
            f"OPTIONS must be nil or a property list of {allowed_words}, received {value!r}; nothing was done. "
            "Send one of these forms."
        )
    return dict(value)


def find_pid(scheduler: Scheduler, pid: object) -> Pid:
    """Return the process that `pid` means, dead or alive: "<0.37.0>", "0.37.0" or a registered name.

    Raises: RequestError if it is neither.
    """
    wanted = text(pid, "PID")
    named = scheduler.names.get(wanted)
    if named is not None:
        return named.pid
    match = _PID.fullmatch(wanted)
    if match is None:
        raise NotFound(
            f"{wanted!r} is neither a pid nor a registered name; nothing was done. "
            "Send a pid like <0.37.0>, or see midflight ps."
        )
    number = int(match[1] or match[2])
    process = scheduler.processes.get(number)
    return Pid(number) if process is None else process.pid


def pid_text(number: int) -> str:
    """Return a pid as it is shown."""
    return f"<0.{number}.0>"
