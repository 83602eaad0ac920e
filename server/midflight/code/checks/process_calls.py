"""Calls of the module's own process functions that have another effect than they seem to."""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import NamedTuple

from midflight.code.checks.finding import Finding, problem_at
from midflight.code.checks.local_names import Function, Scopes, inside, local_names
from midflight.code.checks.lost_coroutines import lost_coroutines
from midflight.code.checks.unhandled_messages import loop_ends
from midflight.code.report.load_report import Severity
from midflight.code.source.look import is_module, module_value
from midflight.code.version.facade import Namespace
from midflight.kernel import receive

__all__ = ["Flow", "OwnFunctions", "endless_of", "faults_of_calls"]

AsyncFunction = ast.AsyncFunctionDef
HOLDS_STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)


class Flow(NamedTuple):
    """The facts by which a function ever comes back or not: the own functions that it awaits, whether it goes on as
    another call or receives in a loop, whether it receives at all."""

    awaits: frozenset[str]
    goes_on: bool
    receives: bool


class OwnFunctions:
    """The module's own process functions: `by_name`, with the meaning of a call of each.

    Only plain ones at the top level count, defined once, undecorated, and still what their name stands for after the
    body has run; only calls by a global name, bare or through the module. So each finding is certain.
    """

    def __init__(self, tree: ast.Module, namespace: Namespace, module: ModuleType) -> None:
        self._namespace = namespace
        self._module = module
        self._locals: dict[Function, frozenset[str]] = {}
        self.by_name = {name: node for name, node in _plain_async_functions(tree) if self._is_it(name, node)}

    def _is_it(self, name: str, node: AsyncFunction) -> bool:
        value = self._namespace.get(name)
        return (
            type(value) is FunctionType
            and value.__globals__ is self._namespace
            and value.__code__.co_firstlineno == node.lineno
        )

    def target(self, node: ast.AST | None, scopes: Scopes) -> str | None:
        """Return the name of the own async function that `node` calls; None if it calls none, or if in doubt."""
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in self.by_name:
                return None if self._is_local(name, scopes) else name
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name)) if name in self.by_name:
                is_module = self._namespace.get(module) is self._module and not self._is_local(module, scopes)
                return name if is_module else None
        return None

    def _is_local(self, name: str, scopes: Scopes) -> bool:
        for scope in scopes:
            if scope not in self._locals:
                self._locals[scope] = local_names(scope)
            if name in self._locals[scope]:
                return True
        return False

    def receives(self, node: ast.AST) -> bool:
        """Say whether `node` is `await receive(...)`."""
        match node:
            case ast.Await(value=ast.Call(func=ast.Name(id=name))):
                return self._namespace.get(name) is receive
            case ast.Await(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="receive"))):
                module = self._namespace.get(name)
                return is_module(module) and module_value(module, "receive") is receive
        return False

    def flow_of(self, function: AsyncFunction) -> Flow:
        """Return the flow of `function`, one of them, which decides whether it ever comes back."""
        nodes = list(inside(function))
        awaited = [node.value for node in nodes if isinstance(node, ast.Await)]
        returned = (node.value for node in nodes if isinstance(node, ast.Return))
        loops = (node for node in nodes if isinstance(node, ast.While))
        return Flow(
            awaits=frozenset(target for call in awaited if (target := self.target(call, (function,)))),
            goes_on=any(self.target(value, (function,)) for value in returned)
            or any(self.receives(node) for loop in loops for node in inside(loop)),
            receives=any(map(self.receives, nodes)),
        )


def endless_of(flows: Mapping[str, Flow]) -> frozenset[str]:
    """Return the own functions that go on as another call, or without end: a caller that awaits one never goes on.

    These are the ones that return an un-awaited call of an own function; that receive in a `while`; that receive and
    come back to themselves by await.
    """
    awaits = {name: flow.awaits for name, flow in flows.items()}
    return frozenset(
        name for name, flow in flows.items() if flow.goes_on or (flow.receives and name in _closure(awaits, name))
    )


def faults_of_calls(
    tree: ast.Module, path: str, namespace: Namespace, own: OwnFunctions, endless: Collection[str]
) -> list[Finding]:
    """Return the faults of calls in a text or in a part of it. `own` and `endless` are those of the whole module."""
    search = _Search(path, own, endless)
    search.look_at(tree)
    known = {(each.problem.line, each.problem.column) for each in search.found}
    for lost in lost_coroutines(tree, namespace, local_names):
        if (lost.call.lineno, lost.call.col_offset) not in known:
            search.add(
                lost.call, lost.severity, lost.text, "not-awaited", f"{lost.where} {ast.unparse(lost.call.func)}"
            )
    return search.found


class _Search:
    def __init__(self, path: str, own: OwnFunctions, endless: Collection[str]) -> None:
        self.found: list[Finding] = []
        self._path = path
        self._own = own
        self._endless = endless

    def look_at(self, tree: ast.Module) -> None:
        """Fill `found`."""
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
        for name, function in _plain_async_functions(tree):
            if self._own.by_name.get(name) is function:
                goes_on = functools.partial(self._said_of, (function,))
                for end in loop_ends(function, goes_on, self._own.receives):
                    self.add(end.node, "warning", end.text, "loop-ends", end.where)

    def _said_of(self, scopes: Scopes, node: ast.expr | None) -> str | None:
        """Return the name under which `node` calls an own async function; None if it calls none."""
        is_call = isinstance(node, ast.Call) and self._own.target(node, scopes) is not None
        return ast.unparse(node.func) if isinstance(node, ast.Call) and is_call else None

    def _look_at(self, node: ast.AST, scopes: Scopes, where: str) -> None:
        match node:
            case ast.Expr(value=ast.Call() as call) if (name := self._own.target(call, scopes)) is not None:
                said = ast.unparse(call.func)
                text = f"{said}(...) makes a coroutine that nothing runs; write `return {said}(...)` or `await`"
                self.add(call, "error", text, "not-awaited", f"{where} {name}")
            case ast.Await(value=ast.Call() as call) if (name := self._own.target(call, scopes)) in self._endless:
                said = ast.unparse(call.func)
                stays = f"`await {said}(...)` keeps {where}, in this version, below it as long as it runs"
                text = f"{stays}; write `return {said}(...)` to go on as that"
                self.add(node, "warning", text, "awaited-loop", f"{where} {name}")

    def add(self, node: ast.expr | ast.pattern, severity: Severity, text: str, code: str, key: str) -> None:
        """Note a fault at a node. `key` is the same when lines move."""
        self.found.append(Finding(f"{code} {key}", problem_at(self._path, node, severity, text, code)))


def _plain_async_functions(tree: ast.Module) -> Iterator[tuple[str, AsyncFunction]]:
    for statement in tree.body:
        if isinstance(statement, AsyncFunction) and not statement.decorator_list:
            yield statement.name, statement


def _closure(edges: Mapping[str, frozenset[str]], start: str) -> set[str]:
    """Return the names that can be reached from `start` in one step or more."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = edges.get(waiting.pop(), frozenset()) - found
        found |= new
        waiting += new
    return found
