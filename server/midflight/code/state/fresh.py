"""`__fresh__`: the names that a module's own text wants new at each load. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterable

__all__ = ["fresh_in", "fresh_names"]


def fresh_in(wanted: Iterable[str], module: str) -> frozenset[str]:
    """Return the names of `module` that a load wants new: "NAME" is one in each module, "MODULE:NAME" in that one."""
    pairs = [each.rpartition(":") for each in wanted]
    return frozenset(name for owner, _, name in pairs if owner in ("", module))


def fresh_names(tree: ast.Module) -> frozenset[str]:
    """Return the names in `__fresh__ = [...]`, a list of strings at the top of the module."""
    found: set[str] = set()
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__fresh__")], value=ast.List() | ast.Tuple() as value):
                found.update(
                    each.value for each in value.elts if isinstance(each, ast.Constant) and isinstance(each.value, str)
                )
    return frozenset(found)
