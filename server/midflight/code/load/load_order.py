"""The order in which the modules of one load are made: that in which Python would finish their imports.

A module imports another one in the midst of its own body, and goes on when that is done. So the body that ends first is
made first, and finds all that it imports as it will be. Modules that import each other have no order in which that is
true of all: one of them finds another one half made, with the names that its body has bound so far. So the one that
began first begins, and each of the others is made where a body comes to its import, as Python does it. `sys.modules`
tells which: a module takes its place there when its import has finished, and of those that import each other the one
that has begun first finishes last.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from midflight.code.source.unit import Unit

__all__ = ["Order", "imports_asked_for", "in_order"]

# Imports in these run when they are called, if ever, and so not while the module is made.
LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Order(NamedTuple):
    """The units of a load in the order in which they are made.

    The bodies of those in `asking` have each unit that they import made at the import, if it was not made before.
    """

    units: list[Unit]
    asking: frozenset[str] = frozenset()


def in_order(units: Sequence[Unit]) -> Order:
    """Return the order in which the import of all would finish, begun with those imported first.

    A unit that others find half made comes before all that is made while its body runs.
    """
    if len(units) == 1:  # most loads, and a look at all that one imports takes as long as parsing it
        return Order(list(units))
    first = {name: place for place, name in enumerate(sys.modules)}
    begun = sorted(units, key=lambda unit: first.get(unit.name, len(first)))  # stable: the others as they are given
    imports = _Imports(units)
    for unit in begun:
        imports.import_(unit.name)
    if imports.has_cycles:
        heads = imports.heads(first)
        imports = _Imports(units)
        for unit in begun:
            imports.import_(heads[unit.name])
            imports.import_(unit.name)
    return imports.order()


def imports_asked_for(unit: Unit, names: frozenset[str]) -> dict[int, str]:
    """Return the imports of a unit, each statement by its id, that import modules of `names`: with spaces, in order."""
    found = {}
    for node in _run_at_once(unit.tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            wanted = [part for each in _names_in(unit, node) for part in _with_packages(each) if part in names]
            if wanted:
                found[id(node)] = " ".join(dict.fromkeys(wanted))
    return found


class _Imports:
    """The imports of a group of modules, played through without running anything."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._finished: dict[str, int] = {}  # how many had begun when it finished
        self._units = {unit.name: unit for unit in units}
        self._begun: dict[str, int] = {}  # how many had begun before it
        self._half_made: set[str] = set()  # those that another one imports in the midst of their bodies
        self._importers: dict[str, list[str]] = {name: [] for name in self._units}

    @property
    def has_cycles(self) -> bool:
        """Whether some import each other."""
        return bool(self._half_made)

    def heads(self, places: Mapping[str, int]) -> dict[str, str]:
        """Return for each module the one that begins, of all that it imports and that import it: the last in `places`.

        If none of them is there, it is the first that was given. When all are imported.
        """
        given = {name: -place for place, name in enumerate(self._units)}
        found: dict[str, str] = {}
        for name in reversed(self._finished):  # Kosaraju's way: against the arrows, the last to finish first
            group, waiting = {name}, [name]
            while waiting and name not in found:
                for each in self._importers[waiting.pop()]:
                    if each not in found and each not in group:
                        group.add(each)
                        waiting.append(each)
            if name not in found:
                head = max(group, key=lambda each: (places.get(each, -1), given[each]))
                found |= dict.fromkeys(group, head)
        return found

    def order(self) -> Order:
        """Return the order, when all are imported."""
        inside = {name: self._around(name) for name in self._finished}
        units = []
        for name in self._finished:
            if inside[name] is None:
                within = [each for each in self._finished if inside[each] == name]
                units += [self._units[each] for each in (name, *within)]
        return Order(units, frozenset(name for name in inside if inside[name] or name in self._half_made))

    def _around(self, name: str) -> str | None:
        """Return the outermost of those that are found half made and in whose bodies `name` is imported."""
        around = [each for each in self._half_made if self._begun[each] < self._begun[name] < self._finished[each]]
        return min(around, key=self._begun.__getitem__, default=None)

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
        self._begun[name] = len(self._begun)
        for each in _imported(unit):
            known = [part for part in _with_packages(each) if part in self._units]
            if known:
                if known[-1] in self._begun and known[-1] not in self._finished and known[-1] != name:
                    self._half_made.add(known[-1])
                for part in known:
                    self._importers[part].append(name)
                yield known[-1]
        self._finished[name] = len(self._begun)


def _imported(unit: Unit) -> Iterator[str]:
    """Yield the names of modules that the body of `unit` imports, in its order: `from m import f` may name m.f."""
    for node in _run_at_once(unit.tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from _names_in(unit, node)


def _names_in(unit: Unit, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name
            if alias.asname is None and "." in alias.name:
                yield alias.name.partition(".")[0]  # that is what it binds
        return
    origin = _absolute(unit, node)
    for alias in node.names:
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
