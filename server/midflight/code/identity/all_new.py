"""The classes of a version whose text is not known, or cannot be compared: none of them is kept."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import CodeType

from midflight.code.identity.pickling import pickle_by_name
from midflight.code.report.load_report import Superseded
from midflight.code.source.look import carried_module, carried_name, is_class
from midflight.code.version.facade import Namespace

__all__ = ["AllNew", "own_classes"]


def own_classes(name: str, namespace: Namespace) -> dict[str, type]:
    """Return the classes that module `name` made under their own names, by these."""
    return {
        key: value
        for key, value in list(namespace.items())
        if is_class(value) and carried_module(value) == name and carried_name(value) == key
    }


class AllNew:
    """An `Identity` that keeps nothing; `reason` is why."""

    kept: tuple[str, ...] = ()
    rebound: frozenset[str] = frozenset()

    def __init__(self, name: str, old: Namespace, new: Namespace, reason: str) -> None:
        self._classes, self._new, self._reason = own_classes(name, old), new, reason
        self.superseded: tuple[Superseded, ...] = ()

    def guarded(self, tree: ast.Module) -> ast.Module:
        """Return `tree`: each class statement runs."""
        return tree

    def keep_nothing(self, _: str) -> None:
        """Do nothing."""

    def finish(self, _: CodeType) -> Iterator[str]:
        """Note the superseded classes."""
        self.superseded = tuple(
            Superseded(name, self._reason if name in self._new else "it is gone") for name in self._classes
        )
        return iter(())

    def settle(self) -> None:
        """Have the objects of the old classes pickle as those of the new ones. May be repeated."""
        for cls in self._classes.values():
            pickle_by_name(cls)
