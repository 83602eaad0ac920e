"""The forms of a scope: its statements that bind names, each with its lines, also of a text that is half written. Pure.

A form is a definition, an assignment, an import, or a compound statement that binds names (`if`, `try`, `with`...).
Its names are those that it binds; those of `ROUTES["/"] = index`, which binds none, are its targets as written.
Lines count from 1; a definition begins with its first decorator. Statements that share a line are one form.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from midflight.code.source.bindings import Bindings
from midflight.code.source.parts import first_line
from midflight.parsing import module_or_none

__all__ = ["BLANK", "Form", "Kind", "forms_of", "forms_of_text"]

Kind = Literal["definition", "assignment", "import", "compound"]

_HEAD = re.compile(r"(?:async[ \t]+def|def|class)[ \t]+(\w+)")
_UNINDENTED = re.compile(r"[^\s#)\]}]")
_GOES_ON = re.compile(r"(?:else|elif|except|finally)\b")
BLANK = re.compile(r"\s*(?:#.*)?")


@dataclass(frozen=True, slots=True)
class Form:
    """A statement that binds `names`, on the lines from `first` to `last`; `column` is where it begins."""

    kind: Kind
    names: tuple[str, ...]
    first: int
    last: int
    column: int = 0
    statement: ast.stmt | None = None  # None in a text that is half written

    @property
    def key(self) -> tuple[Kind, frozenset[str]]:
        """The part that is equal in the form of another text that takes its place."""
        return self.kind, frozenset(self.names)


def forms_of(body: Iterable[ast.stmt]) -> list[Form]:
    """Return the forms among the statements of a scope, in order."""
    found: list[Form] = []
    for statement in body:
        kind = _kind(statement)
        names = () if kind is None else _names(statement)
        if kind is None or not names:
            continue
        first, last = first_line(statement), statement.end_lineno or statement.lineno
        if found and found[-1].last == first:
            before = found.pop()
            names, first, kind = (*before.names, *names), before.first, before.kind
        found.append(Form(kind, tuple(dict.fromkeys(names)), first, last, statement.col_offset, statement))
    return found


def _kind(statement: ast.stmt) -> Kind | None:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return "definition"
        case ast.Import() | ast.ImportFrom():
            return "import"
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            return "assignment"
        case ast.Expr() | ast.Assert() | ast.Delete() | ast.Pass() | ast.Global():
            return None
    return "compound"


def _names(statement: ast.stmt) -> tuple[str, ...]:
    bound = tuple(Bindings(ast.Module([statement], []), "").by_name)
    if bound:
        return bound
    match statement:
        case ast.Assign(targets=targets):
            return tuple(ast.unparse(each) for each in targets)
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            return (ast.unparse(target),)
        case ast.ImportFrom():
            return (ast.unparse(statement),)
    return ()


def forms_of_text(text: str) -> list[Form]:
    """Return the forms at the top level of `text`, which need not be a valid module as a whole."""
    tree = module_or_none(text)
    return list(_scanned(text.split("\n"))) if tree is None else forms_of(tree.body)


def _scanned(lines: Sequence[str]) -> Iterator[Form]:
    """Yield the forms of a text that is not a valid module, found by the lines that are not indented.

    A form ends before the next line that is not indented, or before the one after that, and so on, as far as
    another definition, where the text so far is whole: a string of several lines may stand at the margin.
    """
    starts = [index for index, line in enumerate(lines) if _UNINDENTED.match(line) and not _GOES_ON.match(line)]
    taken = 0
    for position, start in enumerate(starts):
        head = _HEAD.match(lines[start])
        if start < taken or lines[start].startswith("@"):
            continue
        first = start
        for earlier in reversed(starts[:position]):  # nothing but decorators can stand right before, at the margin
            if head is None or not lines[earlier].startswith("@"):
                break
            first = earlier
        ends = []
        for following in [*starts[position + 1 :], len(lines)]:
            ends.append(_last_line(lines, start, following))
            if following < len(lines) and (_HEAD.match(lines[following]) or lines[following].startswith("@")):
                break
        whole = next((end for end in ends if module_or_none("\n".join(lines[first:end])) is not None), None)
        last = ends[0] if whole is None else whole
        if head is not None:
            taken = last
            yield Form("definition", (head[1],), first + 1, last)
        elif whole is not None:
            taken = last
            tree = module_or_none("\n" * first + "\n".join(lines[first:last]))
            assert tree is not None
            yield from forms_of(tree.body)


def _last_line(lines: Sequence[str], start: int, end: int) -> int:
    while end - 1 > start and BLANK.fullmatch(lines[end - 1]):
        end -= 1
    return end
