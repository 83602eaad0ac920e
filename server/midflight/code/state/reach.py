"""The functions and classes of a module that a statement reaches by calls, directly and indirectly. Pure.

Of a class that is called, the part that makes an object counts: its bases, decorators, annotated fields and slots, and
the methods that run then. Another method may change, and the object is made as before.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from midflight.code.source.bindings import is_same
from midflight.code.state.uses import footprint_of, statements_in

__all__ = ["Definitions", "Reached", "changed_part"]

Function = ast.FunctionDef | ast.AsyncFunctionDef
MAKES = ("__new__", "__init__", "__post_init__", "__init_subclass__", "__set_name__", "__attrs_post_init__")


@dataclass(slots=True)
class Reached:
    """The parts of definitions that are reached, by a name for each, and the names of the module that they read."""

    parts: dict[str, list[ast.stmt]] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)

    def definition_names(self) -> set[str]:
        """Return the names of the functions and classes at the top of the module that are reached."""
        return {name.removeprefix("class ") for name in self.parts if "." not in name}


class Definitions:
    """The functions and classes at the top of a module, wherever they stand in its blocks. `lines` are its text's."""

    def __init__(self, tree: ast.Module, lines: Sequence[str]) -> None:
        self.lines = lines
        self._functions: dict[str, list[Function]] = {}
        self._classes: dict[str, list[ast.ClassDef]] = {}
        self._methods: dict[str, list[tuple[str, Function]]] = {}  # by their own name, each with the qualified one
        self._names: dict[int, tuple[set[str], set[str]]] = {}
        for statement in statements_in(tree.body):
            if isinstance(statement, Function):
                self._functions.setdefault(statement.name, []).append(statement)
            elif isinstance(statement, ast.ClassDef):
                self._classes.setdefault(statement.name, []).append(statement)
                for inner in statements_in(statement.body):
                    if isinstance(inner, Function):
                        qualified = f"{statement.name}.{inner.name}"
                        self._methods.setdefault(inner.name, []).append((qualified, inner))

    def __contains__(self, name: str) -> bool:
        return name in self._functions or name in self._classes

    def is_function(self, name: str) -> bool:
        """Say whether a function of the module has this name."""
        return name in self._functions

    def reached(self, called: Iterable[str], methods: Iterable[str]) -> Reached:
        """Return the functions and classes that calls of these names reach, or of methods of these names."""
        found = Reached()
        names, attributes = list(called), list(methods)
        while names or attributes:
            if attributes:
                for qualified, method in self._methods.get(attributes.pop(), ()):
                    self._take(qualified, [method], found, names, attributes)
                continue
            name = names.pop()
            if name in self._functions:
                self._take(name, list(self._functions[name]), found, names, attributes)
            for each in self._classes.get(name, ()):
                self._take_class(each, found, names, attributes)
        return found

    def _take(self, name: str, parts: list[ast.stmt], found: Reached, names: list[str], attributes: list[str]) -> None:
        if name in found.parts:
            return
        found.parts[name] = parts
        for part in parts:
            reads, calls = self._read_by(part)
            found.reads |= reads
            names += (read for read in reads if read in self)
            attributes += (call for call in calls if call in self._methods)

    def _take_class(self, node: ast.ClassDef, found: Reached, names: list[str], attributes: list[str]) -> None:
        key = f"class {node.name}"
        if key in found.parts:
            return
        body: list[ast.stmt] = []
        for statement in node.body:
            match statement:
                case ast.AnnAssign() | ast.Assign(targets=[ast.Name(id="__slots__" | "__match_args__")]):
                    body.append(statement)
                case ast.FunctionDef(name=name) if name in MAKES:
                    self._take(f"{node.name}.{name}", [statement], found, names, attributes)
        head = ast.copy_location(
            ast.ClassDef(node.name, node.bases, node.keywords, body or [ast.Pass()], node.decorator_list), node
        )
        head.end_lineno, head.type_params = node.lineno, getattr(node, "type_params", [])  # type: ignore[attr-defined]  # 3.12
        found.parts[key] = [head]
        footprint = footprint_of(head)
        found.reads |= footprint.names()
        names += (read for read in footprint.names() if read in self)

    def _read_by(self, part: ast.stmt) -> tuple[set[str], set[str]]:
        """Return the names that a function reads anywhere in it, and the methods that it calls, by their names."""
        known = self._names.get(id(part))
        if known is None:
            reads, calls = set(), set()
            for node in ast.walk(part):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    reads.add(node.id)
                elif isinstance(node, ast.Attribute):
                    calls.add(node.attr)
            known = self._names[id(part)] = reads, calls
        return known


def changed_part(old: Reached, old_lines: Sequence[str], new: Reached, new_lines: Sequence[str]) -> str | None:
    """Return the first definition that is reached in one of two texts and differs in the other, layout apart."""
    for name, parts in new.parts.items():
        others = old.parts.get(name, [])
        if len(parts) != len(others) or not all(
            _is_same(one, old_lines, two, new_lines) for one, two in zip(others, parts, strict=True)
        ):
            return name.removeprefix("class ")
    return next((name.removeprefix("class ") for name in old.parts if name not in new.parts), None)


def _is_same(old: ast.stmt, old_lines: Sequence[str], new: ast.stmt, new_lines: Sequence[str]) -> bool:
    if isinstance(old, ast.ClassDef) or isinstance(new, ast.ClassDef):  # its head, of which no line has the whole
        return ast.dump(old) == ast.dump(new)
    return is_same(old, old_lines, new, new_lines)
