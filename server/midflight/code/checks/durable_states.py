"""Durable servers whose text shows that their state cannot be stored, or that a restored one would lack something.

Warnings only: the text says what is assigned, not what is there when the state is stored.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from midflight.code.source.look import class_names, is_class, is_module, mro_of
from midflight.code.version.facade import Namespace

__all__ = ["StateFault", "state_faults"]

# What makes a value that no pickle holds, by module and name, however the text calls it.
UNSTORABLE = frozenset(
    {
        *("threading.Lock", "_thread.allocate_lock", "_thread.lock", "threading.RLock", "threading.Condition"),
        *("threading.Event", "threading.Semaphore", "threading.Thread", "threading.Barrier", "queue.Queue"),
        *("io.open", "_io.open", "builtins.open", "socket.socket", "socket.create_connection", "sqlite3.connect"),
        *("_sqlite3.connect", "subprocess.Popen", "socket.create_server"),
    }
)

# What ends with the life of the server: `restored` has to make it again.
MADE_ONCE = frozenset(
    {"send_after", "link", "monitor", "spawn_link", "spawn_monitor", "open_connection", "create_task"}
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


class StateFault(NamedTuple):
    """A fault at `node`, with a key that stays the same when lines move."""

    node: ast.AST
    key: str
    text: str


def state_faults(tree: ast.Module, namespace: Namespace) -> Iterator[StateFault]:
    """Yield the faults of the durable servers that `tree` defines at its top level."""
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef):
            cls = namespace.get(statement.name)
            if is_class(cls) and _attribute(cls, "durable") in (True, "sync") and _attribute(cls, "handle_call"):
                yield from _faults_of(statement, cls, namespace)


def _faults_of(definition: ast.ClassDef, cls: type[Any], namespace: Namespace) -> Iterator[StateFault]:
    methods = [each for each in definition.body if isinstance(each, Function)]
    kept = _attribute(cls, "durable_attributes")
    if not any(each.name == "__getstate__" for each in methods):
        for method in methods:
            for node, name, value in _assignments(method):
                what = _unstorable(value, namespace)
                if what is not None and (kept is None or name in kept):
                    text = (
                        f"self.{name} of the durable {cls.__name__} is {what}, which cannot be stored: the server "
                        "would not start. Leave it out by durable_attributes, and make it in restored too"
                    )
                    yield StateFault(node, f"durable {cls.__name__}.{name}", text)
    init = next((each for each in methods if each.name == "init"), None)
    if init is not None and not _defines(cls, "restored"):
        for node in ast.walk(init):
            if isinstance(node, ast.Call) and (called := _last_name(node.func)) in MADE_ONCE:
                text = (
                    f"init of the durable {cls.__name__} calls {called}, and the class has no restored: a server that "
                    "goes on from its state lacks what that makes. Define restored"
                )
                yield StateFault(node, f"durable {cls.__name__} {called}", text)


def _assignments(method: Function) -> Iterator[tuple[ast.AST, str, ast.expr]]:
    """Yield each assignment to an attribute of the first parameter, with the attribute and the value."""
    own = method.args.posonlyargs + method.args.args
    if not own:
        return
    for node in ast.walk(method):
        targets: Sequence[ast.expr] = ()
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = (node.target,)
        for target in targets:
            match target:
                case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == own[0].arg:
                    yield node, attribute, node.value  # type: ignore[attr-defined]  # one of the two above
                case _:
                    continue


def _unstorable(value: ast.expr, namespace: Namespace) -> str | None:
    """Return what a value is that cannot be stored; None if nothing says so."""
    if isinstance(value, ast.Lambda):
        return "a lambda"
    if isinstance(value, ast.GeneratorExp):
        return "a generator"
    if isinstance(value, ast.Await):
        value = value.value
    if isinstance(value, ast.Call) and _names_of(value.func, namespace) & UNSTORABLE:
        return f"made by {ast.unparse(value.func)}"
    return None


def _names_of(called: ast.expr, namespace: Namespace) -> set[str]:
    """Return the names, with their modules, that the text and the value have for what is called."""
    match called:
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            module = namespace.get(name)
            return {f"{module.__name__}.{attribute}"} if is_module(module) else set()
        case ast.Name(id="open") if "open" not in namespace:
            return {"builtins.open"}
        case ast.Name(id=name) if name in namespace:
            found = namespace[name]
            kind = type(found)
            if is_class(found) or kind.__module__ == "builtins":  # else looking at it could run code of its class
                return {f"{found.__module__}.{found.__name__}"} if hasattr(found, "__name__") else set()
    return set()


def _last_name(called: ast.expr) -> str | None:
    match called:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


def _attribute(cls: type[Any], name: str) -> Any:
    """Return an attribute of a class as it is written there; no descriptor is asked."""
    return next((class_names(each)[name] for each in mro_of(cls) if name in class_names(each)), None)


def _defines(cls: type[Any], name: str) -> bool:
    """Say whether the class, or one that it is made of and that is not Midflight's, has a method of that name."""
    owner = next((each for each in mro_of(cls) if name in class_names(each)), None)
    return owner is not None and not str(owner.__module__).startswith("midflight.")
