"""Process functions that end at a message that they do not know, though they mean to go on.

A function that goes on by `return loop(...)` is over where it does not say so. One `case` that forgets it, or a `match`
that takes not every message, and the process ends, normally and without a word, at the first such message.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

__all__ = ["LoopEnd", "loop_ends"]


class LoopEnd(NamedTuple):
    """The place where such a function would end: `node`."""

    node: ast.pattern | ast.expr
    where: str
    text: str


def loop_ends(
    function: ast.AsyncFunctionDef,
    goes_on: Callable[[ast.expr | None], str | None],
    receives: Callable[[ast.AST], bool],
) -> Iterator[LoopEnd]:
    """Yield where `function` would end at an unknown message.

    `goes_on` says of the value of a `return` as what call the process goes on, None if not so; `receives` says whether
    an expression is `await receive(...)`.
    """
    found = _last(function.body)
    if found is None or not _takes_any(found, function.body, receives):
        return
    calls = [goes_on(node.value) for case in found.cases for node in _returns(case.body)]
    again = next((call for call in calls if call is not None), None)
    if again is None:
        return
    name = function.name
    for case in found.cases:
        if _takes_all(case):
            if _falls_through(case.body):
                said = ast.unparse(case.pattern)
                text = (
                    f"`case {said}` comes to its end without a `return`, so {name} ends at the first message that no "
                    f"other case takes; write `return {again}(...)` there, or `return` if that is meant"
                )
                yield LoopEnd(case.pattern, name, text)
            return
    text = (
        f"no case takes every message, so {name} ends at the first one that none takes; "
        f"add `case _:` with `return {again}(...)`, or with `return` if that is meant"
    )
    yield LoopEnd(found.subject, name, text)


def _last(body: Sequence[ast.stmt]) -> ast.Match | None:
    """Return the `match` that a function's body ends in."""
    match body[-1]:
        case ast.Match() as found:
            return found
        case ast.With(body=inner) | ast.AsyncWith(body=inner):
            return _last(inner)
    return None


def _takes_any(found: ast.Match, body: Sequence[ast.stmt], receives: Callable[[ast.AST], bool]) -> bool:
    """Say whether `found` is about a message, whatever it is: one that was received without patterns."""
    subject: ast.expr = found.subject
    if isinstance(subject, ast.Name):
        values = [
            node.value
            for statement in body
            for node in ast.walk(statement)
            if isinstance(node, ast.Assign | ast.NamedExpr | ast.AnnAssign) and _binds(node, subject.id)
        ]
        if len(values) != 1 or values[0] is None:
            return False
        subject = values[0]
    return receives(subject) and isinstance(subject, ast.Await) and not getattr(subject.value, "args", ())


def _binds(node: ast.Assign | ast.NamedExpr | ast.AnnAssign, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(each, ast.Name) and each.id == name for each in targets)


def _returns(body: Sequence[ast.stmt]) -> Iterator[ast.Return]:
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return):
            yield node
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr):
            waiting += ast.iter_child_nodes(node)


def _takes_all(case: ast.match_case) -> bool:
    return case.guard is None and _is_irrefutable(case.pattern)


def _is_irrefutable(pattern: ast.pattern) -> bool:
    match pattern:
        case ast.MatchAs(pattern=None):
            return True
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return _is_irrefutable(inner)
        case ast.MatchOr(patterns=patterns):
            return any(map(_is_irrefutable, patterns))
    return False


def _falls_through(body: Sequence[ast.stmt]) -> bool:
    """Say whether the end of `body` can be reached, in doubt not."""
    match body[-1]:
        case ast.If(body=one, orelse=other):
            return _falls_through(one) or not other or _falls_through(other)
        case ast.Match(cases=cases):
            return not any(map(_takes_all, cases)) or any(_falls_through(case.body) for case in cases)
        case ast.With(body=inner) | ast.AsyncWith(body=inner):
            return _falls_through(inner)
        case ast.Try(finalbody=[_, *_] as final) if not _falls_through(final):
            return False
        case (
            ast.Try(body=one, handlers=handlers, orelse=other) | ast.TryStar(body=one, handlers=handlers, orelse=other)
        ):
            return _falls_through(other or one) or any(_falls_through(each.body) for each in handlers)
        case ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name))):
            return "exit" not in name and "abort" not in name and "fail" not in name and "stop" not in name
        case ast.Pass() | ast.Expr() | ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Delete():
            return True
    return False
