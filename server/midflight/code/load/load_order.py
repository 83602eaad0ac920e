"""The order in which the modules of one load are made: a module comes after those that it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from midflight.code.source.unit import Unit

__all__ = ["in_order"]


def in_order(units: Sequence[Unit]) -> list[Unit]:
    """Return `units` so that each comes after those it imports; as they are given if they import each other."""
    if len(units) == 1:  # most loads, and a look at all that one imports takes as long as parsing it
        return list(units)
    by_name = {unit.name: unit for unit in units}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for unit in units:
        sorter.add(unit.name, *sorted({name for name in _imported(unit) if name in by_name and name != unit.name}))
    try:
        return [by_name[name] for name in sorter.static_order()]
    except CycleError:
        return list(units)


def _imported(unit: Unit) -> Iterator[str]:
    """Yield the names of modules that the body of `unit` imports, or may: `from m import f` names m and m.f."""
    for node in ast.walk(unit.tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield from _with_packages(alias.name)
            case ast.ImportFrom(names=names):
                origin = _absolute(unit, node)
                yield from _with_packages(origin)
                for alias in names:
                    yield f"{origin}.{alias.name}"


def _with_packages(name: str) -> Iterator[str]:
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        yield ".".join(parts[:length])


def _absolute(unit: Unit, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = unit.name.split(".")
    package = parts[: len(parts) - node.level + (1 if unit.is_package else 0)]
    return ".".join([*package, *filter(None, [node.module])])
