"""The values that a method assigns to attributes of its object, and which of them no pickle holds.

The text alone is looked at: a value is what it is made by, where it is assigned or in the same method before.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from types import FunctionType
from typing import Any

from midflight.code.source.look import is_class, is_module, module_names
from midflight.code.version.facade import Namespace

__all__ = ["Function", "assignments", "names_of", "unstorable"]

# What makes a value that no pickle holds, by module and name, however the text calls it.
MAKERS = frozenset(
    {
        *("threading.Lock", "_thread.allocate_lock", "_thread.lock", "threading.RLock", "threading.Condition"),
        *("_thread.RLock", "threading.Event", "threading.Semaphore", "threading.BoundedSemaphore", "threading.Thread"),
        *("threading.Barrier", "threading.Timer", "threading.local", "_thread._local", "_thread.local"),
        *("queue.Queue", "queue.LifoQueue", "queue.PriorityQueue", "queue.SimpleQueue", "_queue.SimpleQueue"),
        *("io.open", "_io.open", "builtins.open", "os.fdopen", "gzip.open", "bz2.open", "lzma.open", "tarfile.open"),
        *("tempfile.TemporaryFile", "tempfile.NamedTemporaryFile", "zipfile.ZipFile", "mmap.mmap"),
        *("socket.socket", "socket.create_connection", "socket.create_server", "socket.socketpair"),
        *("sqlite3.connect", "_sqlite3.connect", "sqlite3.Connection", "subprocess.Popen"),
        *("asyncio.open_connection", "asyncio.open_unix_connection", "asyncio.start_server", "asyncio.create_task"),
        *("asyncio.streams.open_connection", "asyncio.streams.start_server", "asyncio.tasks.create_task"),
        *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "asyncio.get_running_loop"),
        *("asyncio.ensure_future", "_asyncio.get_running_loop", "selectors.DefaultSelector", "weakref.ref"),
        *("concurrent.futures.ThreadPoolExecutor", "concurrent.futures.thread.ThreadPoolExecutor"),
        *("concurrent.futures.ProcessPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor"),
    }
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def assignments(method: Function) -> Iterator[tuple[ast.AST, str, ast.expr]]:
    """Yield each assignment to an attribute of the first parameter: where it is, the attribute and the value.

    A value that a name of the method was given before is that value.
    """
    own = method.args.posonlyargs + method.args.args
    if not own:
        return
    given: dict[str, ast.expr] = {}
    for node in _in_order(method):
        for target, value in _pairs(node):
            value = given.get(value.id, value) if isinstance(value, ast.Name) else value
            match target:
                case ast.Name(id=name):
                    given[name] = value
                case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == own[0].arg:
                    yield node, attribute, value
                case ast.Subscript(
                    value=ast.Attribute(value=ast.Name(id=name), attr="__dict__"), slice=ast.Constant(value=str(key))
                ) if name == own[0].arg:
                    yield node, key, value
        match node:
            case ast.Call(
                func=ast.Name(id="setattr") | ast.Attribute(attr="__setattr__"),
                args=[ast.Name(id=name), ast.Constant(value=str(attribute)), value],
            ) if name == own[0].arg:
                yield node, attribute, given.get(value.id, value) if isinstance(value, ast.Name) else value
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if node is not method:
                given[name] = ast.Lambda(args=node.args, body=ast.Constant(value=None))


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what is in it, as written; functions inside are not gone into."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield child
        else:
            yield from _in_order(child)


def _pairs(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield the targets of a statement or expression, each with the value that it gets."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _unpacked(target, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
            yield target, value
        case ast.With(items=items) | ast.AsyncWith(items=items):
            for item in items:
                if item.optional_vars is not None:
                    yield from _unpacked(item.optional_vars, item.context_expr)


def _unpacked(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    match target, value:
        case (ast.Tuple(elts=targets) | ast.List(elts=targets), ast.Tuple(elts=values) | ast.List(elts=values)) if len(
            targets
        ) == len(values):
            for each, one in zip(targets, values, strict=True):
                yield from _unpacked(each, one)
        case (ast.Tuple(elts=targets) | ast.List(elts=targets), _):
            for each in targets:  # all of them come from what made the value: a reader and a writer
                yield each, value
        case _:
            yield target, value


def unstorable(value: ast.expr, namespace: Namespace) -> str | None:
    """Return what a value is, or has in it, that cannot be stored; None if the text does not say so."""
    match value:
        case ast.Lambda(body=ast.Constant(value=None)) if not hasattr(value, "lineno"):
            return "a function made in a method"
        case ast.Lambda():
            return "a lambda"
        case ast.GeneratorExp():
            return "a generator"
        case ast.Await(value=inner) | ast.NamedExpr(value=inner) | ast.Starred(value=inner):
            return unstorable(inner, namespace)
        case ast.IfExp(body=first, orelse=second):
            return unstorable(first, namespace) or unstorable(second, namespace)
        case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return _any(parts, namespace)
        case ast.Dict(values=parts):
            return _any(parts, namespace)
        case ast.ListComp(elt=inner) | ast.SetComp(elt=inner) | ast.DictComp(value=inner):
            return unstorable(inner, namespace)
        case ast.Name(id=name) if is_module(namespace.get(name)):
            return "a module"
        case ast.Call(func=called):
            if names_of(called, namespace) & MAKERS:
                return f"made by {ast.unparse(called)}"
            return _running(called, namespace)
    return None


def _any(parts: list[ast.expr], namespace: Namespace) -> str | None:
    return next(filter(None, (unstorable(each, namespace) for each in parts)), None)


def _running(called: ast.expr, namespace: Namespace) -> str | None:
    """Say what a call of a function of the module gives that runs: a generator."""
    if not isinstance(called, ast.Name):
        return None
    found = namespace.get(called.id)
    if type(found) is FunctionType and found.__code__.co_flags & (CO_GENERATOR | CO_ASYNC_GENERATOR):
        return f"a generator, which {called.id} is"
    return None


def names_of(called: ast.expr, namespace: Namespace) -> set[str]:
    """Return the names, with their modules, that the text and the value have for what is called."""
    match called:
        case ast.Attribute(value=owner, attr=attribute):
            module = _module(owner, namespace)
            return set() if module is None else {f"{module_names(module).get('__name__')}.{attribute}"}
        case ast.Name(id="open") if "open" not in namespace:
            return {"builtins.open"}
        case ast.Name(id=name) if name in namespace:
            found = namespace[name]
            kind = type(found)
            if is_class(found) or kind.__module__ == "builtins":  # else looking at it could run code of its class
                return {f"{found.__module__}.{found.__name__}"} if hasattr(found, "__name__") else set()
    return set()


def _module(owner: ast.expr, namespace: Namespace) -> Any:
    """Return the module that a dotted name is, None if it is not one."""
    match owner:
        case ast.Name(id=name):
            found = namespace.get(name)
        case ast.Attribute(value=inner, attr=attribute):
            outer = _module(inner, namespace)
            found = None if outer is None else module_names(outer).get(attribute)
        case _:
            return None
    return found if is_module(found) else None
