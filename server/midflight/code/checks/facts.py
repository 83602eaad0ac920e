"""The mentions of one part of a text: enough to know that it has no fault, once its names have their values.

An edit changes one definition of many, so what is read out of the syntax of a part is remembered by its text. Whether
there may be a fault in it depends on what the names stand for in the new version; that is looked up at each load.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pyflakes import messages
from pyflakes.checker import Checker

from midflight.code.source.parts import Memory, Part

__all__ = ["Facts", "Unchecked", "Undefined", "Words", "facts_of", "undefined_in", "words_of"]

Words = tuple[str, ...]  # a dotted name: ("counter", "loop")

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Facts:
    """The mentions of one part.

    `undefined` are the names that this part alone does not define, with builtins taken out; None if pyflakes failed.
    `later` are those that its functions read, `unbound` those that it deletes when the body runs. `calls` are the
    dotted names that it calls. `methods` has for each class the names that are called on a first word: `self.x()`.
    `reads` are the attributes that it reads of names.
    """

    undefined: frozenset[str] | None
    later: frozenset[str]
    unbound: frozenset[str]
    calls: tuple[Words, ...]
    methods: tuple[tuple[str, tuple[str, ...]], ...]
    reads: dict[str, frozenset[str]]


_remembered: Memory[tuple[str, str], Facts] = Memory(8192)


def facts_of(part: Part, path: str) -> Facts:
    """Return the facts of a part of the module at `path`."""
    return _remembered.get((part.text, path), _facts, part, path)


def words_of(node: ast.AST) -> Words | None:
    """Return the words of a dotted name, None for any other expression."""
    words: list[str] = []
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    return (node.id, *reversed(words)) if isinstance(node, ast.Name) else None


def _facts(part: Part, path: str) -> Facts:
    module = ast.Module(list(part.statements), [])
    calls: dict[Words, None] = {}
    reads: dict[str, set[str]] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            words = words_of(node.func)
            if words is not None:
                calls[words] = None
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            reads.setdefault(node.value.id, set()).add(node.attr)
    outer, later = _by_time(module)
    return Facts(
        undefined=_undefined(module, path),
        later=frozenset(later),
        unbound=frozenset(outer),
        calls=tuple(calls),
        methods=tuple((cls.name, _called_on_names(cls)) for cls in _classes(part.statements)),
        reads={name: frozenset(attributes) for name, attributes in reads.items()},
    )


class Unchecked(Exception):
    """pyflakes, another's program, which may not know this Python's syntax, failed: how."""


class Undefined(NamedTuple):
    """A name that a text does not define, and the place of its use: a line, and a column in bytes."""

    name: str
    line: int
    column: int


def undefined_in(tree: ast.Module, path: str) -> list[Undefined]:
    """Return the names that a text, or a part of one, uses and does not define. Raises: Unchecked."""
    try:
        found = Checker(tree, path).messages
    except Exception as error:
        raise Unchecked(f"pyflakes failed with {type(error).__name__}: {error}") from error
    return [
        Undefined(str(each.message_args[0]), each.lineno, each.col)
        for each in found
        if isinstance(each, messages.UndefinedName | messages.ImportStarUsage)
    ]


def _undefined(module: ast.Module, path: str) -> frozenset[str] | None:
    try:
        return frozenset(each.name for each in undefined_in(module, path))
    except Unchecked:  # the check of the whole text says what it was
        return None


def _by_time(module: ast.Module) -> tuple[set[str], set[str]]:
    """Return the names that are deleted when the body runs, and those that are read in functions, so perhaps later."""
    unbound: set[str] = set()
    later: set[str] = set()
    waiting: list[tuple[ast.AST, bool]] = [(module, False)]
    while waiting:
        node, is_later = waiting.pop()
        match node:
            case ast.Name(id=name, ctx=ast.Load()) if is_later:
                later.add(name)
            case ast.Name(id=name, ctx=ast.Del()) if not is_later:
                unbound.add(name)
            case ast.ExceptHandler(name=str(name)) if not is_later:
                unbound.add(name)
        is_later = is_later or isinstance(node, Function)
        waiting += [(child, is_later) for child in ast.iter_child_nodes(node)]
    return unbound, later


def _classes(body: Iterable[ast.stmt]) -> Iterator[ast.ClassDef]:
    """Yield the classes of the module's own scope, below an `if` or a `try` too."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ClassDef):
            yield node
        elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case) and not isinstance(node, SCOPES):
            waiting += ast.iter_child_nodes(node)


def _called_on_names(cls: ast.ClassDef) -> tuple[str, ...]:
    found = {
        node.func.attr: None
        for node in ast.walk(cls)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    }
    return tuple(found)
