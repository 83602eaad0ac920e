"""Names that are used and that neither the text nor the run of the body defines."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from midflight.code.checks.facts import Facts, Unchecked, undefined_in
from midflight.code.checks.missing_attributes import hint
from midflight.code.report.load_report import Diagnostic, Severity
from midflight.code.source.bindings import Bindings, Position, bindings_of
from midflight.code.source.parts import Part
from midflight.code.version.facade import Namespace

__all__ = ["may_be_undefined", "undefined_names"]

BINDS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign)

# What a test mentions that is true on another machine than this one, or for a type checker only.
ELSEWHERE = frozenset({"sys.platform", "sys.version_info", "os.name", "TYPE_CHECKING", "typing.TYPE_CHECKING"})


def may_be_undefined(
    parts: Sequence[Part], known: Sequence[Facts], tree: ast.Module, text: str, namespace: Namespace
) -> bool:
    """Say whether a text with these parts and facts may have such a name: if not, there is no need to look for it."""
    if any(facts.undefined is None for facts in known):
        return True
    wanted = {name for facts in known for name in facts.undefined or () if not _is_there(name, namespace)}
    if wanted and not _are_bound_before(wanted, parts, known, bindings_of(tree, text)):
        return True
    unbound = {name for facts in known for name in facts.unbound if not _is_there(name, namespace)}
    return any(not unbound.isdisjoint(facts.later) for facts in known) if unbound else False


def _is_there(name: str, namespace: Namespace) -> bool:
    return name in namespace or hasattr(builtins, name)


def _are_bound_before(wanted: Iterable[str], parts: Sequence[Part], known: Sequence[Facts], bindings: Bindings) -> bool:
    """Say whether the text binds all these names before the first part that wants them, as below `TYPE_CHECKING`."""
    for name in wanted:
        line = next(part.line for part, facts in zip(parts, known, strict=True) if name in (facts.undefined or ()))
        if not any(
            isinstance(each.statement, BINDS) and each.place[0] < line for each in bindings.by_name.get(name, ())
        ):
            return False
        if any(name in facts.unbound for facts in known):
            return False
    return True


def undefined_names(
    tree: ast.Module, path: str, namespace: Namespace, locals_of: Callable[[Any], frozenset[str]]
) -> Iterator[tuple[str, Diagnostic]]:
    """Yield a key and the words for each. `locals_of` gives the names that are not globals in a function."""
    try:
        found = undefined_in(tree, path)
    except Unchecked as error:  # no reason not to load
        yield (
            "unchecked",
            Diagnostic(path, 1, 0, 1, 0, "warning", f"undefined names were not looked for: {error}", "unchecked"),
        )
        return
    places: _Places | None = None
    for name, line, column in found:
        if _is_there(name, namespace):
            continue
        places = places or _Places(tree, locals_of)  # not before: it walks the whole tree
        here = (line, column)
        if places.is_export(here):
            continue
        severity: Severity = "warning" if places.is_doubtful(here, name) else "error"
        end = (line, column + len(name.encode()))
        remedy = hint(name, [*namespace, *vars(builtins)])
        text = f"undefined name {name!r}; a process that comes here would end with NameError; {remedy}"
        yield f"undefined-name {name}", Diagnostic(path, *here, *end, severity, text, "undefined-name")


class _Places:
    """The parts of a text where a name that is not there does no harm, or perhaps none."""

    def __init__(self, tree: ast.Module, locals_of: Callable[[Any], frozenset[str]]) -> None:
        self._locals_of = locals_of
        self._exports: list[tuple[Position, Position]] = []
        self._spans: list[tuple[Position, Position]] = []
        self._functions: list[ast.AST] = []
        for node in ast.walk(tree):
            # An annotation is looked at by tools, if at all: no process dies of it.
            for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
                if isinstance(part, ast.expr):
                    self._spans.append(_span(part))
            match node:
                case ast.If(test=test) if any(_said(each) in ELSEWHERE for each in ast.walk(test)):
                    self._spans.append(_span(node))
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self._functions.append(node)
                case ast.Assign(targets=[ast.Name(id="__all__")]) | ast.AugAssign(target=ast.Name(id="__all__")):
                    self._exports.append(_span(node))

    def is_export(self, here: Position) -> bool:
        """Say whether the name at `here` stands in `__all__`: nothing reads it there."""
        return any(start <= here < end for start, end in self._exports)

    def is_doubtful(self, here: Position, name: str) -> bool:
        """Say whether no process may die of `name` at `here`."""
        if any(start <= here < end for start, end in self._spans):
            return True
        # A local name that was deleted on one of the ways there is not undefined on all of them.
        inside = (each for each in self._functions if _span(each)[0] <= here < _span(each)[1])
        return any(name in self._locals_of(each) for each in inside)


def _said(node: ast.AST) -> str | None:
    return ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else None


def _span(node: Any) -> tuple[Position, Position]:
    return (node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or 0)
