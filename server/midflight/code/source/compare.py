"""The statements of an edited text that differ from the running text, and their places. Pure."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, TypeVar

from midflight.code.source.definitions import MODULE_BODY, definitions
from midflight.code.source.line_map import common_length
from midflight.code.source.parts import first_line
from midflight.parsing import module_or_none

__all__ = ["Comparison", "Difference", "Removed", "compare_texts", "lines_of_definitions"]

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Difference:
    """A top-level statement that does not run as it stands. Lines count from 1, decorators included."""

    name: str
    status: Literal["changed", "new"]
    line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Removed:
    """A name that the running text defines and the edited one does not. It stood before `line`; None for the end."""

    name: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences, in the order of the text, and the names that are gone, in the order of the running text."""

    differences: tuple[Difference, ...] = ()
    gone: tuple[Removed, ...] = ()


class _Statement:
    """A statement of a text. Its syntax, without the layout, is made when it is asked for: that is slow."""

    def __init__(self, node: ast.stmt, lines: Sequence[str]) -> None:
        self.line = first_line(node)
        self.end_line = node.end_lineno or node.lineno
        self.text = (node.col_offset, *lines[self.line - 1 : self.end_line])
        self._node = node

    def moved(self, lines: int) -> _Statement:
        """Return the same statement, so many lines further down."""
        found = copy(self)
        found.line += lines
        found.end_line += lines
        return found

    @cached_property
    def said(self) -> tuple[tuple[str, str], ...]:
        """The text of the statement, by definition."""
        return tuple(definitions(ast.Module([self._node], [])).items())

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names that it binds at the top level."""
        if isinstance(self._node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return (self._node.name,)
        return tuple(dict.fromkeys(name.partition(".")[0] for name, _ in self.said if name != MODULE_BODY))


def compare_texts(running: str, text: str) -> Comparison | None:
    """Return the differences of `text` from `running`; None if one of them is not a valid module.

    A definition counts as one, a class with its methods; layout and comments do not count. A statement that
    has no name, as a call has none, is known by what it says.
    """
    if running == text:
        return Comparison()
    old = _statements(running)
    new = None if old is None else _statements_beside(running, old, text)
    if old is None or new is None:
        return None
    texts = Counter(each.text for each in old)
    changed = [each for each in new if not _take(texts, each.text)]
    left = Counter(each.said for each in old if _take(texts, each.text))
    known = {name for each in old for name in each.names}
    there = {name for each in new for name in each.names}
    differences = []
    for each in changed:
        if _take(left, each.said):
            continue
        is_known = not each.names or not known.isdisjoint(each.names)
        name = ", ".join(each.names) or MODULE_BODY
        differences.append(Difference(name, "changed" if is_known else "new", each.line, each.end_line))
    lines = {name: each.line for each in reversed(new) for name in each.names}
    gone: dict[str, Removed] = {}
    for index, each in enumerate(old):
        for name in each.names:
            if name not in there:
                following = (lines[other] for later in old[index + 1 :] for other in later.names if other in lines)
                gone.setdefault(name, Removed(name, next(following, None)))
    return Comparison(tuple(differences), tuple(gone.values()))


def _take(counts: Counter[Key], key: Key) -> bool:
    """Take one of `key` away, if there is one; say whether there was."""
    if not counts[key]:
        return False
    counts[key] -= 1
    return True


@lru_cache(maxsize=8)
def _statements(text: str) -> tuple[_Statement, ...] | None:
    return _parsed(text, text.split("\n"))


def _parsed(text: str, lines: Sequence[str]) -> tuple[_Statement, ...] | None:
    tree = module_or_none(text)
    if tree is None:
        return None
    return tuple(_Statement(node, lines) for node in tree.body)


def _statements_beside(running: str, old: Sequence[_Statement], text: str) -> Sequence[_Statement] | None:
    """Return the statements of `text`, an edited form of `running`, which has the statements `old`.

    Only what lies between the first and the last line that differs is parsed: no process runs while Python parses, and
    a text is compared at each pause of who edits it.
    """
    a, b = running.split("\n"), text.split("\n")
    head = common_length(a, b)
    tail = min(common_length(a[::-1], b[::-1]), min(len(a), len(b)) - head)
    # What begins on a line of its own can be parsed alone. The last one of the head may go on now: `else:`.
    starts = [index for index, each in enumerate(old) if not index or old[index - 1].end_line < each.line]
    first = max((index for index in starts if index and old[index - 1].end_line <= head), default=0)
    first = max((index for index in starts if index < first), default=0)
    end = min((index for index in starts if old[index].line > len(a) - tail), default=len(old))
    moved = len(b) - len(a)
    from_line = old[first].line if first else 1
    to_line = old[end].line + moved if end < len(old) else len(b) + 1
    middle = _parsed("\n" * (from_line - 1) + "\n".join(b[from_line - 1 : to_line - 1]), b)
    if middle is None:  # unless it is a decorator that belongs to what follows, say
        return _statements(text)
    return [*old[:first], *middle, *(each.moved(moved) for each in old[end:])]


def lines_of_definitions(tree: ast.Module) -> dict[str, int]:
    """Return the line of each function, class and method of a module, by the names of a report: `Class.method`.

    Of one name that is defined twice, the last: that is what it means in the end.
    """
    found: dict[str, int] = {}
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        prefix, node = waiting.pop(0)
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.ClassDef(name=name):
                    found[prefix + name] = child.lineno
                    waiting.append((f"{prefix}{name}.", child))
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    found[prefix + name] = child.lineno
                case ast.Assign() | ast.AnnAssign() | ast.AugAssign() if not prefix:
                    for inner in ast.walk(child):
                        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                            found[inner.id] = child.lineno
                case ast.Import(names=names) | ast.ImportFrom(names=names) if not prefix:
                    for alias in names:
                        found[(alias.asname or alias.name).partition(".")[0]] = child.lineno
                case ast.stmt() | ast.ExceptHandler() | ast.match_case() if not isinstance(child, ast.Expr):
                    waiting.append((prefix, child))
    return found
