"""Scopes: tables in which a name is looked up, and its meaning at a place of a source file whose module runs.

Law: no user code runs; an expression is followed as far as its parts lie there to be seen. See safe_look.py.
"""

from __future__ import annotations

import ast
import builtins
import functools
import keyword
import os
import sys
from collections.abc import Iterable
from types import FunctionType, ModuleType
from typing import Any, Protocol

from midflight import code
from midflight.introspect.loaded import find_module, module_names
from midflight.introspect.safe_look import (
    Found,
    Instance,
    annotated,
    find_member,
    is_a,
    item_of,
    own_names,
    returned,
    unwrapped,
)
from midflight.parsing import expression_or_none

__all__ = ["ModuleScope", "Scope", "module_of_file", "owner_in", "resolve", "resolve_node"]

_LITERALS: dict[type[ast.expr], type] = {
    ast.List: list, ast.ListComp: list, ast.Dict: dict, ast.DictComp: dict, ast.Set: set, ast.SetComp: set,
    ast.Tuple: tuple, ast.JoinedStr: str,
}  # fmt: skip


class Scope(Protocol):
    """A place of the code, as the names that can be used there."""

    def find(self, name: str) -> Found | None:
        """Return the object that `name` means here; None if that is not known."""

    def names(self) -> Iterable[str]:
        """Return all names that mean something here, keywords included."""

    def origin(self, name: str) -> str | None:
        """Return the module that binds `name` here; None if no module does."""

    def job(self, number: int) -> Found | None:
        """Return the value of a job of the shell; None if there is none."""

    def globals(self) -> dict[str, Any]:
        """Return the namespace in which an expression of this place would be evaluated."""


class ModuleScope:
    """A place in a module: in the definition `inside`, a dotted name, or at the top for an empty one.

    Its names are those of the module's current version, none for a module that is not there, and the loaded modules:
    what is being written may not have been loaded yet.
    """

    def __init__(self, module: str | None, inside: str = "") -> None:
        self.module = module
        self._names = own_names(sys.modules[module]) if module in sys.modules else {}
        self._function, self._class = self._around(inside)

    def _around(self, inside: str) -> tuple[FunctionType | None, type | None]:
        """Return the function and the class that `inside` names, as they run now."""
        owner: Any = None
        cls: type | None = None
        for part in inside.split("."):
            found = Found(self._names.get(part)) if owner is None else find_member(owner, part)
            if found is None or found.value is None:
                return None, cls
            owner = found.value
            if is_a(owner, type):
                cls = owner
            else:
                break
        function = unwrapped(owner)
        return (function if type(function) is FunctionType else None), cls

    def find(self, name: str) -> Found | None:
        """Return the object that `name` means here; None if that is not known.

        Of the local names only two kinds are known: annotated parameters, and the object that a method belongs to.
        """
        if self._function is not None:
            code_ = self._function.__code__
            if self._class is not None and code_.co_argcount and name == code_.co_varnames[0]:
                is_class = type(own_names(self._class).get(self._function.__name__)) is classmethod
                return Found(self._class if is_class else Instance(self._class))
            if name in code_.co_varnames or name in code_.co_cellvars:
                return self._parameter(name)
        if name in self._names:
            return Found(self._names[name])
        try:
            return Found(find_module(name))
        except KeyError:
            return Found(vars(builtins)[name]) if name in vars(builtins) else None

    def _parameter(self, name: str) -> Found | None:
        """Return a stand-in for the value of a parameter, by its annotation."""
        assert self._function is not None
        return annotated(self._function, name)

    def names(self) -> Iterable[str]:
        """Return all names that mean something here, keywords included: local, global, builtin, and loaded modules."""
        locals_ = () if self._function is None else self._function.__code__.co_varnames
        return {*locals_, *self._names, *module_names(), *vars(builtins), *keyword.kwlist}

    def origin(self, name: str) -> str | None:
        """Return the module if it binds `name`, and no local name hides it; else None."""
        if self._function is not None and name in self._function.__code__.co_varnames:
            return None
        return self.module if name in self._names else None

    def job(self, number: int) -> Found | None:  # noqa: ARG002  # the protocol has it
        """Return None: a file has no jobs."""
        return None

    def globals(self) -> dict[str, Any]:
        """Return a copy of the module's namespace, in which an expression of this place would be evaluated."""
        return dict(self._names)


def module_of_file(path: str) -> str | None:
    """Return the name of the module that was loaded from `path`, else of one that was imported from it."""
    path = os.path.realpath(path)
    for name in module_names():
        if os.path.realpath(code.is_loaded(name) or "") == path:
            return name
    for name, module in list(sys.modules.items()):
        if is_a(module, ModuleType) and own_names(module).get("__file__") == path:
            return name
    return None


def resolve(scope: Scope, text: str) -> Found | None:
    """Return the object that the expression `text` means, without evaluating it; None if it would have to be."""
    node = expression_or_none(text.strip())
    return None if node is None else resolve_node(scope, node)


def resolve_node(scope: Scope, node: ast.expr) -> Found | None:
    """Return the object that `node` means, without evaluating it; None if it would have to be. A chain may be long."""
    links: list[ast.Attribute | ast.Subscript | ast.Call] = []
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call) and not _is_job(node):
        links.append(node)
        node = node.func if isinstance(node, ast.Call) else node.value
    found = _beginning(scope, node)
    while found is not None and links:
        match links.pop():
            case ast.Attribute(attr=name):
                found = find_member(owner_in(found), name)
            case ast.Subscript(slice=key):
                index = _literal(key)
                found = None if index is None else item_of(found.value, index.value)
            case ast.Call():
                found = returned(found.value)
    return found


def _is_job(node: ast.expr) -> bool:
    """Say whether a call is v(N), the value of an earlier input."""
    match node:
        case ast.Call(func=ast.Name(id="v"), args=args, keywords=[]):
            return len(args) <= 1
    return False


def _beginning(scope: Scope, node: ast.expr) -> Found | None:
    """Return the object at the beginning of a chain."""
    match node:
        case ast.Name(id=name):
            return scope.find(name)
        case ast.Constant(value=value):
            return Found(value)
        case ast.Call(args=args):
            number = _literal(args[0]) if args else Found(-1)
            return None if number is None or type(number.value) is not int else scope.job(number.value)
    literal = _LITERALS.get(type(node))
    return None if literal is None else Found(Instance(literal))


def owner_in(found: Found) -> object:
    """Return the owner of the attributes of `found`: itself, or a stand-in for the value of a property.

    An object without any is returned for a property that does not say.
    """
    if found.is_bound and type(found.value) in (property, functools.cached_property):
        result = returned(found.value)
        return Instance(object) if result is None else result.value
    return found.value


def _literal(node: ast.expr) -> Found | None:
    try:
        return Found(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
