"""Values on their way between nodes: pickle, in which pids, refs and calls' clients have the name of their node.

A program's class goes by its name, with the fields that it declares and the version of its module. A node that has the
class with other fields, or not at all, refuses the message and says which versions the two have. If only the text
differs, the object is of the class as it is here, and a warning says so, once for each pair of versions.
Law: a node that can send here can run any code here, as in OTP; the cookie decides which nodes can.
"""

from __future__ import annotations

import io
import logging
import pickle
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, ClassVar, Protocol

from midflight.cluster import marks
from midflight.cluster.errors import VersionSkew
from midflight.code.lowlevel import acceptance_of, is_project_module, shape_of
from midflight.kernel import Client, Pid, Ref

__all__ = ["Addresses", "dumps", "loads"]

PROTOCOL = 5
SHOWN = 12  # digits of a vsn

_log = logging.getLogger("midflight.cluster")
_told: set[tuple[str, str, str]] = set()  # skews that were reported


class Addresses(Protocol):
    """The addresses of pids, refs and clients, in both directions."""

    def address_of(self, value: Pid | Ref) -> tuple[str, int, int]:
        """Return node, creation and number."""

    def pid_at(self, node: str, creation: int, number: int) -> Pid:
        """Return the pid with that address."""

    def ref_at(self, node: str, creation: int, number: int) -> Ref:
        """Return the ref with that address."""

    def client_at(self, node: str, creation: int, number: int, owner: int) -> Ref:
        """Return the client with that address."""


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, addresses: Addresses) -> None:
        super().__init__(file, protocol=PROTOCOL)
        self.addresses = addresses

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if kind is Pid:
            return marks.pid, self.addresses.address_of(value)
        if issubclass(kind, Client):
            return marks.client, (*self.addresses.address_of(value), value.pid.number)
        if issubclass(kind, Ref):
            return marks.ref, self.addresses.address_of(value)
        if issubclass(kind, type) and is_project_module(value.__module__) and "<locals>" not in value.__qualname__:
            digest, fields = shape_of(value)
            return marks.project_class, (value.__module__, value.__qualname__, fields, digest, _vsn_of(value))
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, addresses: Addresses) -> None:
        super().__init__(file)
        self.addresses = addresses

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name in the pickle means: ours for the marks, else what pickle itself finds."""
        if module == marks.__name__:
            return self._marks[name](self)
        return super().find_class(module, name)

    _marks: ClassVar[dict[str, Callable[[_Unpickler], Any]]] = {
        "pid": lambda self: self.addresses.pid_at,
        "ref": lambda self: self.addresses.ref_at,
        "client": lambda self: self.addresses.client_at,
        "project_class": lambda _: _class_at,
    }


def dumps(header: tuple[Any, ...], value: Any, addresses: Addresses) -> bytes:
    """Return the bytes of an operation: `header`, of plain values only, then `value`. Raises: what pickling raises."""
    file = io.BytesIO()
    file.write(pickle.dumps(header, PROTOCOL))
    _Pickler(file, addresses).dump(value)
    return file.getvalue()


def loads(operation: bytes, addresses: Addresses) -> tuple[tuple[Any, ...], Callable[[], Any]]:
    """Return the header of an operation, and the function that makes its value.

    That raises VersionSkew, and what the value's own classes raise.
    """
    file = io.BytesIO(operation)
    header: tuple[Any, ...] = pickle.Unpickler(file).load()
    return header, _Unpickler(file, addresses).load


def _vsn_of(cls: type[Any]) -> str:
    """Return the vsn of the version of its module that `cls` is of, shortened; "" for one that was never loaded."""
    return str(acceptance_of(cls).vsn)[:SHOWN]


def _class_at(module: str, name: str, fields: tuple[str, ...] | None, digest: str, version: str) -> Any:
    """Return the class of that name. Raises: VersionSkew if it is not here, or declares other fields."""
    full = f"{module}.{name}"
    try:
        found: Any = sys.modules.get(module) or import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        raise VersionSkew(full, version, None) from None
    if not isinstance(found, type):
        raise VersionSkew(full, version, None)
    shape = shape_of(found)
    if shape.digest != digest:
        ours = _vsn_of(found)
        if shape.fields != fields:
            raise VersionSkew(full, version, ours)
        if (full, version, ours) not in _told:
            _told.add((full, version, ours))
            _log.warning(
                "An object of %s came from version %s of its module, and here it is version %s, with the same fields; "
                "it was taken.",
                full,
                version or "unknown",
                ours or "unknown",
            )
    return found
