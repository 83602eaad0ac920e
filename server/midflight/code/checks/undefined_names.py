"""Names that are used and that neither the text nor the run of the body defines."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from midflight.code.checks.facts import Facts, Unchecked, Undefined, undefined_in
from midflight.code.checks.harmless_places import Places
from midflight.code.checks.missing_attributes import hint
from midflight.code.checks.silencing_comments import SilencingComments
from midflight.code.report.load_report import Diagnostic, Severity
from midflight.code.source.bindings import Bindings, bindings_of
from midflight.code.source.parts import Part
from midflight.code.version.facade import Namespace

__all__ = ["undefined_names", "uses_by_part"]

BINDS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign)


def _is_there(name: str, namespace: Namespace) -> bool:
    return name in namespace or hasattr(builtins, name)


def uses_by_part(
    parts: Sequence[Part], known: Sequence[Facts], tree: ast.Module, text: str, namespace: Namespace
) -> list[Undefined] | None:
    """Return the uses of undefined names, if the facts of the parts tell; None if the whole must be looked at."""
    if any(facts.undefined is None for facts in known):
        return None
    uses = [
        use._replace(line=part.line + use.line)
        for part, facts in zip(parts, known, strict=True)
        for use in facts.undefined or ()
        if not _is_there(use.name, namespace)
    ]
    unbound = {name for facts in known for name in facts.unbound if not _is_there(name, namespace)}
    if unbound and any(not unbound.isdisjoint(facts.later) for facts in known):
        return None
    if not uses:
        return []
    bindings = bindings_of(tree, text)
    if not bindings.rebound.isdisjoint(use.name for use in uses):
        return None
    # A name that no other part binds is as undefined in the whole.
    bound = [use for use in uses if use.name in bindings.by_name]
    if all(use.name not in unbound and _is_bound_before(use, parts, bindings) for use in bound):
        return [use for use in uses if use.name not in bindings.by_name]
    return None


def _is_bound_before(use: Undefined, parts: Sequence[Part], bindings: Bindings) -> bool:
    """Say whether the text surely binds a name in a part above the one of this use, as below `TYPE_CHECKING`."""
    line = max(part.line for part in parts if part.line <= use.line)
    return any(isinstance(each.statement, BINDS) and each.place[0] < line for each in bindings.by_name[use.name])


def undefined_names(
    tree: ast.Module,
    text: str,
    path: str,
    namespace: Namespace,
    locals_of: Callable[[Any], frozenset[str]],
    uses: Sequence[Undefined] | None = None,
) -> Iterator[tuple[str, Diagnostic]]:
    """Yield a key and the words for each use of an undefined name; `uses` are those, if they are known.

    `locals_of` gives the names that are not globals in a function.
    """
    if uses is None:
        try:
            uses = undefined_in(tree, path)
        except Unchecked as error:  # no reason not to load
            said = f"undefined names were not looked for: {error}"
            yield "unchecked", Diagnostic(path, 1, 0, 1, 0, "warning", said, "unchecked")
            return
    uses = [use for use in uses if not _is_there(use.name, namespace)]
    if not uses:
        return
    places, comments = Places(tree, locals_of), SilencingComments(text, "F821", "name-defined")
    for name, line, column in uses:
        here = (line, column)
        if places.is_export(here) or places.is_asked_for(here, name) or comments.are_silent(line):
            continue
        severity: Severity = "warning" if places.is_doubtful(here, name) else "error"
        end = (line, column + len(name.encode()))
        remedy = hint(name, [*namespace, *vars(builtins)])
        said = f"undefined name {name!r}; a process that comes here would end with NameError; {remedy}"
        yield f"undefined-name {name}", Diagnostic(path, *here, *end, severity, said, "undefined-name")
