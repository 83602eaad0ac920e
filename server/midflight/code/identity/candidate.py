"""Candidates: the statements of a text that may keep the object which they made in the version before."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from types import CodeType

from midflight.code.source.bindings import Position

__all__ = ["Candidate", "defined", "outer_codes"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A statement that may keep what it made: it is the same in both texts.

    `is_sure` says that it stands under no `if`. `reads` are names, `qualified` the reads like `a.b` that it does when
    it runs. `is_fixed` says that the class must not be made twice, so that only what runs at once has to be the same.
    """

    statement: ast.stmt
    before: ast.stmt
    is_sure: bool
    reads: frozenset[str]
    qualified: frozenset[tuple[str, ...]]
    is_fixed: bool = False

    @property
    def place(self) -> Position:
        """The position of the statement in the new text."""
        return self.statement.lineno, self.statement.col_offset


def defined(statement: ast.stmt) -> str | None:
    """Return the name that a class statement, or the assignment of a call, binds."""
    match statement:
        case ast.ClassDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call()):
            return name
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call()):
            return name
    return None


def outer_codes(code: CodeType) -> list[CodeType]:
    """Return the code of the functions and classes directly in that of a statement."""
    return [const for const in code.co_consts if isinstance(const, CodeType)]
