"""The names of a module that are state, by its text: assigned by statements that its body runs at once. Pure.

`__fresh__` are those of them that the text itself wants new at each load.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from midflight.code.source.bindings import Bindings, is_same

__all__ = ["Assigned", "fresh_in", "fresh_names", "is_unchanged", "state_names"]

Assignment = ast.Assign | ast.AnnAssign | ast.AugAssign
Assigned = dict[str, tuple[Assignment, ...]]


def state_names(bindings: Bindings) -> Assigned:
    """Return the names that are state, each with the assignments that bind it, in the order of the text.

    Neither a dunder nor a name that anything else binds: a definition, an import, a loop, a `with`, an `except`...
    """
    found: Assigned = {}
    for name, places in bindings.by_name.items():
        if name.startswith("__") and name.endswith("__"):
            continue
        statements = []
        for place in places:
            statement = place.statement
            if isinstance(statement, ast.AnnAssign) and statement.value is None:
                continue  # an annotation alone binds nothing
            if not isinstance(statement, Assignment):
                break
            statements.append(statement)
        else:
            if statements:
                found[name] = tuple(statements)
    return found


def is_unchanged(
    old: tuple[Assignment, ...], old_lines: list[str], new: tuple[Assignment, ...], new_lines: list[str]
) -> bool:
    """Say whether the assignments of a name are the same in two texts, all of them and in their order."""
    return len(old) == len(new) and all(
        is_same(one, old_lines, two, new_lines) for one, two in zip(old, new, strict=True)
    )


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
