"""A module's text with the facts that the rules of state need, each worked out when it is first asked for. Pure.

First of them are the names that are state: assigned by statements that its body runs at once. `__fresh__` are those
that the text itself wants new at each load.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cached_property

from midflight.code.source.bindings import Bindings, bindings_of, is_same
from midflight.code.source.text_memory import TextMemory
from midflight.code.state.inner_text import InnerTexts, inner_texts
from midflight.code.state.reach import Definitions
from midflight.code.state.uses import Footprint, footprint_of, statements_in

__all__ = [
    "Assigned",
    "Assignment",
    "ModuleText",
    "fresh_in",
    "fresh_names",
    "is_unchanged",
    "module_text",
    "state_names",
]

Assignment = ast.Assign | ast.AnnAssign | ast.AugAssign
Assigned = dict[str, tuple[ast.stmt, ...]]


class ModuleText:
    """One text of a module, parsed."""

    def __init__(self, tree: ast.Module, text: str) -> None:
        self.tree = tree
        self.text = text

    @cached_property
    def bindings(self) -> Bindings:
        """The statements that bind the names of the module."""
        return bindings_of(self.tree, self.text)

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.split("\n")

    @cached_property
    def assigned(self) -> Assigned:
        """The names that are state, by the text."""
        return state_names(self.bindings)

    def names(self) -> list[str]:
        """Return the names whose values by the body are noted: state, functions and classes."""
        return [*self.assigned, *(name for name in self.bindings.by_name if name in self.definitions)]

    @cached_property
    def definitions(self) -> Definitions:
        """The functions and classes."""
        return Definitions(self.tree, self.lines)

    @cached_property
    def inner(self) -> InnerTexts:
        """The text that makes the values inside of functions and classes."""
        return inner_texts(self.tree)

    @cached_property
    def footprints(self) -> list[tuple[ast.stmt, Footprint]]:
        """The statements of the module's scope, each with its footprint; without those that do nothing."""
        return [
            (statement, footprint_of(statement))
            for statement in statements_in(self.tree.body)
            if not _does_nothing(statement)
        ]


def _does_nothing(statement: ast.stmt) -> bool:
    """Say whether a statement is a plain function, or an import."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = statement.args
        return not (statement.decorator_list or arguments.defaults or arguments.kw_defaults)
    return isinstance(statement, ast.Import | ast.ImportFrom)


_texts: TextMemory[ModuleText] = TextMemory()


def module_text(tree: ast.Module, text: str) -> ModuleText:
    """Return the ModuleText of a text and its tree; the last few are remembered: the next load compares with them."""
    return _texts.get(text, tree, ModuleText, tree, text)


def state_names(bindings: Bindings) -> Assigned:
    """Return the names that are state, each with the statements that bind it, in the order of the text.

    Neither a dunder nor a name that anything else binds: a definition, an import, a loop, a `with`, an `except`... One
    that functions alone bind, by `global`, has the statements with those: the body may call one.
    """
    found: Assigned = {}
    for name, places in bindings.by_name.items():
        if _is_dunder(name):
            continue
        statements = []
        for place in places:
            statement = place.statement
            if isinstance(statement, ast.AnnAssign) and statement.value is None:
                continue  # an annotation alone binds nothing
            if not isinstance(statement, Assignment) and not _is_bound_inside(name, statement):
                break
            statements.append(statement)
        else:
            if statements:
                found[name] = tuple(statements)
    for name, definitions in sorted(bindings.rebinders.items(), key=lambda each: each[0]):
        if name not in bindings.by_name and not _is_dunder(name):
            found[name] = tuple(definitions)
    return found


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_bound_inside(name: str, statement: ast.stmt) -> bool:
    """Say whether it is `:=` that binds `name`, in an expression of a statement that defines nothing."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    nodes = [node for node in ast.walk(statement) if isinstance(node, ast.Name | ast.NamedExpr)]
    inside = {id(node.target) for node in nodes if isinstance(node, ast.NamedExpr)}
    bound = [
        node for node in nodes if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
    ]
    return bool(bound) and all(id(node) in inside for node in bound)


def is_unchanged(
    old: tuple[ast.stmt, ...], old_lines: list[str], new: tuple[ast.stmt, ...], new_lines: list[str]
) -> bool:
    """Say whether the statements of a name are the same in two texts, all of them and in their order."""
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
