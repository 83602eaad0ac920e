"""Differences between two texts of a module: by line for people, by definition for reports."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from midflight.code.source.parts import Memory, lines_of, parts_of
from midflight.code.source.trees import tree_or_none

__all__ = ["Diff", "compare", "definitions", "definitions_of", "said_by", "unified"]

MODULE_BODY = "<module>"  # the statements that define no name, as Python's tracebacks call them

DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_END = object()
OWN_SCOPE = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Diff:
    """The difference of two versions: a unified diff, and the names of the definitions that differ."""

    text: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    def __str__(self) -> str:
        return self.text


def unified(old: str, new: str, old_label: str, new_label: str) -> str:
    """Return the unified diff of two texts, "" if they are equal."""
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), old_label, new_label, n=3
    )
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def compare(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the names that were added, changed and removed, in the order of their text."""
    added = tuple(name for name in new if name not in old)
    changed = tuple(name for name in new if name in old and old[name] != new[name])
    removed = tuple(name for name in old if name not in new)
    return added, changed, removed


_remembered: Memory[str, tuple[tuple[str, str], ...]] = Memory(8192)
_methods: Memory[str, str] = Memory(8192)


@lru_cache(maxsize=256)
def definitions_of(text: str) -> dict[str, str]:
    """Return the definitions of `text`, as `definitions` does; none if it is not a valid module."""
    tree = tree_or_none(text)
    if tree is None:
        return {}
    lines = text.split("\n")
    parts = parts_of(tree, text)
    return _by_name(pair for part in parts for pair in _remembered.get(part.text, _said, part.statements, lines))


def definitions(tree: ast.Module) -> dict[str, str]:
    """Return the definitions of the module, in order: a name for each, and a digest of its syntax.

    Layout and comments do not count.

    Functions by name, methods as Class.method, the rest of a class by its name; constants, imports and other
    bindings by the names they bind; all that binds nothing as "<module>". What stands under a top-level `if`,
    `try` or `with` counts as if it stood outside, with the condition as a part of the module's body.
    """
    return _by_name(_said(tree.body))


def _said(body: Iterable[ast.stmt], lines: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    return tuple((name, _digest(what)) for name, what in _statements(body, lines))


def said_by(statement: ast.stmt, lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return names and digests of the definitions in one statement of a text that has these lines."""
    return _remembered.get(lines_of(statement, lines), _said, (statement,), lines)


def _by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for name, digest in pairs:
        found.setdefault(name, []).append(digest)  # one name may have several: overloads, if and else
    return {name: each[0] if len(each) == 1 else _digest("\n".join(each)) for name, each in found.items()}


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _statements(body: Iterable[ast.stmt], lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield names, each with its syntax. With the lines of the text, methods are remembered: a class may be long."""
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield statement.name, _dump(statement)
            case ast.ClassDef():
                yield from _class(statement, statement.name, lines)
            case ast.If() | ast.Try() | ast.TryStar() | ast.With() | ast.For() | ast.While() if _defines(statement):
                yield from _block(statement, lines)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                for alias in names:
                    yield (alias.asname or alias.name).partition(".")[0], _dump_import(statement, alias)
            case _:
                for name in _bound(statement) or [MODULE_BODY]:
                    yield name, _dump(statement)


def _class(statement: ast.ClassDef, name: str, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    rest: list[ast.stmt] = []
    for inner in statement.body:
        match inner:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield f"{name}.{inner.name}", _method(inner, lines)
            case ast.ClassDef():
                yield from _class(inner, f"{name}.{inner.name}", lines)
            case _:
                rest.append(inner)
    head = [*statement.bases, *statement.keywords, *statement.decorator_list, *rest]
    yield name, "\n".join(["class", *map(_dump, head)])


def _method(method: ast.stmt, lines: Sequence[str]) -> str:
    return _methods.get(lines_of(method, lines), _digest_of, method) if lines else _digest_of(method)


def _digest_of(node: ast.AST) -> str:
    return _digest(_dump(node))


def _block(statement: ast.stmt, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the statements inside a compound statement, then its conditions and handlers."""
    for field, value in ast.iter_fields(statement):
        match value:
            case [ast.stmt(), *_]:
                yield from _statements(value, lines)
            case [ast.ExceptHandler(), *_]:
                for handler in value:
                    yield MODULE_BODY, f"except {_dump(handler.type) if handler.type else ''}"
                    yield from _statements(handler.body, lines)
            case ast.AST():
                yield MODULE_BODY, f"{type(statement).__name__} {field} {_dump(value)}"
            case [ast.AST(), *_]:
                yield MODULE_BODY, f"{type(statement).__name__} {field} {' '.join(map(_dump, value))}"


def _defines(statement: ast.stmt) -> bool:
    return any(isinstance(node, DEFINES) for node in ast.walk(statement))


def _dump(node: ast.AST) -> str:
    """Return the syntax of `node` as text, without positions: `ast.dump`, but a long sum does not recurse too deep."""
    parts: list[str] = []
    waiting: list[object] = [node]
    while waiting:
        value = waiting.pop()
        if isinstance(value, ast.AST):
            parts.append(f"{type(value).__name__}(")
            waiting.append(_END)
            waiting += [getattr(value, field, None) for field in reversed(value._fields)]
        elif isinstance(value, list):
            parts.append("[")
            waiting += [_END, *reversed(value)]
        else:
            parts.append(")" if value is _END else repr(value))
    return " ".join(parts)


def _dump_import(statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    origin = f"{statement.level} {statement.module}" if isinstance(statement, ast.ImportFrom) else ""
    return f"import {origin} {alias.name} {alias.asname}"


def _bound(statement: ast.AST) -> list[str]:
    """Return the names that a statement binds at the top level of the module, once each, in order."""
    names: dict[str, None] = {}
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names[node.id] = None
        if not isinstance(node, OWN_SCOPE):
            waiting[:0] = ast.iter_child_nodes(node)
    return list(names)
