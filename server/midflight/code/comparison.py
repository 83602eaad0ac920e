"""Which statements of a text that is being edited differ from what runs, and where they stand. Pure."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from midflight.code.diff import MODULE_BODY, definitions

__all__ = ["Comparison", "Difference", "Gone", "compare_texts", "lines_of_definitions"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A top-level statement that does not run as it stands. Lines count from 1, decorators included."""

    name: str
    status: Literal["changed", "new"]
    line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Gone:
    """A name that what runs defines and the text does not. `line`: before which line it stood; None for the end."""

    name: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, in the order of the text; what is gone in the order of what runs."""

    differences: tuple[Difference, ...] = ()
    gone: tuple[Gone, ...] = ()


@dataclass(frozen=True, slots=True)
class _Statement:
    names: tuple[str, ...]
    said: tuple[tuple[str, str], ...]  # what it says, without its layout
    line: int
    end_line: int


def compare_texts(running: str, text: str) -> Comparison | None:
    """Return what of `text` differs from what `running` says; None if one of them is no valid module.

    A definition counts as one, a class with its methods; layout and comments are no difference. A statement that
    has no name, as a call has none, is known by what it says.
    """
    if running == text:
        return Comparison()
    old, new = _statements(running), _statements(text)
    if old is None or new is None:
        return None
    unmatched = Counter(each.said for each in old)
    known = {name for each in old for name in each.names}
    there = {name for each in new for name in each.names}
    differences = []
    for each in new:
        if unmatched[each.said]:
            unmatched[each.said] -= 1
            continue
        is_known = not each.names or not known.isdisjoint(each.names)
        name = ", ".join(each.names) or MODULE_BODY
        differences.append(Difference(name, "changed" if is_known else "new", each.line, each.end_line))
    lines = {name: each.line for each in reversed(new) for name in each.names}
    gone: dict[str, Gone] = {}
    for index, each in enumerate(old):
        for name in each.names:
            if name not in there:
                following = (lines[other] for later in old[index + 1 :] for other in later.names if other in lines)
                gone.setdefault(name, Gone(name, next(following, None)))
    return Comparison(tuple(differences), tuple(gone.values()))


@lru_cache(maxsize=16)
def _statements(text: str) -> tuple[_Statement, ...] | None:
    try:
        tree = ast.parse(text)
        return tuple(map(_statement, tree.body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _statement(node: ast.stmt) -> _Statement:
    said = definitions(ast.Module([node], []))
    names = dict.fromkeys(name.partition(".")[0] for name in said if name != MODULE_BODY)
    return _Statement(tuple(names), tuple(said.items()), first_line(node), node.end_lineno or node.lineno)


def first_line(node: ast.stmt) -> int:
    """Return the line where a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


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
