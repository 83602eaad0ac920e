"""The adapter for click: a command that somebody holds runs the current callback, a group has the current commands."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from midflight.code import ModuleChange

__all__ = ["changed", "found", "types"]

Command: Any = importlib.import_module("click.core").Command

types: tuple[type, ...] = ()


def changed(change: ModuleChange) -> Iterator[str]:
    """Make each command of the version before what the current one is."""
    for old, new in change.pairs():
        if isinstance(old, Command) and type(new) is type(old):
            vars(old).update(vars(new))
            yield f"click: {new.name} is the current command wherever it is held"


def found(change: ModuleChange, objects: list[Any]) -> Iterator[tuple[object, str]]:  # noqa: ARG001  # as Adapter has it
    """Do nothing: the callback is the command's."""
    return iter(())
