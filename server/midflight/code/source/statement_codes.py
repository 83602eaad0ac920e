"""The code of one class statement, as it is in the code of its module, and as it was some lines further up or down.

To compile the statement alone gives the same, and takes as long again as compiling the module.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from inspect import CO_OPTIMIZED
from types import CodeType

from midflight.code.source.annotations import ANNOTATE
from midflight.code.source.bindings import codes_in
from midflight.code.source.parts import first_line

__all__ = ["can_move", "codes_of", "moved"]

NOTES_LINES = sys.version_info >= (3, 13)  # whether the code of a class has its line in it


def codes_of(statement: ast.ClassDef, module: CodeType) -> list[CodeType]:
    """Return the code of the functions and classes in a class statement of the module's scope, only of the outer ones.

    `module` is the code of the whole module. A class statement shares none of its lines with another one.
    """
    lines = range(first_line(statement), (statement.end_lineno or statement.lineno) + 1)
    consts = [const for const in module.co_consts if isinstance(const, CodeType)]
    return [const for const in consts if const.co_firstlineno in lines and const.co_name != ANNOTATE]


def can_move(codes: Iterable[CodeType]) -> bool:
    """Say whether `moved` gives the code of functions as the compiler does: not if they have classes in them.

    From Python 3.13 on the number of its first line is a constant in the code of a class.
    """
    if not NOTES_LINES:
        return True
    functions = [each for one in codes for each in (one, *codes_in(one)) if each.co_flags & CO_OPTIMIZED]
    inner = [each for function in functions for each in codes_in(function)]
    return all(each.co_flags & CO_OPTIMIZED for each in inner)


def moved(code: CodeType, lines: int) -> CodeType:
    """Return the code that the same text would have so many lines further down, if that can be told."""
    consts = tuple(moved(const, lines) if isinstance(const, CodeType) else const for const in code.co_consts)
    return code.replace(co_firstlineno=code.co_firstlineno + lines, co_consts=consts)
