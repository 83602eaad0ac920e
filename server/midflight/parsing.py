"""From source text to a syntax tree: Midflight parses here alone, so that all of it is safe from one fault.

CPython 3.11 counts how deep the making of a tree is in a place that all trees share. If the garbage collection runs a
finalizer in the midst, and that parses or lets another thread do so, the count is wrong afterwards, and the first of
the two raises SystemError, or RecursionError for a tree that is not deep (python/cpython#106905).

Law: where Python has the fault, it parses with the collection put off. Then no Python code runs in the midst, whatever
other threads and finalizers do. A lock would not do: user code parses too, a finalizer comes on the thread that holds
the lock, and Python itself parses to print a traceback. It is faster as well: a tree of 4,000 lines is so many objects
that the collector would look through the whole program several times while it grows (3.12 and later wait until it is
made). What parses somewhere inside, in code of others, is done so the second time, if it was disturbed the first.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from midflight.collection import without_collection

__all__ = [
    "UNPARSABLE",
    "asks_for_tree",
    "expression_or_none",
    "module_or_none",
    "parse_expression",
    "parse_module",
    "undisturbed",
]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

UNPARSABLE = (
    SyntaxError,
    ValueError,
    OverflowError,
    RecursionError,
    MemoryError,
)  # raised for a text that is not Python

_CAN_BE_DISTURBED = sys.version_info < (3, 12)


def parse_module(text: str, file: str = "<unknown>", flags: int = 0) -> ast.Module:
    """Return the tree of a module's text; `flags` are the compiler's. Raises: one of UNPARSABLE."""
    tree: ast.Module = _alone(compile, text, file, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    return tree


def parse_expression(text: str) -> ast.expr:
    """Return the tree of an expression. Raises: one of UNPARSABLE."""
    tree = _alone(ast.parse, text, mode="eval")
    assert isinstance(tree, ast.Expression)
    return tree.body


def module_or_none(text: str, file: str = "<unknown>") -> ast.Module | None:
    """Return the tree of a module's text, None if it is not Python."""
    try:
        return parse_module(text, file)
    except UNPARSABLE:
        return None


def expression_or_none(text: str) -> ast.expr | None:
    """Return the tree of an expression, None if `text` is not one."""
    try:
        return parse_expression(text)
    except UNPARSABLE:
        return None


def asks_for_tree(flags: int) -> bool:
    """Say whether `flags` ask the compiler for a tree in place of code."""
    return bool(flags & ast.PyCF_ONLY_AST)


def undisturbed(function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """Return the value of a call that parses somewhere inside; it is called again if the first call was disturbed.

    Raises: whatever the call raises.
    """
    try:
        return function(*args, **kwargs)
    except (SystemError, RecursionError):
        if not _CAN_BE_DISTURBED:
            raise
    return _alone(function, *args, **kwargs)


def _alone(function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """Call `function`, with the garbage collection put off where that could come between."""
    if not _CAN_BE_DISTURBED:
        return function(*args, **kwargs)
    return without_collection(function, *args, **kwargs)
