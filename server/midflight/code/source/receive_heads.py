"""Functions that begin by waiting for a message, and the place of that receive, where a process can be moved.

A process that waits at the first receive of such a function can enter it again: nothing comes before that receive, so
nothing is done twice. Pure: text in, Heads out, and for each other function the reason in words.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

from midflight.parsing import module_or_none

__all__ = ["Head", "Position", "heads_of"]

Position = tuple[int | None, int | None, int | None, int | None]

NOT_FIRST = "does not begin with a receive"

# What may not stand in the arguments of the receive: it would be done once more by a process that is moved. Besides
# calls, what calls in disguise.
DOES_SOMETHING = (
    ast.Call,
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
    ast.NamedExpr,
    ast.Starred,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


@dataclass(frozen=True, slots=True)
class Head:
    """A function whose body begins with `await receive(...)`.

    `line` is that of its `def`. `position` is that of the await, as `co_positions` has it: line, end line, and the
    columns in bytes. `receive` is the dotted name that is called, `reads` the names that its arguments read.
    """

    line: int
    position: Position
    receive: tuple[str, ...]
    reads: frozenset[str]


@lru_cache(maxsize=32)
def heads_of(text: str) -> dict[str, Head | str]:
    """Return the module-level `async def`s of `text` by name: the head of each, or why it has none.

    The reason goes on from the function's name: "is decorated". Nothing for a text that is not a module.
    """
    tree = module_or_none(text)
    if tree is None:
        return {}
    return {each.name: _head_or_reason(each) for each in tree.body if isinstance(each, ast.AsyncFunctionDef)}


def _head_or_reason(function: ast.AsyncFunctionDef) -> Head | str:
    try:
        return _head(function)
    except RecursionError:  # of a sum of a thousand, say
        return "is nested too deeply to be looked at"


def _head(function: ast.AsyncFunctionDef) -> Head | str:
    if function.decorator_list:
        return "is decorated"
    awaited = _first_await(function.body)
    if awaited is None or not isinstance(awaited.value, ast.Call):
        return NOT_FIRST
    call = awaited.value
    name = _dotted(call.func)
    if name is None:
        return NOT_FIRST
    inner = [node for argument in (*call.args, *call.keywords) for node in ast.walk(argument)]
    if any(isinstance(node, DOES_SOMETHING) or _is_unpacked(node) for node in inner):
        return "calls something in the arguments of its receive"
    return Head(
        line=function.lineno,
        position=(awaited.lineno, awaited.end_lineno, awaited.col_offset, awaited.end_col_offset),
        receive=name,
        reads=frozenset[str]().union(*map(_reads, (*call.args, *call.keywords))),
    )


def _first_await(body: list[ast.stmt]) -> ast.Await | None:
    """Return the await that the body begins with, behind a docstring and in a `while True:`, if it does."""
    first, *rest = body
    match first:
        case ast.Expr(value=ast.Constant(value=str())) if rest:
            first = rest[0]
    match first:
        case ast.While(test=ast.Constant(value=True), orelse=[]):
            first = first.body[0]
    match first:
        case ast.Match(subject=ast.Await() as awaited):
            return awaited
        case ast.Assign(targets=[ast.Name()], value=ast.Await() as awaited):
            return awaited
        case ast.Expr(value=ast.Await() as awaited):
            return awaited
    return None


def _dotted(function: ast.expr) -> tuple[str, ...] | None:
    """Return `midflight.receive` as its parts; None for an expression that is not a plain name."""
    match function:
        case ast.Name(id=name):
            return (name,)
        case ast.Attribute(value=inner, attr=name) if (before := _dotted(inner)) is not None:
            return (*before, name)
    return None


def _reads(node: ast.AST) -> frozenset[str]:
    """Return the names of the function's own scope or of the module that `node` reads, now or when it is called."""
    found = frozenset[str]().union(*map(_reads, ast.iter_child_nodes(node)))
    match node:
        case ast.Name(id=name):
            return found | {name}
        case ast.Lambda(args=taken):
            own = {each.arg for each in ast.walk(taken) if isinstance(each, ast.arg)}
            return (_reads(node.body) - own) | frozenset[str]().union(*map(_reads, ast.iter_child_nodes(taken)))
    return found


def _is_unpacked(node: ast.AST) -> bool:
    return isinstance(node, ast.keyword) and node.arg is None
