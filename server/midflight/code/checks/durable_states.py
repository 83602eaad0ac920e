"""Durable servers whose text shows that their state cannot be stored, or that a restored one would lack something.

Warnings only: the text says what is assigned, not what is there when the state is stored.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from midflight.code.checks.unstorable import Function, assignments, unstorable
from midflight.code.source.look import carried_module, carried_name, class_names, is_class, mro_of
from midflight.code.version.facade import Namespace

__all__ = ["Lack", "StateFault", "state_faults"]

# What ends with the life of the server: `restored` has to make it again.
MADE_ONCE = frozenset(
    {
        *("send_after", "link", "monitor", "spawn_link", "spawn_monitor", "start_link", "Timeout", "Continue"),
        *("open_connection", "create_connection", "create_task", "start_server", "call_later", "subscribe"),
    }
)


@dataclass(frozen=True, slots=True)
class StateFault:
    """A fault of `cls` at `node`, with a key that stays the same when lines move."""

    cls: type[Any]
    node: ast.AST
    key: str
    text: str


class Lack(StateFault):
    """A call in init, or for it, of something that nothing makes again."""


def state_faults(tree: ast.Module, namespace: Namespace) -> Iterator[StateFault]:
    """Yield the faults of the durable servers that `tree` defines at its top level."""
    definitions = {each.name: each for each in tree.body if isinstance(each, ast.ClassDef)}
    functions = {each.name: each for each in tree.body if isinstance(each, Function)}
    for name, definition in definitions.items():
        cls = namespace.get(name)
        if is_class(cls) and _attribute(cls, "durable") in (True, "sync") and _attribute(cls, "handle_call"):
            methods = _methods_of(definition, cls, definitions)
            yield from _not_stored(cls, methods, namespace)
            yield from _lacking(cls, methods, functions)


def _methods_of(definition: ast.ClassDef, cls: type[Any], definitions: dict[str, ast.ClassDef]) -> dict[str, Function]:
    """Return the methods of a class by name, also those that it has of classes above it in the module."""
    above = [
        definitions[str(carried_name(each))]
        for each in mro_of(cls)[1:]
        if carried_module(each) == carried_module(cls) and carried_name(each) in definitions
    ]
    found: dict[str, Function] = {}
    for each in (definition, *above):
        for statement in each.body:
            if isinstance(statement, Function):
                found.setdefault(statement.name, statement)
    return found


def _not_stored(cls: type[Any], methods: dict[str, Function], namespace: Namespace) -> Iterator[StateFault]:
    """Yield what is assigned to attributes that are stored, and cannot be."""
    kept = _attribute(cls, "durable_attributes")
    if _defines(cls, "__getstate__") or _defines(cls, "__reduce__"):
        return
    for method in methods.values():
        for node, name, value in assignments(method):
            what = unstorable(value, namespace)
            if what is not None and (kept is None or name in kept):
                text = (
                    f"self.{name} of the durable {cls.__name__} is {what}, which cannot be stored: the server "
                    "would not start. Leave it out by durable_attributes, and make it in restored too"
                )
                yield StateFault(cls, node, f"durable {cls.__name__}.{name}", text)


def _lacking(cls: type[Any], methods: dict[str, Function], functions: dict[str, Function]) -> Iterator[StateFault]:
    """Yield what init makes, also by methods and functions of the module, that a server without `restored` lacks."""
    if "init" not in methods or _defines(cls, "restored"):
        return
    seen: list[Function] = []
    to_do = [methods["init"]]
    while to_do:
        function = to_do.pop(0)
        if function in seen:
            continue
        seen.append(function)
        own = function.args.posonlyargs + function.args.args
        for node in ast.walk(function):
            if not isinstance(node, ast.Call):
                continue
            called = ""
            match node.func:
                case ast.Attribute(value=ast.Name(id=name), attr=called) if own and name == own[0].arg:
                    to_do.extend(each for each in (methods.get(called),) if each is not None)
                    continue
                case ast.Name(id=called) if called in functions:
                    to_do.append(functions[called])
                    continue
                case ast.Name(id=called) | ast.Attribute(attr=called):
                    pass
            if called in MADE_ONCE:
                where = "," if len(seen) == 1 else f" in {function.name},"
                text = (
                    f"init of the durable {cls.__name__} calls {called}{where} and the class has no restored: "
                    "a server that goes on from its state lacks what that makes. Define restored"
                )
                yield Lack(cls, node, f"durable {cls.__name__} {called}", text)


def _attribute(cls: type[Any], name: str) -> Any:
    """Return an attribute of a class as it is written there; no descriptor is asked."""
    return next((class_names(each)[name] for each in mro_of(cls) if name in class_names(each)), None)


def _defines(cls: type[Any], name: str) -> bool:
    """Say whether the class, or one that it is made of and that is not Midflight's, has a method of that name."""
    owner = next((each for each in mro_of(cls) if name in class_names(each)), None)
    return owner is not None and owner is not object and not str(carried_module(owner)).startswith("midflight.")
