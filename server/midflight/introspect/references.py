"""Uses of a thing, in the texts of all loaded modules: current ones and, where a process runs them, older ones.

A name in a module is taken for what it means there while the program runs: its namespace is asked, not its imports.
What cannot be known by looking, the owner of `x.add` where x is a local, counts as a use of every method `add`.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import FunctionType, ModuleType

from midflight import code
from midflight.errors import UnknownModuleError, UnknownVersionError
from midflight.introspect.definitions import Target, column_of, current_text, lines_of, parsed, target_of
from midflight.introspect.loaded import module_names
from midflight.introspect.safe_look import Found, Instance, class_name, is_a, own_names, unwrapped
from midflight.introspect.scopes import ModuleScope, Scope, resolve_node

__all__ = ["MOST", "Reference", "references_of"]

MOST = 1000


@dataclass(frozen=True, slots=True)
class Reference:
    """One use: lines from 1, columns from 0. `inside` is the definition that it stands in, "" for the module's body.

    `version` is the module's version whose text it is; of one that is not current `pids` are those who run it.
    `is_sure` is False of an attribute whose owner is not known.
    """

    module: str
    inside: str
    path: str
    line: int
    column: int
    text: str
    version: int | None
    is_current: bool
    pids: tuple[str, ...]
    is_sure: bool


def references_of(target: Target) -> Iterator[Reference]:
    """Yield the uses of `target` in the modules that the code server has loaded, by module, version and line."""
    for name in module_names():
        path = code.is_loaded(name)
        if path is None:
            continue
        for version, is_current in _living_versions(name):
            text = current_text(name) if is_current else _old_text(name, version)
            tree = None if text is None else parsed(text)
            if tree is None or text is None:
                continue
            pids = () if is_current else tuple(repr(pid) for pid in code.processes(name, version))
            lines = lines_of(text)
            for use in _Uses(target, name, path).uses(tree):
                line = lines[use.line - 1] if use.line <= len(lines) else ""
                column = column_of(line, use.column)
                yield replace(use, text=line, column=column, version=version, is_current=is_current, pids=pids)


def _living_versions(name: str) -> list[tuple[int, bool]]:
    """Return the current version of a module first, then the older ones that some process runs, newest first."""
    try:
        found = [(each.version, each.is_current) for each in code.versions(name)]
    except UnknownModuleError:
        return []
    return sorted(found, key=lambda pair: (not pair[1], -pair[0]))


def _old_text(name: str, version: int) -> str | None:
    try:
        return code.source(name, version)
    except (UnknownModuleError, UnknownVersionError):
        return None


class _Uses:
    """One walk over the tree of a module."""

    def __init__(self, target: Target, module: str, path: str) -> None:
        self._target = target
        self._module = module
        self._path = os.path.realpath(path)
        self._last = target.name.rpartition(".")[2] or target.module.rpartition(".")[2]
        names = ModuleScope(module).globals()
        self._known_as = {key for key, value in names.items() if self._same(Found(value))}  # here, by whatever import
        if "." not in target.name:
            self._known_as.add(self._last)

    def uses(self, tree: ast.Module) -> Iterator[Reference]:
        """Yield the uses in `tree`, in the order of the text."""
        yield from self._walk(tree, "", ModuleScope(self._module))

    def _walk(self, node: ast.AST, inside: str, scope: Scope) -> Iterator[Reference]:
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    within = f"{inside}.{child.name}" if inside else child.name
                    for decorator in child.decorator_list:
                        yield from self._walk(ast.Expression(decorator), inside, scope)
                    rest = replace_decorators(child)
                    yield from self._walk(rest, within, ModuleScope(self._module, within))
                    continue
                case ast.Name(id=name, ctx=ast.Load()) if name in self._known_as:
                    if self._is_it(scope, child):
                        yield self._reference(child.lineno, child.col_offset, inside, True)
                case ast.Attribute(value=owner, attr=name) if name == self._last:
                    sure = self._of_owner(scope, child, owner)
                    if sure is not None:
                        column = (child.end_col_offset or 0) - len(name)
                        yield self._reference(child.end_lineno or child.lineno, column, inside, sure)
                case ast.ImportFrom(module=str(module), names=names, level=0) if module == self._target.module:
                    for each in names:
                        if each.name == self._target.name:
                            yield self._reference(each.lineno, each.col_offset, inside, True)
            yield from self._walk(child, inside, scope)

    def _is_it(self, scope: Scope, node: ast.Name) -> bool:
        found = resolve_node(scope, node)
        if found is not None and self._same(found):
            return True
        is_own = self._module == self._target.module and node.id == self._target.name
        return is_own and scope.origin(node.id) == self._module

    def _of_owner(self, scope: Scope, node: ast.Attribute, owner: ast.expr) -> bool | None:
        """Say whether the attribute `node` is the target, True for surely, False for perhaps; None if it is not."""
        above = resolve_node(scope, owner)
        if above is None:
            return False if "." in self._target.name else None
        if is_a(above.value, ModuleType):
            if own_names(above.value).get("__name__") == self._target.module and node.attr == self._target.name:
                return True
            found = resolve_node(scope, node)
            return True if found is not None and self._same(found) else None
        target = target_of(scope, ast.unparse(node))
        if target is None or "." not in self._target.name:
            return None
        return True if (target.module, target.name) == (self._target.module, self._target.name) else None

    def _same(self, found: Found) -> bool:
        """Say whether `found` is the target: by its module and name, so that older objects of it count."""
        value, function = found.value, unwrapped(found.value)
        if type(value) is Instance:
            return False
        if type(function) is FunctionType:
            known = (function.__globals__.get("__name__"), function.__code__.co_qualname)
        elif is_a(value, type):
            known = (own_names(value).get("__module__"), class_name(value, is_qualified=True))
        elif is_a(value, ModuleType):
            known = (own_names(value).get("__name__"), "")
        else:
            return False
        return known == (self._target.module, self._target.name)

    def _reference(self, line: int, column: int, inside: str, is_sure: bool) -> Reference:
        return Reference(self._module, inside, self._path, line, column, "", None, True, (), is_sure)


def replace_decorators(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.AST:
    """Return a stand-in for `node` without its decorators, which stand outside of it."""
    rest = [each for each in ast.iter_child_nodes(node) if each not in node.decorator_list]
    return ast.Tuple(rest, ast.Load())  # type: ignore[arg-type]  # it is only walked
