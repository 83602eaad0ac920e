"""Hooks of a module for its own loads: `@on_load`, `@on_unload`, `once` and `__persist__`."""

from __future__ import annotations

import ast
import copy
import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, TypeVar

from midflight.code.report.load_report import Diagnostic
from midflight.code.source.blocks import with_exchanged
from midflight.code.source.program import own_name
from midflight.code.version.facade import Namespace
from midflight.code.version.version import Version, version_of
from midflight.text import exception_said

__all__ = [
    "LOAD_HOOKS",
    "UNLOAD_HOOKS",
    "begin",
    "discard",
    "give_up",
    "hook_problem",
    "hooks_of",
    "keep",
    "keep_persistent",
    "on_load",
    "on_unload",
    "once",
    "run_unload_hooks",
]

Value = TypeVar("Value")
Hook = TypeVar("Hook", bound=Callable[[], object])

LOAD_HOOKS = "__midflight_on_load__"
UNLOAD_HOOKS = "__midflight_on_unload__"

_locks: dict[str, threading.RLock] = {}  # by module; a factory may ask for another value of its module
_values: dict[tuple[str, str], Any] = {}
_unconfirmed: dict[Version, dict[tuple[str, str], Any]] = {}  # of versions whose load may still fail


def on_load(function: Hook) -> Hook:
    """Call `function()` each time this version of the module becomes current: register things here.

    It runs on the runtime's thread, right after the swap; what it raises is a warning in the load report. It may load
    other modules. In a module that is imported and not loaded it runs at once, so write it last.

    Raises: TypeError for an async function.
    OTP: nearest is -on_load, which runs before the code is current and can refuse it; here the body does that.

    Example:

        code.load("desk", '''
        from midflight.code import on_load
        DOORS = []

        @on_load
        def open_door(): DOORS.append("open")
        ''')
        desk.DOORS  # -> ['open']
    """
    _check(function, "on_load")
    namespace = sys._getframe(1).f_globals
    namespace.setdefault(LOAD_HOOKS, []).append(function)
    version = version_of(namespace)
    if version is None or version not in _unconfirmed:
        function()
    return function


def on_unload(function: Hook) -> Hook:
    """Call `function()` when another version replaces this one, or `delete` removes it: unregister things here.

    It runs on the runtime's thread, before the swap; what it raises is a warning in the load report. Processes may
    still run this version afterwards. It must not load.

    Raises: TypeError for an async function.
    OTP: nothing like it.

    Example:

        code.load("desk", '''
        from midflight.code import on_unload
        DOORS = ["open"]

        @on_unload
        def close_doors(): DOORS.clear()
        ''')
        doors = desk.DOORS
        code.load("desk", "DOORS = []")
        doors  # -> []
    """
    _check(function, "on_unload")
    sys._getframe(1).f_globals.setdefault(UNLOAD_HOOKS, []).append(function)
    return function


def _check(function: Callable[[], object], decorator: str) -> None:
    if inspect.iscoroutinefunction(function) or not callable(function):
        raise TypeError(
            f"@{decorator} takes a plain function, not {function!r}; it is not registered. "
            "Spawn a process in it for what must wait"
        )


def hooks_of(namespace: Namespace, kind: str) -> list[Callable[[], object]]:
    """Return the functions that a version registered, in the order of its text; `kind` is "load" or "unload"."""
    return list(namespace.get(LOAD_HOOKS if kind == "load" else UNLOAD_HOOKS, ()))


def run_unload_hooks(path: str, namespace: Namespace) -> Iterator[Diagnostic]:
    """Call the unload hooks of a version, and yield the exceptions that they raised."""
    for hook in hooks_of(namespace, "unload"):
        try:
            hook()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a hook's fault is a warning, whatever it is
            yield hook_problem(path, hook, "unload", error)


def hook_problem(path: str, hook: Callable[[], object], kind: str, error: BaseException) -> Diagnostic:
    """Return the warning that a hook of that kind, "load" or "unload", raised `error`."""
    name = getattr(hook, "__qualname__", repr(hook))
    line = hook.__code__.co_firstlineno if type(hook) is FunctionType else 1
    text = f"@on_{kind} {name} raised {exception_said(error)}"
    return Diagnostic(path, line, 0, line, 0, "warning", text, "hook")


def once(name: str, factory: Callable[[], Value]) -> Value:
    """Return the value that the calling module keeps under `name`, made by `factory()` the first time only.

    `conn = once("conn", connect)`: the next version gets the same connection. A value that was made in the body of
    a version that was not loaded in the end is dropped with it.

    OTP: nothing like it; a module has no state there, a process or a table has.

    Example:

        text = '''
        from midflight.code import once
        DOORS = once("doors", list)
        '''
        code.load("desk", text)
        doors = desk.DOORS
        code.load("desk", text)
        desk.DOORS is doors  # -> True
    """
    namespace = sys._getframe(1).f_globals
    version = version_of(namespace)
    key = (str(own_name(namespace)), name)
    with _locks.setdefault(key[0], threading.RLock()):
        values = _values if version is None else _unconfirmed.get(version, _values)
        for known in (_values, values):
            if key in known:
                found: Value = known[key]
                return found
        made = factory()
        values[key] = made
        return made


def begin(version: Version) -> None:
    """Treat the values that `version` makes in its body as not yet kept."""
    _unconfirmed[version] = {}


def keep(version: Version) -> None:
    """Keep the values that `version` made: it is current now. May be repeated."""
    _values.update(_unconfirmed.get(version, {}))
    _unconfirmed.pop(version, None)


def give_up(version: Version) -> None:
    """Let the next version of the module keep values, though the body of this one, which is not loaded, runs on.

    What that makes stays its own until `discard`.
    """
    _locks.pop(version.name, None)  # its body may be in a factory, and have the lock


def discard(version: Version) -> None:
    """Drop the values that `version` made: it was not loaded."""
    _unconfirmed.pop(version, None)


def keep_persistent(tree: ast.Module, before: Namespace, namespace: Namespace) -> ast.Module:
    """Return `tree` without the assignments of names in `__persist__` that the version `before` has.

    Those get their values in `namespace` beforehand: the statement does not run, so a connection is opened once.
    Later rebinding by the old version is not seen by the new one: keep an object, and change that.
    """
    kept = [name for name in persistent(tree) if name in before]
    if not kept:
        return tree
    namespace.update((name, before[name]) for name in kept)
    return with_exchanged(tree, lambda statement: _without(statement, kept))


def persistent(tree: ast.Module) -> dict[str, int]:
    """Return the names in `__persist__`, each with its line."""
    names = (name for value in _persist(tree) for name in getattr(value, "elts", ()))
    return {name.value: name.lineno for name in names if _is_text(name)}


def persist_problems(tree: ast.Module, path: str, namespace: Namespace) -> Iterator[Diagnostic]:
    """Yield the faults of `__persist__` in a version whose body has run: else state would be lost in silence."""
    for value in _persist(tree):
        if not isinstance(value, ast.List | ast.Tuple) or not all(map(_is_text, value.elts)):
            text = "__persist__ is read from the text before that runs: write a list of strings; the rest keeps nothing"
            yield Diagnostic(path, value.lineno, 0, value.lineno, 0, "warning", text, "persist")
    for name, line in persistent(tree).items():
        if name not in namespace:
            text = f"__persist__ names {name}, which the module does not bind"
            yield Diagnostic(path, line, 0, line, 0, "warning", text, "persist")


def _persist(tree: ast.Module) -> Iterator[ast.expr]:
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__persist__")], value=value):
                yield value
            case ast.AnnAssign(target=ast.Name(id="__persist__"), value=ast.expr() as value):
                yield value
            case ast.AugAssign(target=ast.Name(id="__persist__"), value=value):
                yield value


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _without(statement: ast.stmt, kept: list[str]) -> ast.stmt | None:
    """Return the statement in the place of an assignment to names in `kept` alone; None for other statements."""
    match statement:
        case ast.Assign(targets=targets) if all(_is_of(target, kept) for target in targets):
            return ast.copy_location(ast.Pass(), statement)
        case ast.AnnAssign(target=ast.Name(id=name)) if name in kept:
            bare = copy.copy(statement)
            bare.value = None
            return bare
    return None


def _is_of(target: ast.expr, kept: list[str]) -> bool:
    match target:
        case ast.Name(id=name):
            return name in kept
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            return all(_is_of(each, kept) for each in targets)
    return False
