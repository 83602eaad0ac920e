"""Calls that make a coroutine where something else is meant: nothing ever runs it.

A function is known by what its name stands for after the body has run, so each finding is certain, but for methods of
`self`, which a subclass may have otherwise. What is passed on, returned, awaited or kept is not looked at: it may be
meant.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any, NamedTuple

from midflight.code.checks.facts import Words, words_of
from midflight.code.report.load_report import Severity
from midflight.code.source.look import is_class, is_module, module_value
from midflight.code.version.facade import Namespace
from midflight.kernel import in_python

__all__ = ["LostCoroutine", "lost_coroutines", "makes_coroutine", "value_of"]

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Scopes = tuple[ast.AST, ...]  # the functions and classes that a node is in, outermost first

COROUTINE = inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE
OF_A_COROUTINE = frozenset("send throw close cr_await cr_frame cr_running cr_code cr_origin cr_suspended".split())
PACKAGE = __name__.partition(".")[0] + "."


class LostCoroutine(NamedTuple):
    """One such call, the function that it is in, and the words for it."""

    call: ast.Call
    where: str
    severity: Severity
    text: str


def lost_coroutines(
    tree: ast.Module, namespace: Namespace, locals_of: Callable[[Any], frozenset[str]]
) -> Iterator[LostCoroutine]:
    """Yield them, in no order. `locals_of` gives the names that are not globals in a function."""
    found = _Search(namespace, locals_of)
    waiting: list[tuple[ast.AST, Scopes]] = [(tree, ())]
    while waiting:  # no recursion: a long sum in the text is a deep tree
        node, scopes = waiting.pop()
        look = _PLACES.get(type(node))
        if look is not None:
            for value in look(node):
                if type(value) is ast.Call:
                    yield from found.look_at(value, scopes, is_dropped=type(node) is ast.Expr)
        if isinstance(node, Function | ast.ClassDef):
            scopes = (*scopes, node)
            if not isinstance(node, ast.Lambda):
                yield from found.never_awaited(node, scopes)
        # Outside an async function only statements matter, and those are few.
        is_async = bool(scopes) and isinstance(scopes[-1], ast.AsyncFunctionDef)
        children = ast.iter_child_nodes(node)
        waiting += [(child, scopes) for child in children if is_async or isinstance(child, _HOLDS_STATEMENTS)]


_HOLDS_STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)


def _of_attribute(node: ast.Attribute) -> Iterable[ast.expr]:
    return () if node.attr in OF_A_COROUTINE else (node.value,)


# Where a value is used as one that a coroutine cannot be: the parts of a node that are such places.
_PLACES: Mapping[type[ast.AST], Callable[[Any], Iterable[ast.AST | None]]] = {
    ast.Expr: lambda node: (node.value,),
    ast.Match: lambda node: (node.subject,),
    ast.If: lambda node: (node.test,),
    ast.IfExp: lambda node: (node.test,),
    ast.While: lambda node: (node.test,),
    ast.Assert: lambda node: (node.test,),
    ast.For: lambda node: (node.iter,),
    ast.AsyncFor: lambda node: (node.iter,),
    ast.comprehension: lambda node: (node.iter,),
    ast.With: lambda node: (item.context_expr for item in node.items),
    ast.AsyncWith: lambda node: (item.context_expr for item in node.items),
    ast.AugAssign: lambda node: (node.value,),
    ast.Compare: lambda node: (node.left, *node.comparators),
    ast.BinOp: lambda node: (node.left, node.right),
    ast.BoolOp: lambda node: node.values[:-1],
    ast.UnaryOp: lambda node: (node.operand,),
    ast.Subscript: lambda node: (node.value,),
    ast.FormattedValue: lambda node: (node.value,),
    ast.Attribute: _of_attribute,
}


class _Search:
    def __init__(self, namespace: Namespace, locals_of: Callable[[Any], frozenset[str]]) -> None:
        self._namespace = namespace
        self._locals_of = locals_of
        self._locals: dict[ast.AST, frozenset[str]] = {}

    def look_at(self, call: ast.Call, scopes: Scopes, *, is_dropped: bool) -> Iterator[LostCoroutine]:
        """Yield a call that makes a coroutine. `is_dropped`: its value is used for nothing."""
        severity = self._severity(call.func, scopes)
        if severity is None:
            return
        said = ast.unparse(call.func)
        is_own = self._namespace.get(said.partition(".")[0]) is not None and self._is_own(call.func, scopes)
        text = f"{said}(...) makes a coroutine that nothing runs" if is_dropped else f"{said}(...) is a coroutine here"
        is_async = bool(scopes) and isinstance(scopes[-1], ast.AsyncFunctionDef)
        if not is_async:
            remedy = "only an `async def` can await it: make this one, or hand it to somebody who does"
        elif is_dropped and is_own:
            remedy = f"write `return {said}(...)` or `await`"
        else:
            remedy = f"write `await {said}(...)`"
        yield LostCoroutine(call, _name_of(scopes), severity, f"{text}; {remedy}")

    def never_awaited(self, function: ast.AST, scopes: Scopes) -> Iterator[LostCoroutine]:
        """Yield the calls whose coroutine gets a name in `function` and is only used as another value."""
        if not isinstance(function, ast.AsyncFunctionDef):
            return
        made: dict[str, ast.Call] = {}
        for statement in function.body:
            made |= {name: call for name, call in _assigned(statement) if self._severity(call.func, scopes) == "error"}
        if not made:
            return
        places = {id(value) for node in ast.walk(function) for value in _PLACES.get(type(node), _nothing)(node)}
        mistaken: set[str] = set()
        used: set[str] = set()
        for node in ast.walk(function):
            match node:
                case ast.Name(id=name, ctx=ast.Load()) if name in made:
                    (mistaken if id(node) in places else used).add(name)
                case ast.Global(names=names) | ast.Nonlocal(names=names):
                    used.update(names)
        for name, call in made.items():
            if name in mistaken - used:
                said = ast.unparse(call.func)
                text = f"{name} is a coroutine here, which nothing awaits; write `{name} = await {said}(...)`"
                yield LostCoroutine(call, _name_of(scopes), "error", text)

    def _severity(self, function: ast.expr, scopes: Scopes) -> Severity | None:
        """Say how sure it is that a call of `function` makes a coroutine: "error", "warning", or None."""
        match function:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if cls := self._class_of(name, scopes):
                return "warning" if makes_coroutine(inspect.getattr_static(cls, attribute, None)) else None
        return "error" if makes_coroutine(self._value(function, scopes)) else None

    def _is_own(self, function: ast.expr, scopes: Scopes) -> bool:
        value = self._value(function, scopes)
        return type(value) is FunctionType and value.__globals__ is self._namespace

    def _value(self, node: ast.expr, scopes: Scopes) -> Any:
        words = words_of(node)
        return None if words is None or self._is_local(words[0], scopes) else value_of(words, self._namespace)

    def _class_of(self, name: str, scopes: Scopes) -> type[Any] | None:
        """Return the class whose method the innermost scope is, if `name` is that method's first parameter."""
        match scopes:
            case (ast.ClassDef(name=cls), (ast.FunctionDef() | ast.AsyncFunctionDef()) as method):
                first = [*method.args.posonlyargs, *method.args.args][:1]
                value = self._namespace.get(cls)
                is_method = bool(first) and first[0].arg == name and not method.decorator_list
                return value if is_method and is_class(value) else None
        return None

    def _is_local(self, name: str, scopes: Scopes) -> bool:
        for scope in scopes:
            if scope not in self._locals:
                self._locals[scope] = _class_names(scope) if isinstance(scope, ast.ClassDef) else self._locals_of(scope)
            if name in self._locals[scope]:
                return True
        return False


def _class_names(scope: ast.ClassDef) -> frozenset[str]:
    """Return the names that a class body binds: they hide global ones in that body, and in doubt everywhere."""
    names = set()
    for statement in scope.body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names.update(each.id for each in targets if isinstance(each, ast.Name))
    return frozenset(names)


def value_of(words: Words, namespace: Namespace) -> Any:
    """Return the object that a dotted name of globals means, as far as modules and classes tell; None if in doubt."""
    value = namespace.get(words[0])
    for word in words[1:]:
        if is_module(value):
            value = module_value(value, word)
        elif is_class(value):
            value = inspect.getattr_static(value, word, None)
        else:
            return None
    return value


def makes_coroutine(value: Any) -> bool:
    """Say whether a call of `value` makes a coroutine."""
    if type(value) is staticmethod or type(value) is classmethod:
        value = value.__func__
    value = in_python(value)  # `receive`
    if type(value) is not FunctionType:
        return False
    if value.__code__.co_flags & COROUTINE:
        return True
    is_ours = str(value.__module__).startswith(PACKAGE)
    return is_ours and value.__annotations__.get("return") == "Starting"  # GenServer.start


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.Call]]:
    """Yield the assignments of a call to one name in `statement`, inner functions and classes left out."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                yield name, call
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as call):
                yield name, call
        if not isinstance(node, Function | ast.ClassDef):
            waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, _HOLDS_STATEMENTS)]


def _nothing(_: ast.AST) -> Iterable[ast.AST | None]:
    return ()


def _name_of(scopes: Scopes) -> str:
    names = [scope.name for scope in scopes if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    return ".".join(names) or "<module>"
