"""The text around a read of a module's name: how it is called there, and whether the code is prepared to miss it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from midflight.code.checks.live_reads import Read

__all__ = ["Use", "uses_of"]

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

# The exceptions that a handler may name, by the one that is raised.
HANDLES = {
    "AttributeError": {"AttributeError", "Exception", "BaseException"},
    "ImportError": {"ImportError", "Exception", "BaseException"},
    "TypeError": {"TypeError", "Exception", "BaseException"},
}

# Functions that hand a callback on to somebody else, by their last word: no process is in it when it is called.
TAKES_CALLBACK = frozenset(
    "call_soon call_soon_threadsafe call_later call_at add_done_callback add_reader add_writer add_signal_handler "
    "signal register finalize Timer setprofile settrace".split()
)


class Use(NamedTuple):
    """One use of such a name: its call, if it is called, and the exceptions that the code around handles.

    `is_callback` says that it stands in a function that others call, so that no process is in it then.
    """

    call: ast.Call | None
    handled: frozenset[str]
    is_callback: bool


def uses_of(read: Read, tree: ast.Module) -> list[Use]:
    """Return the uses of an object that is read, by the text: the read first, then the calls of an imported name."""
    found: list[Use] = []
    for node, above in _nodes_at(read, tree):
        if isinstance(node, ast.Attribute) and not read.is_import and node.attr == read.name:
            parent = above[-1]
            call = parent if isinstance(parent, ast.Call) and parent.func is node else None
            found.append(_use(call, node, above, read.name))
        elif isinstance(node, ast.ImportFrom) and read.is_import:
            found.append(_use(None, node, above, read.name))
            function = _function(above) or tree
            names = {alias.asname or alias.name for alias in node.names if alias.name == read.name}
            for each, around in _walk(function, above[: above.index(function)] if function in above else ()):
                if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id in names:
                    found.append(_use(each, each, around, read.name))
    return found


def _nodes_at(read: Read, tree: ast.Module) -> Iterator[tuple[ast.AST, Sequence[ast.AST]]]:
    place = read.position
    if place is None:
        return
    wanted = (place.lineno, place.end_lineno, place.col_offset, place.end_col_offset)
    for node, above in _walk(tree, ()):
        if isinstance(node, ast.Attribute | ast.ImportFrom) and _place(node) == wanted:
            yield node, above


def _place(node: ast.expr | ast.stmt) -> tuple[int | None, ...]:
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def _walk(top: ast.AST, above: Sequence[ast.AST]) -> Iterator[tuple[ast.AST, tuple[ast.AST, ...]]]:
    """Yield the nodes in `top`, each with the nodes around it, outermost first; `above` are the ones around `top`."""
    waiting: list[tuple[ast.AST, tuple[ast.AST, ...]]] = [(top, tuple(above))]
    while waiting:
        node, around = waiting.pop()
        yield node, around
        inner = (*around, node)
        waiting += [(child, inner) for child in ast.iter_child_nodes(node)]


def _function(above: Sequence[ast.AST]) -> Function | None:
    return next((node for node in reversed(above) if isinstance(node, Function)), None)


def _use(call: ast.Call | None, node: ast.AST, above: Sequence[ast.AST], name: str) -> Use:
    handled: set[str] = set()
    is_callback = False
    inner = node
    for outer in reversed(above):
        match outer:
            case ast.Try(body=body, handlers=handlers) | ast.TryStar(body=body, handlers=handlers) if inner in body:
                handled |= _handled(each.type for each in handlers)
            case ast.With(body=body, items=items) | ast.AsyncWith(body=body, items=items) if inner in body:
                for item in items:
                    match item.context_expr:
                        case ast.Call(func=function, args=kinds) if _last_word(function) == "suppress":
                            handled |= _handled(kinds)
            case ast.Call(func=function) if _last_word(function) in TAKES_CALLBACK:
                is_callback = is_callback or _is_in_a_lambda(node, outer, above)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if _asks(outer, name):
                    handled.add("AttributeError")
                around = _function(above[: list(above).index(outer)])
                if around is None or not _hands_on(around, outer.name):
                    break  # what is around the function is not around its calls
                is_callback = True
                break
        inner = outer
    return Use(call, frozenset(handled), is_callback)


def _last_word(node: ast.expr) -> str:
    """Return the last name of a function called or an exception caught: `c` of `a.b.c`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _handled(kinds: Iterator[ast.expr | None] | Sequence[ast.expr]) -> set[str]:
    """Return the entries of HANDLES that handlers of these types take; a handler without type takes all."""
    names: set[str] = set()
    for kind in kinds:
        if kind is None:
            return set(HANDLES)
        for each in kind.elts if isinstance(kind, ast.Tuple) else (kind,):
            names.add(_last_word(each))
    return {raised for raised, handlers in HANDLES.items() if not handlers.isdisjoint(names)}


def _is_in_a_lambda(node: ast.AST, call: ast.AST, above: Sequence[ast.AST]) -> bool:
    return any(isinstance(each, ast.Lambda) for each in above[list(above).index(call) :]) or isinstance(
        node, ast.Lambda
    )


def _asks(function: ast.AST, name: str) -> bool:
    """Say whether a function asks whether something has the name: `hasattr(thing, "go")`."""
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Name(id="hasattr"), args=[_, ast.Constant(value=asked)]) if asked == name:
                return True
    return False


def _hands_on(function: ast.AST, name: str) -> bool:
    """Say whether a function hands an inner one on as a callback."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and _last_word(node.func) in TAKES_CALLBACK:
            given = [each for part in (*node.args, *node.keywords) for each in ast.walk(part)]
            if any(isinstance(each, ast.Name) and each.id == name for each in given):
                return True
    return False
