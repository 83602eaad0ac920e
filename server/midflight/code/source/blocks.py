"""Statements of a module's own scope, exchanged for others wherever they stand: at the top, in an `if`, a `try`."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable

__all__ = ["with_exchanged"]

Exchange = Callable[[ast.stmt], ast.stmt | None]


def with_exchanged(tree: ast.Module, exchange: Exchange) -> ast.Module:
    """Return `tree` with what `exchange` returns in the place of each statement that it does not return None for.

    The tree itself stays as it is; so do the statements, which both share. Those in loops and functions are not looked
    at.
    """
    changed = copy.copy(tree)
    changed.body = _block(tree.body, exchange)
    return changed


def _block(body: Iterable[ast.stmt], exchange: Exchange) -> list[ast.stmt]:
    return [exchange(statement) or _with_blocks(statement, exchange) for statement in body]


def _with_blocks(statement: ast.stmt, exchange: Exchange) -> ast.stmt:
    changed = copy.copy(statement)
    match changed:
        case ast.If():
            changed.body, changed.orelse = _block(changed.body, exchange), _block(changed.orelse, exchange)
        case ast.With():
            changed.body = _block(changed.body, exchange)
        case ast.Try() | ast.TryStar():
            changed.body, changed.orelse = _block(changed.body, exchange), _block(changed.orelse, exchange)
            changed.finalbody = _block(changed.finalbody, exchange)
            changed.handlers = [copy.copy(handler) for handler in changed.handlers]
            for handler in changed.handlers:
                handler.body = _block(handler.body, exchange)
        case ast.Match():
            changed.cases = [copy.copy(case) for case in changed.cases]
            for case in changed.cases:
                case.body = _block(case.body, exchange)
        case _:
            return statement
    return changed
