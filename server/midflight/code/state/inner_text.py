"""The text that makes the values inside of functions and classes, by the names of `inner_values`. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cached_property

from midflight.code.state.uses import footprint_of, statements_in

__all__ = ["InnerTexts", "inner_texts"]

Assignment = ast.Assign | ast.AnnAssign | ast.AugAssign
Function = ast.FunctionDef | ast.AsyncFunctionDef


class InnerTexts:
    """The statements and expressions that make each inner value, in the order of the text."""

    def __init__(self, tree: ast.Module) -> None:
        self.by_name: dict[str, list[ast.AST]] = {}
        self._bodies: dict[str, list[ast.stmt]] = {}
        self._tree = tree

    @cached_property
    def stored(self) -> frozenset[str]:
        """The attributes that something in the module sets, of whatever object."""
        return frozenset(
            node.attr
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        )

    def is_used_in_class(self, name: str) -> bool:
        """Say whether the body of its class reads an attribute, a decorator or a default say."""
        path, _, attribute = name.rpartition(".")
        try:
            return any(attribute in footprint_of(each).names() for each in self._bodies.get(path, ()))
        except RecursionError:  # of a sum of a thousand, say
            return True

    def add(self, name: str, node: ast.AST) -> None:
        """Note that `node` makes the value `name`."""
        self.by_name.setdefault(name, []).append(node)

    def class_(self, path: str, node: ast.ClassDef) -> None:
        """Read the body of a class."""
        statements = list(statements_in(node.body))
        self._bodies.setdefault(path, []).extend(statements)
        for statement in statements:
            match statement:
                case ast.ClassDef(name=name):
                    self.class_(f"{path}.{name}", statement)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    self.function(f"{path}.{_mangled(node.name, name)}", statement)
                case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                    for target in _targets(statement):
                        if isinstance(target, ast.Name):
                            self.add(f"{path}.{_mangled(node.name, target.id)}", statement)

    def function(self, path: str, node: Function) -> None:
        """Read the defaults of a function."""
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)
        for argument, default in (*defaults, *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)):
            if default is not None:
                self.add(f"{path}({argument.arg})", default)


def inner_texts(tree: ast.Module) -> InnerTexts:
    """Return what a module's text says of the values inside of its functions and classes."""
    found = InnerTexts(tree)
    for statement in statements_in(tree.body):
        if isinstance(statement, ast.ClassDef):
            found.class_(statement.name, statement)
        elif isinstance(statement, Function):
            found.function(statement.name, statement)
        elif isinstance(statement, Assignment):
            for target in _targets(statement):
                if isinstance(target, ast.Attribute):
                    found.add(ast.unparse(target), statement)
    return found


def _targets(statement: Assignment) -> Iterable[ast.expr]:
    if isinstance(statement, ast.AnnAssign) and statement.value is None:
        return
    waiting: list[ast.expr] = list(statement.targets) if isinstance(statement, ast.Assign) else [statement.target]
    for target in waiting:  # grows as it goes
        if isinstance(target, ast.Tuple | ast.List):
            waiting += target.elts
        elif isinstance(target, ast.Starred):
            waiting.append(target.value)
        else:
            yield target


def _mangled(owner: str, name: str) -> str:
    is_private = name.startswith("__") and not name.endswith("__") and owner.strip("_")
    return f"_{owner.lstrip('_')}{name}" if is_private else name
