"""Statements that run only if what they made is not kept: a question is put before each, in the syntax tree."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping

from midflight.code.source.blocks import with_exchanged

__all__ = ["KEEP", "guarded"]

KEEP = "__midflight_keep__"  # what is asked, with a name; it has bound the name if it says yes


def guarded(tree: ast.Module, names: Mapping[int, str], keep: str = KEEP) -> ast.Module:
    """Return `tree` with `if keep(name): pass` before the statements in `names`, by id, which become its `else`.

    `keep` is the name of what is asked.
    """

    def question(statement: ast.stmt) -> ast.stmt | None:
        name = names.get(id(statement))
        return None if name is None else _question(statement, name, keep)

    return with_exchanged(tree, question)


def _question(statement: ast.stmt, name: str, keep: str) -> ast.stmt:
    instead: ast.stmt = ast.Pass()
    if isinstance(statement, ast.AnnAssign):  # the annotation counts all the same
        instead = copy.copy(statement)
        instead.value = None
    test = ast.Call(ast.Name(keep, ast.Load()), [ast.Constant(name)], [])
    question = ast.If(test, [instead], [statement])
    for node in (question, test, test.func, test.args[0], instead):
        ast.copy_location(node, statement)
    return question
