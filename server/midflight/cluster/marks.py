"""The names by which pids, refs, clients and classes stand in a pickle. The unpickler has its own function for each.

pid(node, creation, number)            ref(node, creation, number)
client(node, creation, number, owner)  of a call: the ref's number, and the number of who waits
project_class(module, name, fields, digest, version)  what the class declares, of its text, and its module's vsn
"""

from __future__ import annotations

from typing import Any

__all__ = ["client", "pid", "project_class", "ref"]


def pid(*_: Any) -> Any:
    """Stand for a pid."""
    raise AssertionError("read by the cluster's unpickler only")


def ref(*_: Any) -> Any:
    """Stand for a ref."""
    raise AssertionError("read by the cluster's unpickler only")


def client(*_: Any) -> Any:
    """Stand for the client of a call."""
    raise AssertionError("read by the cluster's unpickler only")


def project_class(*_: Any) -> Any:
    """Stand for a class of the program's."""
    raise AssertionError("read by the cluster's unpickler only")
