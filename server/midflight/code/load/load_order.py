"""The order in which the modules of one load are made: that in which Python would finish their imports.

A module imports another one in the midst of its own body, and goes on when that is done. So the body that ends first is
made first, and finds all that it imports as it will be. Modules that import each other have no order in which that is
true of all; then Python goes by who was imported first, and so does this.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence

from midflight.code.source.unit import Unit

__all__ = ["in_order"]

# Imports in these run when they are called, if ever, and so not while the module is made.
LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def in_order(units: Sequence[Unit]) -> list[Unit]:
    """Return `units` in the order in which the import of all would finish, begun with those imported first."""
    if len(units) == 1:  # most loads, and a look at all that one imports takes as long as parsing it
        return list(units)
    first = {name: place for place, name in enumerate(sys.modules)}
    begun = sorted(units, key=lambda unit: first.get(unit.name, len(first)))  # stable: the others as they are given
    order = _Order(units)
    for unit in begun:
        order.import_(unit.name)
    return order.finished


class _Order:
    """The imports of a group of modules, played through without running anything."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.finished: list[Unit] = []
        self._units = {unit.name: unit for unit in units}
        self._begun: set[str] = set()

    def import_(self, name: str) -> None:
        """Import `name`, its packages first, each with all that its body imports; nothing twice."""
        waiting = [self._imports_of(each) for each in _with_packages(name)][::-1]
        while waiting:  # no recursion: a chain of imports may be long
            following = next(waiting[-1], None)
            if following is None:
                waiting.pop()
            else:
                waiting += [self._imports_of(each) for each in _with_packages(following)][::-1]

    def _imports_of(self, name: str) -> Iterator[str]:
        """Yield the names that the body of a module imports; the module has finished when they are all imported."""
        unit = self._units.get(name)
        if unit is None or name in self._begun:
            return
        self._begun.add(name)
        for each in _imported(unit):
            known = [part for part in _with_packages(each) if part in self._units]
            if known:
                yield known[-1]
        self.finished.append(unit)


def _imported(unit: Unit) -> Iterator[str]:
    """Yield the names of modules that the body of `unit` imports, in its order: `from m import f` may name m.f."""
    for node in _run_at_once(unit.tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield alias.name
            case ast.ImportFrom(names=names):
                origin = _absolute(unit, node)
                for alias in names:
                    yield f"{origin}.{alias.name}"


def _run_at_once(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements that run with the module's body, in the order of the text."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt):
            yield node
        if isinstance(node, LATER):
            continue
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If) and _is_for_type_checkers(node.test):
            children = list(node.orelse)
        waiting += [each for each in reversed(children) if not isinstance(each, ast.expr)]


def _is_for_type_checkers(test: ast.expr) -> bool:
    return getattr(test, "id", None) == "TYPE_CHECKING" or getattr(test, "attr", None) == "TYPE_CHECKING"


def _with_packages(name: str) -> list[str]:
    """Return the names of the packages that a module is in, the outermost first, and its own."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def _absolute(unit: Unit, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = unit.name.split(".")
    package = parts[: len(parts) - node.level + (1 if unit.is_package else 0)]
    return ".".join([*package, *filter(None, [node.module])])
