"""`Made`: whose an object or a word is, of those that turn up elsewhere while the bodies of a load run.

Other threads run meanwhile. What they put into a table is theirs, and must stay. So a thing counts as a body's only if
that can be seen: an object that the body has made, or a word that its text says.
"""

from __future__ import annotations

import ast
import os
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from midflight.code.source.look import carried_module, is_class
from midflight.code.source.unit import Unit
from midflight.code.version.facade import Namespace

__all__ = ["Body", "Made"]

DEPTH = 4  # steps into an object: a tuple, a partial, a method, its object
CONTAINERS = (list, tuple, dict, set, frozenset, deque)
MOST = 1_000  # items of a container that are looked at
ATOMS = (str, bytes, int, float, complex, bool, type(None), type(...))


class Body(NamedTuple):
    """A body that has run: its text, its namespace, and that of the version before."""

    unit: Unit
    namespace: Namespace
    old: Namespace


class Made:
    """The objects that some bodies have made, and the words of their texts."""

    def __init__(self, bodies: Iterable[Body]) -> None:
        self.bodies = tuple(bodies)
        self.shared: frozenset[int] = frozenset()  # containers, by identity, that say nothing of who has them
        self._namespaces = {id(each.namespace) for each in self.bodies}
        self._modules = {each.unit.name for each in self.bodies}
        self._older = {id(value) for each in self.bodies for value in list(each.old.values())}
        self._bound: set[int] = set()
        self._imported: set[int] = set()
        for body in self.bodies:
            imported = _imported_names(body.unit.tree)
            for name, value in list(body.namespace.items()):
                if not name.startswith("__") and not issubclass(type(value), ATOMS) and id(value) not in self._older:
                    (self._imported if name in imported else self._bound).add(id(value))

    @property
    def name(self) -> str:
        """The modules whose bodies they are, in words."""
        return ", ".join(each.unit.name for each in self.bodies)

    def has(self, value: Any, depth: int = DEPTH) -> bool:
        """Say whether `value` was made by a body, or has a part that was."""
        kind = type(value)
        if issubclass(kind, ATOMS) or id(value) in self.shared:
            return False
        if is_class(value):
            return carried_module(value) in self._modules and id(value) not in self._older
        if kind is FunctionType:
            return id(value.__globals__) in self._namespaces or (depth > 0 and self._has_any(_cells(value), depth))
        if id(value) in self._bound and not issubclass(kind, ModuleType):
            return True
        if carried_module(kind) in self._modules and id(kind) not in self._older:
            return True
        return depth > 0 and self._has_any(_parts(value), depth)

    def _has_any(self, parts: Iterable[Any], depth: int) -> bool:
        return any(self.has(each, depth - 1) for each in parts)

    def says(self, value: Any) -> bool:
        """Say whether `value` is a body's own in the widest sense: made by it, bound in it, or a word of its text."""
        if isinstance(value, str) and type(value) is str:
            return value in self.words
        return id(value) in self._bound or id(value) in self._imported or self.has(value)

    def says_path(self, path: object) -> bool:
        """Say whether a folder is a word of a body's text, or one above its file, or below such a one by a word."""
        if type(path) is not str:
            return False
        if path in self.words:
            return True
        return "path" in self.names and any(self._is_near(path, each.unit.path) for each in self.bodies)

    def _is_near(self, path: str, file: str) -> bool:
        above, found = os.path.dirname(file), os.path.abspath(path)
        if above == found or above.startswith(found.rstrip(os.sep) + os.sep):
            return True
        return found.startswith(above + os.sep) and found[len(above) + 1 :].split(os.sep)[-1] in self.words

    @cached_property
    def words(self) -> frozenset[str]:
        """The strings in the texts, and the names of keywords in calls."""
        found = {each.unit.name for each in self.bodies}
        for node in self._nodes():
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.keyword) and node.arg is not None:
                found.add(node.arg)
        return frozenset(found)

    @cached_property
    def names(self) -> frozenset[str]:
        """The names in the texts, and those of attributes."""
        return frozenset(
            node.attr if isinstance(node, ast.Attribute) else node.id
            for node in self._nodes()
            if isinstance(node, (ast.Attribute, ast.Name))
        ) | {alias.name for node in self._nodes() if isinstance(node, ast.ImportFrom) for alias in node.names}

    def _nodes(self) -> Iterator[ast.AST]:
        for each in self.bodies:
            yield from ast.walk(each.unit.tree)


def _imported_names(tree: ast.Module) -> set[str]:
    return {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }


def _cells(function: FunctionType) -> Iterator[Any]:
    """Yield what a function encloses, as a decorator's does, and what it wraps."""
    yield vars(function).get("__wrapped__")
    for cell in function.__closure__ or ():
        yield from _content(cell)


def _content(cell: CellType) -> Iterator[Any]:
    try:
        yield cell.cell_contents
    except ValueError:  # it is empty
        return


def _parts(value: Any) -> Iterable[Any]:
    """Return the parts of what is passed around to be called, and of containers."""
    kind = type(value)
    if kind is MethodType:
        return value.__self__, value.__func__
    if kind in (staticmethod, classmethod):
        return (value.__func__,)
    if issubclass(kind, partial):
        return (value.func, *value.args, *value.keywords.values())
    if issubclass(kind, weakref.ref):
        return (weakref.ref.__call__(value),)
    if kind in CONTAINERS and len(value) <= MOST:
        return [*value, *value.values()] if kind is dict else list(value)
    return ()
