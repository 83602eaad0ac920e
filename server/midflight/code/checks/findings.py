"""`findings`: the faults of a new version that its text shows before anything changes.

Each finding has a key. One that the version before had as well is a warning: its processes live with it. A new one is
refused if a process would end of it; `force=True` makes all of them warnings. The names are those of the namespace
after the body has run, so what a module defines by other means than by a statement counts as defined.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import FunctionType, ModuleType
from typing import Any

from midflight.code.checks.lost_coroutines import lost_coroutines
from midflight.code.checks.missing_attributes import absent_names
from midflight.code.checks.undefined_names import undefined_names
from midflight.code.checks.unhandled_messages import loop_ends
from midflight.code.report.load_report import Diagnostic, Severity
from midflight.code.version.facade import Namespace
from midflight.kernel import receive

__all__ = ["Finding", "findings"]

AsyncFunction = ast.AsyncFunctionDef
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

Scopes = tuple[Function, ...]  # the functions that a node is in, outermost first
HOLDS_STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: a key that stays the same when lines move, and its diagnostic."""

    key: str
    problem: Diagnostic


def findings(text: str, tree: ast.Module, path: str, namespace: Namespace, module: ModuleType) -> tuple[Finding, ...]:
    """Return what the checks find in the text of a version, in the order of its lines.

    `namespace` is the version's, its body having run; `module` the module object that its code calls through.
    """
    calls = _Calls(path, namespace, module)
    calls.look_at(tree)
    lines = text.split("\n")
    undefined = (Finding(*each) for each in undefined_names(tree, path, namespace, _locals))
    found = [replace(finding, problem=_in_characters(finding.problem, lines)) for finding in (*undefined, *calls.found)]
    return tuple(sorted(found, key=lambda finding: (finding.problem.line, finding.problem.column)))


def _in_characters(problem: Diagnostic, lines: Sequence[str]) -> Diagnostic:
    """Return `problem` with columns in characters: Python's syntax tree counts bytes of UTF-8."""

    def characters(line: int, column: int) -> int:
        return len(lines[line - 1].encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))

    return replace(
        problem,
        column=characters(problem.line, problem.column),
        end_column=characters(problem.end_line, problem.end_column),
    )


def _problem(path: str, node: Any, severity: Severity, message: str, code: str) -> Diagnostic:
    end = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return Diagnostic(path, node.lineno, node.col_offset, *end, severity, message, code)


# --- Calls of the module's own process functions -------------------------------------------------------------


class _Calls:
    """Looks for calls of the module's own async functions that do not do what they look like.

    Only plain ones at the top level count, defined once, undecorated, and still what their name stands for after the
    body has run; only calls by a global name, bare or through the module. So each finding is certain.
    """

    def __init__(self, path: str, namespace: Namespace, module: ModuleType) -> None:
        self.found: list[Finding] = []
        self._path = path
        self._namespace = namespace
        self._module = module
        self._own: dict[str, AsyncFunction] = {}
        self._endless: set[str] = set()
        self._locals: dict[Function, frozenset[str]] = {}

    def look_at(self, tree: ast.Module) -> None:
        """Fill `found`."""
        self._own = {name: node for name, node in _plain_async_functions(tree) if self._is_it(name, node)}
        self._endless = self._find_endless()
        waiting: list[tuple[ast.AST, Scopes, str]] = [(tree, (), "<module>")]
        while waiting:  # no recursion: a long sum in the text is a deep tree
            node, scopes, where = waiting.pop()
            if isinstance(node, Function):
                scopes, where = (*scopes, node), getattr(node, "name", where)
            elif isinstance(node, ast.Expr | ast.Await):
                self._look_at(node, scopes, where)
            # Outside an async function only statements matter, and those are few.
            kind = ast.AST if scopes and isinstance(scopes[-1], AsyncFunction) else HOLDS_STATEMENTS
            waiting += [(child, scopes, where) for child in ast.iter_child_nodes(node) if isinstance(child, kind)]
        self._look_for_more(tree)

    def _look_for_more(self, tree: ast.Module) -> None:
        for function in self._own.values():
            goes_on = functools.partial(self._said_of, (function,))
            for end in loop_ends(function, goes_on, self._receives):
                self._add(end.node, "warning", end.text, "loop-ends", end.where)
        known = {(each.problem.line, each.problem.column) for each in self.found}
        for lost in lost_coroutines(tree, self._namespace, _locals):
            if (lost.call.lineno, lost.call.col_offset) not in known:
                key = f"{lost.where} {ast.unparse(lost.call.func)}"
                self._add(lost.call, lost.severity, lost.text, "not-awaited", key)
        for absent in absent_names(tree, self._namespace, self._module, _locals):
            self._add(absent.node, absent.severity, absent.text, "undefined-name", absent.said)

    def _said_of(self, scopes: Scopes, node: ast.expr | None) -> str | None:
        """Return the name under which `node` calls an own async function; None if it calls none."""
        is_call = isinstance(node, ast.Call) and self._target(node, scopes) is not None
        return ast.unparse(node.func) if isinstance(node, ast.Call) and is_call else None

    def _is_it(self, name: str, node: AsyncFunction) -> bool:
        value = self._namespace.get(name)
        return (
            isinstance(value, FunctionType)
            and value.__globals__ is self._namespace
            and value.__code__.co_firstlineno == node.lineno
        )

    def _target(self, node: ast.AST | None, scopes: Scopes) -> str | None:
        """Return the name of the own async function that `node` calls; None if it calls none, or if in doubt."""
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in self._own:
                return None if self._is_local(name, scopes) else name
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name)) if name in self._own:
                is_module = self._namespace.get(module) is self._module and not self._is_local(module, scopes)
                return name if is_module else None
        return None

    def _is_local(self, name: str, scopes: Scopes) -> bool:
        for scope in scopes:
            if scope not in self._locals:
                self._locals[scope] = _locals(scope)
            if name in self._locals[scope]:
                return True
        return False

    def _look_at(self, node: ast.AST, scopes: Scopes, where: str) -> None:
        match node:
            case ast.Expr(value=ast.Call() as call) if (name := self._target(call, scopes)) is not None:
                said = ast.unparse(call.func)
                text = f"{said}(...) makes a coroutine that nothing runs; write `return {said}(...)` or `await`"
                self._add(call, "error", text, "not-awaited", f"{where} {name}")
            case ast.Await(value=ast.Call() as call) if (name := self._target(call, scopes)) in self._endless:
                said = ast.unparse(call.func)
                stays = f"`await {said}(...)` keeps {where}, in this version, below it as long as it runs"
                text = f"{stays}; write `return {said}(...)` to go on as that"
                self._add(node, "warning", text, "awaited-loop", f"{where} {name}")

    def _add(self, node: ast.expr | ast.pattern, severity: Severity, text: str, code: str, key: str) -> None:
        self.found.append(Finding(f"{code} {key}", _problem(self._path, node, severity, text, code)))

    def _find_endless(self) -> set[str]:
        """Return the own functions that go on as another call, or without end: a caller that awaits one never goes on.

        These are the ones that return an un-awaited call of an own function; that receive in a `while`; that
        receive and come back to themselves by await.
        """
        endless: set[str] = set()
        awaits: dict[str, set[str]] = {}
        for name, function in self._own.items():
            nodes = list(_inside(function))
            awaited = [node.value for node in nodes if isinstance(node, ast.Await)]
            awaits[name] = {target for call in awaited if (target := self._target(call, (function,)))}
            returns = (node.value for node in nodes if isinstance(node, ast.Return))
            if any(self._target(value, (function,)) for value in returns):
                endless.add(name)
            loops = (node for node in nodes if isinstance(node, ast.While))
            if any(self._receives(node) for loop in loops for node in _inside(loop)):
                endless.add(name)
        for name, function in self._own.items():
            if name in _closure(awaits, name) and any(map(self._receives, _inside(function))):
                endless.add(name)
        return endless

    def _receives(self, node: ast.AST) -> bool:
        match node:
            case ast.Await(value=ast.Call(func=ast.Name(id=name))):
                return self._namespace.get(name) is receive
            case ast.Await(value=ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr="receive"))):
                return getattr(self._namespace.get(module), "receive", None) is receive
        return False


def _plain_async_functions(tree: ast.Module) -> Iterator[tuple[str, AsyncFunction]]:
    for statement in tree.body:
        if isinstance(statement, AsyncFunction) and not statement.decorator_list:
            yield statement.name, statement


def _closure(edges: dict[str, set[str]], start: str) -> set[str]:
    """Return the names that can be reached from `start` in one step or more."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = edges.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes in `node`, without the functions and classes that are defined in it."""
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        child = waiting.pop()
        yield child
        if not isinstance(child, (Function, ast.ClassDef)):
            waiting += ast.iter_child_nodes(child)


def _locals(function: Function) -> frozenset[str]:
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
    for node in _inside(function):
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
