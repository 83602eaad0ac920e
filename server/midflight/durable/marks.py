"""The functions that a state names in its pickle. Reading puts others in their place: see reading.py.

Law: the module and these names are the format of a store. They are never renamed, and never called here.
"""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["MODULE", "blank", "client", "fill", "function", "member", "pid", "project_class", "ref"]

MODULE = __name__


def blank(cls: Any, base: str, *values: Any) -> NoReturn:
    """An object of a project class without fields: `base` is the builtin that it is of, made of `values`."""
    raise _not_read(cls, base, values)


def fill(value: Any, state: Any) -> NoReturn:
    """The fields of that object, its items and its pairs."""
    raise _not_read(value, state)


def project_class(module: str, name: str, digest: str, fields: tuple[str, ...] | None) -> NoReturn:
    """A class of the project, with the digest of its text and the fields that it declares."""
    raise _not_read(module, name, digest, fields)


def function(module: str, name: str) -> NoReturn:
    """A function of the project."""
    raise _not_read(module, name)


def member(cls: Any, name: str | tuple[str, ...], value: Any) -> NoReturn:
    """A member of an enum by its name, or by the names that a flag has; `value` is what it was."""
    raise _not_read(cls, name, value)


def pid(node: int, creation: int, number: int) -> NoReturn:
    """A pid of the runtime with that creation."""
    raise _not_read(node, creation, number)


def ref(node: int, creation: int, number: int) -> NoReturn:
    """A ref of the runtime with that creation."""
    raise _not_read(node, creation, number)


def client(node: int, creation: int, number: int) -> NoReturn:
    """A caller of the runtime with that creation, who waits no more."""
    raise _not_read(node, creation, number)


def _not_read(*values: object) -> TypeError:
    return TypeError(f"this is the state of a durable server, to be read by its store, not by pickle: {values!r}")
