"""Places of a text where a name that is not there does no harm, or where the text is prepared to miss it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from midflight.code.source.bindings import Position
from midflight.code.source.program import is_main_test

__all__ = ["Places"]

Span = tuple[Position, Position]

# What a test mentions that is true on another machine than this one, or for a type checker only.
ELSEWHERE = frozenset({"sys.platform", "sys.version_info", "os.name", "TYPE_CHECKING", "typing.TYPE_CHECKING"})

# Functions that type checkers know without a definition.
OF_CHECKERS = frozenset({"reveal_type", "reveal_locals"})

NAMESPACES = frozenset({"globals", "vars", "dir", "locals"})
CATCH_ALL = frozenset({"Exception", "BaseException"})


class Places:
    """The harmless places of one text. `locals_of` gives the names that are not globals in a function."""

    def __init__(self, tree: ast.Module, locals_of: Callable[[Any], frozenset[str]]) -> None:
        self._locals_of = locals_of
        self._exports: list[Span] = []
        self._harmless: list[Span] = []
        self._functions: list[ast.AST] = []
        self._asked: set[str] = set()
        self._tried: list[tuple[ast.Try, frozenset[str]]] = []  # with the names that the body reads
        for node in ast.walk(tree):
            self._look_at(node)

    def is_export(self, here: Position) -> bool:
        """Say whether the name at `here` stands in `__all__`: nothing reads it there."""
        return any(start <= here < end for start, end in self._exports)

    def is_asked_for(self, here: Position, name: str) -> bool:
        """Say whether the text asks for `name` before it comes to `here`: in `globals()`, or in a `try` of its own."""
        if name in self._asked:
            return True
        around = self._around(here)
        return any(name in names and self._around(_span(each)[0]) in ([], around) for each, names in self._tried)

    def is_doubtful(self, here: Position, name: str) -> bool:
        """Say whether no process may end because of `name` at `here`."""
        if name in OF_CHECKERS or any(start <= here < end for start, end in self._harmless):
            return True
        # A local name that was deleted on one of the ways there is not undefined on all of them.
        return any(name in self._locals_of(each) for each in self._around(here))

    def _around(self, here: Position) -> list[ast.AST]:
        """Return the functions that `here` is in, the outermost first."""
        return [each for each in self._functions if _span(each)[0] <= here < _span(each)[1]]

    def _look_at(self, node: ast.AST) -> None:
        # An annotation is looked at by tools, if at all: no process ends because of it.
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(part, ast.expr):
                self._harmless.append(_span(part))
        match node:
            case ast.If(test=test) if any(_said(each) in ELSEWHERE for each in ast.walk(test)):
                self._harmless.append(_span(node))
            case ast.If(test=test, body=[first, *_] as body) if is_main_test(test):  # it does not run in a module
                self._harmless.append((_span(first)[0], _span(body[-1])[1]))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._functions.append(node)
            case ast.Assign(targets=[ast.Name(id="__all__")]) | ast.AugAssign(target=ast.Name(id="__all__")):
                self._exports.append(_span(node))
            case ast.Try(body=[first, *_] as body, handlers=handlers):
                caught = set(_caught(handlers))
                if "NameError" in caught:
                    self._tried.append((node, frozenset(_read_in(body))))
                if not caught.isdisjoint(CATCH_ALL):
                    self._harmless.append((_span(first)[0], _span(body[-1])[1]))
            case ast.With(items=items, body=[first, *_] as body) if any(_suppresses(item) for item in items):
                self._harmless.append((_span(first)[0], _span(body[-1])[1]))
            case ast.Compare(left=ast.Constant(value=str(name)), ops=[ast.In() | ast.NotIn()], comparators=[where]):
                if _is_namespace(where):
                    self._asked.add(name)
            case ast.Subscript(value=where, slice=ast.Constant(value=str(name))) if _is_namespace(where):
                self._asked.add(name)
            case ast.Call(func=ast.Attribute(value=where), args=arguments, keywords=keywords) if _is_namespace(where):
                self._asked.update(str(each.value) for each in arguments[:1] if isinstance(each, ast.Constant))
                self._asked.update(each.arg for each in keywords if each.arg is not None)


def _is_namespace(node: ast.expr) -> bool:
    """Say whether an expression is that of the names that are there: `globals()`, `vars()`."""
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMESPACES and not node.args
    )


def _caught(handlers: Iterable[ast.ExceptHandler]) -> Iterator[str]:
    """Yield the names of the exceptions that handlers take; a handler without type takes all."""
    for handler in handlers:
        match handler.type:
            case None:
                yield "BaseException"
            case ast.Tuple(elts=kinds):
                yield from (_last_word(each) for each in kinds)
            case kind:
                yield _last_word(kind)


def _suppresses(item: ast.withitem) -> bool:
    match item.context_expr:
        case ast.Call(func=function, args=kinds) if _last_word(function) == "suppress":
            return any(_last_word(each) in ("NameError", *CATCH_ALL) for each in kinds)
    return False


def _last_word(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _read_in(body: Iterable[ast.stmt]) -> Iterator[str]:
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                yield node.id


def _said(node: ast.AST) -> str | None:
    return ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else None


def _span(node: Any) -> Span:
    return (node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or 0)
