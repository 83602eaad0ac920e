"""The mentions of one part of a text: enough to know that it has no fault, once its names have their values.

An edit changes one definition of many, so what is read out of the syntax of a part is remembered by its text. Whether
there may be a fault in it depends on what the names stand for in the new version; that is looked up at each load.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyflakes import messages
from pyflakes.checker import Checker

from midflight.code.source.parts import LastLook, Part

__all__ = ["Facts", "Unchecked", "Undefined", "Words", "facts_of", "undefined_in", "words_of"]

Words = tuple[str, ...]  # a dotted name: ("counter", "loop")

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Undefined(NamedTuple):
    """A name that a text does not define, and the place of its use: a line, and a column in bytes."""

    name: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Facts:
    """The mentions of one part.

    `undefined` are the uses of names that this part alone does not define, builtins left out; their lines count from 0
    at its first one. None if pyflakes failed.
    `later` are the names that its functions read, `unbound` those that it deletes when the body runs. `calls` are the
    dotted names that it calls. `methods` has for each class the names that are called on a first word: `self.x()`.
    `reads` are the attributes that it reads of names.
    """

    undefined: tuple[Undefined, ...] | None
    later: frozenset[str]
    unbound: frozenset[str]
    calls: tuple[Words, ...]
    methods: tuple[tuple[str, tuple[str, ...]], ...]
    reads: dict[str, frozenset[str]]


_last: LastLook[str, Facts] = LastLook()


def facts_of(parts: Sequence[Part], path: str) -> list[Facts]:
    """Return the facts of the parts of a text, which is that of the module at `path`."""
    return _last.again(path, [part.text for part in parts], lambda index: _facts(parts[index], path))


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
    methods: dict[str, dict[str, None]] = {}
    unbound: set[str] = set()
    later: set[str] = set()
    # Each node, whether it is in a function, and in which class of the module's own scope.
    waiting: list[tuple[ast.AST, bool, str]] = [(module, False, "")]
    while waiting:  # no recursion: a long sum in the text is a deep tree
        node, is_later, cls = waiting.pop()
        kind = type(node)
        if kind is ast.Name:
            assert isinstance(node, ast.Name)
            if is_later and type(node.ctx) is ast.Load:
                later.add(node.id)
            elif not is_later and type(node.ctx) is ast.Del:
                unbound.add(node.id)
            continue
        if isinstance(node, ast.Call):
            if (words := words_of(node.func)) is not None:
                calls[words] = None
                if cls and len(words) == 2:
                    methods.setdefault(cls, {})[words[1]] = None
        elif isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
                reads.setdefault(node.value.id, set()).add(node.attr)
        elif isinstance(node, ast.ExceptHandler):
            if node.name is not None and not is_later:
                unbound.add(node.name)
        elif isinstance(node, ast.ClassDef):
            cls = cls if cls or is_later else node.name
        elif isinstance(node, Function):
            is_later = True
        for child in ast.iter_child_nodes(node):
            waiting.append((child, is_later, cls))
    return Facts(
        undefined=_undefined(module, part, path),
        later=frozenset(later),
        unbound=frozenset(unbound),
        calls=tuple(calls),
        methods=tuple((name, tuple(names)) for name, names in methods.items()),
        reads={name: frozenset(attributes) for name, attributes in reads.items()},
    )


class _Checker(Checker):  # type: ignore[misc]  # pyflakes has no types
    """A Checker that binds no builtins: most of its time goes into that if the text is short."""

    builtIns = property(lambda _: frozenset(), lambda *_: None)


def _builtins() -> frozenset[str]:
    """Return the names that pyflakes takes for builtins."""
    names: set[str] = Checker(ast.Module([], [])).builtIns
    return frozenset(names)


BUILTINS = _builtins()


class Unchecked(Exception):
    """pyflakes, another's program, which may not know this Python's syntax, failed: how."""


def undefined_in(tree: ast.Module, path: str) -> list[Undefined]:
    """Return the names that a text, or a part of one, uses and does not define. Raises: Unchecked."""
    try:
        found = _Checker(tree, path).messages
    except Exception as error:
        raise Unchecked(f"pyflakes failed with {type(error).__name__}: {error}") from error
    return [
        Undefined(name, each.lineno, each.col)
        for each in found
        if isinstance(each, messages.UndefinedName | messages.ImportStarUsage)
        and (name := str(each.message_args[0])) not in BUILTINS
    ]


def _undefined(module: ast.Module, part: Part, path: str) -> tuple[Undefined, ...] | None:
    try:
        return tuple(each._replace(line=each.line - part.line) for each in undefined_in(module, path))
    except Unchecked:  # the check of the whole text says what it was
        return None
