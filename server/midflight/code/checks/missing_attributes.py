"""Names that are read through a module which has no such name: a process that comes there ends with AttributeError.

Only modules of the code server are looked at, the one that is made above all: `counter.codeswitch` is how a process
comes to the next version, and a slip of the pen in it is found by nobody else.
"""

from __future__ import annotations

import ast
import difflib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any, NamedTuple, TypeGuard

from midflight.code.checks.facts import Facts
from midflight.code.checks.silencing_comments import SilencingComments
from midflight.code.report.load_report import Severity
from midflight.code.source.look import is_module, module_names, module_value
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import known

__all__ = ["Absent", "absent_names", "hint", "may_be_absent"]


class Absent(NamedTuple):
    """One such read: `severity` is an error if the module is the one that is made, for nobody else can add to that."""

    node: ast.Attribute
    said: str
    severity: Severity
    text: str


def may_be_absent(every: Iterable[Facts], namespace: Namespace, module: ModuleType) -> bool:
    """Say whether a text with these facts may have such a read: if not, there is no need to look for it."""
    for facts in every:
        for name, attributes in facts.reads.items():
            owner = namespace.get(name)
            if is_module(owner) and _is_ours(owner, module) and any(_lacks(owner, each) for each in attributes):
                return True
    return False


def absent_names(
    tree: ast.Module, text: str, namespace: Namespace, module: ModuleType, locals_of: Callable[[Any], frozenset[str]]
) -> Iterator[Absent]:
    """Yield them, in the order of the text. `locals_of` gives the names that are not globals in a function."""
    modules = {name: value for name, value in list(namespace.items()) if _is_ours(value, module)}
    if not modules:
        return
    doubtful: set[str] = set()  # what is set or asked for by name somewhere: it may be there by then
    reads: list[tuple[ast.Attribute, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            if node.attr == "__class__" and isinstance(node.ctx, ast.Store):
                return  # a module may be of a class with more to it
            if isinstance(node.value, ast.Name) and node.value.id in modules:
                if isinstance(node.ctx, ast.Load):
                    reads.append((node, node.value.id))
                else:
                    doubtful.add(node.attr)
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                doubtful.add(node.value)
        elif isinstance(node, ast.Global):
            doubtful.update(node.names)
        elif isinstance(node, ast.ExceptHandler) and "AttributeError" in _unparsed(node.type):
            return  # it is prepared for that
    missing = [each for each in reads if each[0].attr not in doubtful and _lacks(modules[each[1]], each[0].attr)]
    found = [each for each in missing if not _has(each[0].attr, modules[each[1]], namespace, module)]
    hidden = _hidden(tree, {id(node) for node, _ in found}, locals_of) if found else set()
    comments = SilencingComments(text, "F821", "attr-defined")
    for node, name in found:
        if id(node) not in hidden and not comments.are_silent(node.lineno):
            yield _absent(node, name, modules[name], namespace, module)


def _absent(node: ast.Attribute, name: str, owner: ModuleType, namespace: Namespace, module: ModuleType) -> Absent:
    names = namespace if owner is module else vars(owner)
    said = f"{name}.{node.attr}"
    text = (
        f"{_name(owner)} has no {node.attr!r}; a process that comes here would end with AttributeError; "
        f"{hint(node.attr, names)}"
    )
    return Absent(node, said, "error" if owner is module else "warning", text)


def hint(name: str, names: Iterable[str]) -> str:
    """Return advice about `name`, which is not among `names`, in words."""
    near = difflib.get_close_matches(name, [each for each in names if not each.startswith("__")], 1, 0.75)
    if near:
        return f"perhaps {near[0]!r} is meant"
    if name in sys.stdlib_module_names:
        return f"write `import {name}`"
    return "define it"


def _unparsed(node: ast.expr | None) -> str:
    return "" if node is None else ast.unparse(node)


def _is_ours(value: object, module: ModuleType) -> TypeGuard[ModuleType]:
    if value is module:
        return True
    record = known(_name(value)) if is_module(value) else None
    return record is not None and record.facade.module is value and record.current is not None


def _name(module: ModuleType) -> str:
    name = module_value(module, "__name__")
    return name if type(name) is str else ""


def _lacks(owner: ModuleType, attr: str) -> bool:
    return attr not in module_names(owner) and not hasattr(ModuleType, attr)


def _has(attr: str, owner: ModuleType, namespace: Namespace, module: ModuleType) -> bool:
    """Say whether there is a way, in doubt, to have `attr` of `owner`: by what it says itself, or as a submodule."""
    names = namespace if owner is module else vars(owner)
    if attr in names or "__getattr__" in names or hasattr(type(owner), attr):
        return True
    folders = [str(folder) for folder in names.get("__path__", ())]
    return any(os.path.exists(os.path.join(folder, file)) for folder in folders for file in (attr, f"{attr}.py"))


def _hidden(tree: ast.Module, wanted: set[int], locals_of: Callable[[Any], frozenset[str]]) -> set[int]:
    """Return the attribute nodes among `wanted` whose module is a local name there, so another object."""
    found: set[int] = set()
    waiting: list[tuple[ast.AST, frozenset[str]]] = [(tree, frozenset())]
    while waiting:
        node, local = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            local |= locals_of(node)
        if id(node) in wanted and isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found |= {id(node)} if node.value.id in local else set()
        waiting += [(child, local) for child in ast.iter_child_nodes(node)]
    return found
