"""Places of definitions: from the live object to a line of the text that runs now. Runs no user code.

The line is one of the current version's text; the file may say otherwise by now, so the name goes with it, by which
an editor finds the definition in what it shows.
"""

from __future__ import annotations

import ast
import linecache
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any

from midflight import code
from midflight.code import lowlevel
from midflight.errors import UnknownModuleError, UnknownVersionError
from midflight.introspect.safe_look import (
    Found,
    Instance,
    bases_of,
    class_name,
    is_a,
    kind_of,
    own_names,
    unwrapped,
    version_number,
)
from midflight.introspect.scopes import Scope, resolve
from midflight.parsing import expression_or_none, module_or_none

__all__ = [
    "Definition",
    "Target",
    "column_of",
    "current_text",
    "definition_of",
    "lines_of",
    "parsed",
    "target_of",
    "target_of_value",
]

_FILE_CHARACTERS = 4_000_000
_HOPS = 5  # from an import to what it imports


@dataclass(frozen=True, slots=True)
class Target:
    """A thing by name: `name` as in a traceback, "Counter.add"; "" for the module itself. `found` is it, if known."""

    module: str
    name: str
    found: Found | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """A place in a file: lines from 1, columns from 0. `text` is that line, of `version` of the module.

    `is_current` is False if the current version has no such name any more: then the line is that of the version that
    the object comes from.
    """

    name: str
    module: str
    kind: str
    path: str
    line: int
    column: int
    text: str
    version: int | None
    is_current: bool


def target_of(scope: Scope, text: str) -> Target | None:
    """Return the target of the expression `text`: the module that defines it, and its name there; None if unknown."""
    node = expression_or_none(text.strip())
    if node is None:
        return None
    found = resolve(scope, text)
    if found is not None and (target := _by_itself(found)) is not None:
        return target
    match node:
        case ast.Name(id=name):
            module = scope.origin(name)
            if module is not None:
                return Target(module, name, found)
        case ast.Attribute(value=owner, attr=name):
            above = resolve(scope, ast.unparse(owner))
            return None if above is None else _member_of(above.value, name, found)
    return None if found is None else target_of_value(found.value)


def target_of_value(value: Any) -> Target | None:
    """Return the target of a value: itself, if it knows its own name, else its class."""
    if type(value) is Instance:
        return _by_itself(Found(value.cls))
    return _by_itself(Found(value)) or _by_itself(Found(type(value)))


def _by_itself(found: Found) -> Target | None:
    """Return the target of a thing that knows its own name: a function, a class, a module."""
    value = found.value
    function = unwrapped(value)
    if type(function) is FunctionType:
        module = function.__globals__.get("__name__")
        return Target(str(module), function.__code__.co_qualname, Found(function, found.is_bound))
    if is_a(value, ModuleType):
        return Target(str(own_names(value).get("__name__", "")), "", found)
    if is_a(value, type):
        return Target(str(own_names(value).get("__module__", "")), class_name(value, is_qualified=True), found)
    return None


def _member_of(owner: Any, name: str, found: Found | None) -> Target | None:
    """Return the target of the member `name` of `owner`, an object that does not know its own name."""
    if is_a(owner, ModuleType):
        module = str(own_names(owner).get("__name__", ""))
        return Target(module, name, found) if name in own_names(owner) else None
    cls = owner.cls if type(owner) is Instance else owner if is_a(owner, type) else type(owner)
    classes = [base for base in bases_of(cls) if base is not object]
    for base in [*(each for each in classes if name in own_names(each)), *classes]:
        target = Target(
            str(own_names(base).get("__module__", "")), f"{class_name(base, is_qualified=True)}.{name}", found
        )
        if find_name(current_text(target.module) or "", target.name) is not None:
            return target
    return None


def definition_of(target: Target) -> Definition | None:
    """Return the place where `target` is defined; None if it is in no file, but in an input of a shell, say."""
    for _ in range(_HOPS):
        text, path = current_text(target.module), path_of(target.module)
        place = None if text is None else find_name(text, target.name)
        if place is None or path is None or text is None:
            return _where_it_was(target)
        if isinstance(place, Target):
            target = place
            continue
        line, column = place[0], column_of(_line(text, place[0]), place[1])
        kind = "module" if not target.name else "name" if target.found is None else kind_of(target.found)
        version = _current_version(target.module)
        return Definition(target.name, target.module, kind, path, line, column, _line(text, line), version, True)
    return None


def _where_it_was(target: Target) -> Definition | None:
    """Return the place of a function in the version that it comes from, if the current one lacks its name."""
    function = None if target.found is None else target.found.value
    if type(function) is not FunctionType:
        return None
    line = function.__code__.co_firstlineno
    path, version = lowlevel.real_path(function.__code__.co_filename)
    if not os.path.isabs(path):
        return None
    text = linecache.getline(function.__code__.co_filename, line).rstrip("\n")
    kind = kind_of(Found(function))
    version = version if version is not None else version_number(function)
    return Definition(target.name, target.module, kind, path, line, 0, text, version, False)


def _current_version(module: str) -> int | None:
    names = own_names(sys.modules[module]) if module in sys.modules else {}
    number = names.get("__midflight_version__")
    return number if type(number) is int else None


def path_of(module: str) -> str | None:
    """Return the file of a module that is there; None if it has none that is Python text."""
    found = code.is_loaded(module)
    if found is None and module in sys.modules:
        found = own_names(sys.modules[module]).get("__file__")
    return os.path.realpath(found) if type(found) is str and found.endswith(".py") else None


def current_text(module: str) -> str | None:
    """Return the running text of a module: its current version's, or its file's if it has no versions."""
    if code.is_loaded(module) is not None:
        try:
            return code.source(module)
        except (UnknownModuleError, UnknownVersionError):
            return None
    path = path_of(module)
    lines = [] if path is None else linecache.getlines(path)
    text = "".join(lines)
    return text if lines and len(text) <= _FILE_CHARACTERS else None


@lru_cache(maxsize=32)
def parsed(text: str) -> ast.Module | None:
    """Return the tree of `text`, not to be changed; None if it is not a module."""
    return module_or_none(text)


@lru_cache(maxsize=8)
def lines_of(text: str) -> tuple[str, ...]:
    """Return the lines of `text` as Python counts them, without their ends."""
    return tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def column_of(line: str, offset: int) -> int:
    """Return the column, in characters, that is `offset` bytes into `line`: so Python's trees count."""
    return len(line.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore"))


def _line(text: str, line: int) -> str:
    lines = lines_of(text)
    return lines[line - 1] if 0 < line <= len(lines) else ""


def find_name(text: str, name: str) -> tuple[int, int] | Target | None:
    """Return the line and column at which `text` defines `name`, dotted; or the import, if it only imports it."""
    tree = parsed(text)
    if tree is None:
        return None
    body: Iterable[ast.stmt] = tree.body
    if not name:
        return 1, 0
    parts = [part for part in name.split(".") if part != "<locals>"]
    around: ast.AST = tree
    for index, part in enumerate(parts):
        node = _defined(body, part)
        is_last = index == len(parts) - 1
        if node is None:
            return _own_attribute(around, part) if is_last else None
        if is_last:
            return _place(node, part)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return None
        body, around = node.body, node
    return None


def _place(node: ast.stmt | ast.alias, name: str) -> tuple[int, int] | Target:
    match node:
        case ast.ImportFrom(module=str(module), names=names, level=0):
            return next(Target(module, each.name) for each in names if (each.asname or each.name) == name)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            word = {ast.FunctionDef: "def ", ast.AsyncFunctionDef: "async def ", ast.ClassDef: "class "}[type(node)]
            return node.lineno, node.col_offset + len(word)
    return node.lineno, node.col_offset


def _defined(body: Iterable[ast.stmt], name: str) -> ast.stmt | None:
    """Return the last statement that binds `name`; an import only if nothing else does."""
    imported: ast.stmt | None = None
    last: ast.stmt | None = None
    for statement in statements(body):
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() if statement.name == name:
                last = statement
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                if any((each.asname or each.name.partition(".")[0]) == name for each in names):
                    imported = statement
            case ast.Assign(targets=targets):
                if any(_binds(target, name) for target in targets):
                    last = last or statement
            case ast.AnnAssign(target=target) | ast.AugAssign(target=target) | ast.For(target=target):
                if _binds(target, name):
                    last = last or statement
    return last or imported


def _binds(target: ast.expr, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(target))


def statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of `body`, and those under its `if`, `try` and `with`; not those of functions."""
    for statement in body:
        yield statement
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for _, value in ast.iter_fields(statement):
            if isinstance(value, list):
                yield from statements(each for each in value if isinstance(each, ast.stmt))
                for each in value:
                    if isinstance(each, ast.ExceptHandler):
                        yield from statements(each.body)


def _own_attribute(cls: ast.AST, name: str) -> tuple[int, int] | None:
    """Return where a class first sets `self.name` in one of its methods."""
    if not isinstance(cls, ast.ClassDef):
        return None
    for node in ast.walk(cls):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute, ctx=ast.Store()) if attribute == name:
                return node.lineno, node.col_offset
    return None
