"""The names of one function's own scope."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["Function", "Scopes", "inside", "local_names"]

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Scopes = tuple[Function, ...]  # the functions that a node is in, outermost first


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes in `node`, without the functions and classes that are defined in it."""
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        child = waiting.pop()
        yield child
        if not isinstance(child, (Function, ast.ClassDef)):
            waiting += ast.iter_child_nodes(child)


def local_names(function: Function) -> frozenset[str]:
    """Return the names that are not globals in `function`: its parameters and the names that it binds."""
    arguments = function.args
    every = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    bound = {argument.arg for argument in every if argument is not None}
    outer: set[str] = set()
    for node in inside(function):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.alias(name=name, asname=other):
                bound.add((other or name).partition(".")[0])
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                bound.add(name)
            case ast.MatchMapping(rest=str(name)):
                bound.add(name)
            case ast.Global(names=names):
                outer.update(names)
    return frozenset(bound - outer)
