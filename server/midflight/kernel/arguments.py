"""Checks of a program's arguments: a wrong one is an error at once, in the caller, and nothing is changed.

Each check returns the argument as the kernel keeps it. `what` is the caller's function and begins the message, and
`unchanged` says in it that all is as it was. A type is told by `type()`: a mock or a proxy says of itself that its
`__class__` is any. OTP: badarg.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING, Any

from midflight.kernel.core import Pid, Process
from midflight.kernel.distant import DistantCore
from midflight.kernel.refs import Ref
from midflight.kernel.seconds import NOTHING
from midflight.kernel.seconds import checked_seconds as seconds
from midflight.kernel.seconds import checked_timeout as timeout
from midflight.kernel.signals import NODE
from midflight.text import short

if TYPE_CHECKING:
    from midflight.kernel.core import Core

__all__ = [
    "callable_",
    "destination",
    "flag",
    "given_name",
    "hashable",
    "is_of",
    "items",
    "local_pid",
    "name",
    "name_and_node",
    "own_pid",
    "pid",
    "reached_pid",
    "ref",
    "seconds",
    "sink",
    "timeout",
]


def pid(what: str, value: object) -> Pid:
    """Return `value`. Raises: TypeError if it is not a Pid."""
    if type(value) is Pid:
        return value
    raise TypeError(f"{what} takes a Pid, not {short(value)}; nothing was done. {_advice(value)}")


def local_pid(what: str, value: object) -> Pid:
    """Return `value`, which names a process of this node, or did. Raises: TypeError if it is not a Pid; ValueError."""
    found = pid(what, value)
    if found.node:
        raise ValueError(
            f"{what} takes a process of this node, and {found!r} is of another one; nothing was done. Ask there, "
            "by cluster.call_function(node, function, pid)"
        )
    return found


def reached_pid(what: str, value: object, core: Core) -> Pid:
    """Return `value`, which names a process of this `core`, one of another node, or a dead one.

    Raises: TypeError if it is not a Pid; ValueError for a living process of another runtime: another thread runs it.
    """
    found = pid(what, value)
    if found.process is not None and is_of(found.process, core):
        return found
    return own_pid(what, found, core)


def is_of(process: Process, core: Core) -> bool:
    """Say whether `process` is of another node than `core`, but reached from there."""
    return isinstance(process.core, DistantCore) and process.core.scheduler is core


def own_pid(what: str, value: object, core: Core) -> Pid:
    """Return `value`, which names a process of this `core`, or a dead one.

    Raises: TypeError if it is not a Pid; ValueError for a living process of another runtime: another thread runs it.
    """
    found = pid(what, value)
    process = found.process
    if process is not None and is_of(process, core):
        return local_pid(what, found)
    if process is not None and process.core is not core:
        raise ValueError(
            f"{what} takes a process of the runtime that calls it, and {found!r} is another's; nothing was done. "
            "Between runtimes send messages: `pid << message` is safe from any thread"
        )
    return found


def ref(what: str, value: object) -> Ref:
    """Return `value`. Raises: TypeError if it is not a Ref."""
    if issubclass(type(value), Ref):
        return value  # type: ignore[return-value]
    raise TypeError(f"{what} takes a Ref, not {short(value)}; nothing was done. Keep what made it: a ref is returned")


def name(what: str, value: object) -> str:
    """Return a name of a process, as a plain str. Raises: TypeError if it is not a str."""
    if not issubclass(type(value), str):
        raise TypeError(f"{what} takes a name, a str, not {short(value)}; nothing was done. registered() lists them")
    return str.__str__(value)


def given_name(what: str, value: object) -> str:
    """Return a name that a process can have, as a plain str. Raises: TypeError; ValueError for an empty one."""
    found = name(what, value)
    if not found:
        raise ValueError(f"{what} takes a name, and no process can have the name ''; nothing was done")
    return found


def destination(what: str, value: object) -> Pid | Ref | str | tuple[str, str]:
    """Return where messages may go: a Pid, a ref (an alias), a name, or (name, node).

    Raises: TypeError for anything else; ValueError for an empty name.
    """
    kind = type(value)
    if kind is Pid or issubclass(kind, Ref):
        return value  # type: ignore[return-value]
    if issubclass(kind, str):
        return given_name(what, value)
    parts = _name_and_node(value)
    if parts is not None:
        return given_name(what, parts[0]), parts[1]
    raise TypeError(
        f"{what}: a destination is a Pid, a name, (name, node) or an alias, not {short(value)}; nothing was sent. "
        f"{_advice(value)}"
    )


def name_and_node(what: str, value: object) -> tuple[str, str]:
    """Return (name, node) of a name, which is this node's, or of such a tuple.

    Raises: TypeError for anything else; ValueError for an empty name.
    """
    if issubclass(type(value), str):
        return given_name(what, value), NODE
    parts = _name_and_node(value)
    if parts is None:
        raise TypeError(
            f"{what} takes a Pid, a name or (name, node), not {short(value)}; nothing was done. {_advice(value)}"
        )
    return given_name(what, parts[0]), parts[1]


def _name_and_node(value: object) -> tuple[str, str] | None:
    """Return a tuple of two strings as one of plain ones; None for anything else."""
    if not issubclass(type(value), tuple):
        return None
    parts: tuple[Any, ...] = tuple(tuple.__iter__(value))  # type: ignore[arg-type]
    if len(parts) != 2 or not all(issubclass(type(part), str) for part in parts):
        return None
    return str.__str__(parts[0]), str.__str__(parts[1])


def sink(what: str, value: Any) -> Any:
    """Return `value`. Raises: TypeError if it has no `write`, so that nobody could print to it."""
    try:
        can_write = callable(value.write)
    except Exception:
        can_write = False
    if not can_write:
        raise TypeError(
            f"{what} must have a write(text), as an open text file has, not {short(value)}; nothing was done"
        )
    return value


def flag(what: str, value: object) -> bool:
    """Return `value`. Raises: TypeError unless it is True or False."""
    if type(value) is bool:
        return value
    raise TypeError(f"{what} takes True or False, not {short(value)}; nothing was done")


def callable_(what: str, value: Any, unchanged: str = "nothing was started") -> Callable[..., Any]:
    """Return `value`. Raises: TypeError if it cannot be called."""
    if callable(value):
        return value  # type: ignore[no-any-return]
    raise TypeError(
        f"{what} needs a function, not {short(value)}; {unchanged}. "
        "For a coroutine object: give the async function itself, and its arguments"
    )


def items(what: str, value: Any, unchanged: str = NOTHING) -> Iterator[Any]:
    """Return an iterator over `value`. Raises: TypeError if it is not iterable; what its `__iter__` raises."""
    if not hasattr(type(value), "__iter__") and not hasattr(type(value), "__getitem__"):
        raise TypeError(f"{what} must be an iterable, not {short(value)}; {unchanged}")
    return iter(value)


def hashable(what: str, value: Any, unchanged: str = NOTHING) -> Hashable:
    """Return `value`. Raises: TypeError if it cannot be hashed, also if its own `__hash__` raises another exception."""
    try:
        hash(value)
    except Exception as error:
        raise TypeError(f"{what} must be a hashable value, not {short(value)}; {unchanged}") from error
    return value  # type: ignore[no-any-return]


def _advice(value: object) -> str:
    kind = type(value)
    if value is None:
        return "whereis() returns None for a name that nobody has"
    if issubclass(kind, str):
        return "whereis(name) returns the pid of who has a name"
    if kind is Process:
        return "A process is named by its `pid`"
    if hasattr(kind, "whereis"):
        return "Its whereis() returns the pid of who has the name, or None"
    return "spawn(), self_() and whereis() return pids"
