"""The names that the text of a module takes from others by `from ... import`, when its body runs."""

from __future__ import annotations

import ast
import importlib.util
from typing import NamedTuple

from midflight.code.source.bindings import Bindings
from midflight.parsing import module_or_none

__all__ = ["FromImport", "FromImports", "from_imports"]


class FromImport(NamedTuple):
    """One of the imported names: `name` here, `original` in the module that it comes from. `*` is both for a star."""

    level: int  # the dots before the source
    source: str
    name: str
    original: str

    def module(self, package: str) -> str | None:
        """Return the full name of the source, for a text that is in `package`; None if it leads out of the top one."""
        if not self.level:
            return self.source
        try:
            return importlib.util.resolve_name("." * self.level + self.source, package)
        except ImportError:
            return None


class FromImports(NamedTuple):
    """The imports of a text. `bound`, of one with stars, are the names that it binds in any other way."""

    names: tuple[FromImport, ...] = ()
    stars: tuple[FromImport, ...] = ()
    bound: frozenset[str] = frozenset()


def from_imports(text: str) -> FromImports:
    """Return the from-imports at the top level of a text, under an `if` or a `try` too; none if it is not Python.

    Without names that the text binds otherwise as well: nobody can tell what those stand for.
    """
    tree = module_or_none(text)
    if tree is None:
        return FromImports()
    bindings = Bindings(tree, text)  # not remembered: there may be a thousand importers, and none is being edited
    names: list[FromImport] = []
    stars: dict[tuple[int, str], None] = {}
    for name, places in bindings.by_name.items():
        statements = [each.statement for each in places]
        if name in bindings.rebound:
            continue
        imports = [each for each in statements if isinstance(each, ast.ImportFrom)]
        if len(imports) == len(statements):
            for each in imports:
                found = [alias.name for alias in each.names if (alias.asname or alias.name) == name]
                names += [FromImport(each.level, each.module or "", name, original) for original in found]
    for statement, _ in bindings.statements if bindings.stars else ():
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            stars[statement.level, statement.module or ""] = None
    bound = frozenset(bindings.by_name).union(bindings.rebound) if stars else frozenset()
    every = tuple(FromImport(level, source, "*", "*") for level, source in stars)
    return FromImports(tuple(names), every, bound)
