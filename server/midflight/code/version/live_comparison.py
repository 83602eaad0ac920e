"""The comparison of a live module with a text: its functions, classes and values with those of the text.

For modules that nobody watched while they were imported. Three answers: it is another text, it is this one, or nobody
can tell. The last is for statements that leave nothing to look at, a call say.
"""

from __future__ import annotations

import ast
import builtins
import functools
import sys
from collections.abc import Iterator
from inspect import CO_ITERABLE_COROUTINE
from types import CodeType, FunctionType, ModuleType
from typing import Any

from midflight.code.source.bindings import codes_in, feature_flags
from midflight.code.source.look import is_class, is_module
from midflight.code.source.program import own_name
from midflight.code.source.same_value import same

__all__ = ["is_same_as_live"]

ABSENT: Any = object()
FUTURE_ANNOTATIONS = "annotations"


class _Unseen(Exception):
    """A live module shows no trace of this."""


def is_same_as_live(tree: ast.Module, code: CodeType, namespace: dict[str, Any]) -> bool | None:
    """Compare a text, as `tree` and `code`, with a module's namespace; None if parts of it leave no trace."""
    expected = frozenset(codes_in(code))
    live = [function for function in _functions(namespace) if function.__code__.co_filename == code.co_filename]
    codes = {_as_compiled(function.__code__) for function in live}
    if not codes <= expected:
        return False
    look = _Look(namespace, tree, codes)  # one for all: it walks the whole tree
    answers = [look.at(each) for each in tree.body]
    if False in answers:
        return False
    return None if None in answers else True


def _as_compiled(code: CodeType) -> CodeType:
    """Return a function's code as the compiler made it: `types.coroutine` gives a generator function another flag."""
    if code.co_flags & CO_ITERABLE_COROUTINE:
        return code.replace(co_flags=code.co_flags & ~CO_ITERABLE_COROUTINE)
    return code


def _functions(namespace: dict[str, Any]) -> Iterator[FunctionType]:
    """Yield the module's own functions that can be found from its names, those of its classes and decorators too."""
    name = own_name(namespace)
    waiting: list[Any] = list(namespace.values())
    known: set[int] = set()
    for value in waiting:  # grows as it goes
        if id(value) in known:
            continue
        known.add(id(value))
        kind = type(value)
        if kind is FunctionType:
            if value.__globals__ is namespace:
                yield value
            waiting += _in_cells(value)
            waiting += list(vars(value).values())
        elif issubclass(kind, type):
            if type.__getattribute__(value, "__dict__").get("__module__") == name:
                waiting += list(type.__getattribute__(value, "__dict__").values())
        elif kind in (staticmethod, classmethod):
            waiting.append(value.__func__)
        elif kind is property:
            waiting += [value.fget, value.fset, value.fdel]
        elif kind in (functools.partial, functools.partialmethod, functools.cached_property):
            waiting.append(value.func)
        elif kind is functools._lru_cache_wrapper:
            waiting.append(value.__wrapped__)


def _in_cells(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            if type(cell.cell_contents) is FunctionType:
                yield cell.cell_contents
        except ValueError:  # it is empty
            continue


class _Look:
    """One text next to one namespace. `at` answers for a statement: True, False, None as `is_same_as_live` does."""

    def __init__(self, namespace: dict[str, Any], tree: ast.Module, seen: set[CodeType]) -> None:
        self._names = namespace
        self._seen = {(code.co_qualname, code.co_firstlineno) for code in seen}
        self._in_strings = bool(feature_flags(tree) & _flag(FUTURE_ANNOTATIONS))
        self._doc = tree.body[0] if tree.body and ast.get_docstring(tree) is not None else None
        self._times: dict[str, int] = {}
        self._rebound: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self._times[node.id] = self._times.get(node.id, 0) + 1
            elif isinstance(node, ast.Global):
                self._rebound.update(node.names)

    def at(self, statement: ast.stmt) -> bool | None:
        """Say whether the module shows this statement as it stands; None if it leaves no trace."""
        try:
            return self._top(statement)
        except (_Unseen, RecursionError):
            return None

    def _top(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.Pass():
                return True
            case ast.Expr(value=ast.Constant(value=value)):
                return statement is not self._doc or self._names.get("__doc__") == value
            case ast.Import(names=names):
                return all(self._is_imported(alias) for alias in names)
            case ast.ImportFrom(module="__future__"):
                return True  # a flag of the code of each function
            case ast.ImportFrom():
                return all(self._is_imported_from(statement, alias) for alias in statement.names)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return self._function(statement, self._names.get(statement.name, ABSENT), "")
            case ast.ClassDef():
                return self._class(statement, self._names.get(statement.name, ABSENT), "")
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                return self._constant(name, value)
        raise _Unseen

    def _constant(self, name: str, value: ast.expr) -> bool:
        if self._times.get(name) != 1 or name in self._rebound:
            raise _Unseen
        expected = self._value(value)
        live = self._names.get(name, ABSENT)
        if type(live) is not type(expected) or not same(expected, expected):
            raise _Unseen  # set by somebody since, it may be
        return _found(same(live, expected), value)

    # --- Imports ---------------------------------------------------------------------------------------------------

    def _is_imported(self, alias: ast.alias) -> bool:
        name = alias.asname or alias.name.partition(".")[0]
        expected = sys.modules.get(alias.name if alias.asname else name)
        if name not in self._names or expected is None:
            raise _Unseen
        return self._names[name] is expected

    def _is_imported_from(self, statement: ast.ImportFrom, alias: ast.alias) -> bool:
        origin = statement.module or ""
        if statement.level:
            parts = str(self._names.get("__package__") or "").split(".")
            origin = ".".join(filter(None, [*parts[: len(parts) - statement.level + 1], origin]))
        module = sys.modules.get(origin)
        if alias.name == "*" or not is_module(module):
            raise _Unseen
        found = ModuleType.__getattribute__(module, "__dict__").get(alias.name, ABSENT)
        live = self._names.get(alias.asname or alias.name, ABSENT)
        if found is ABSENT or live is ABSENT or found is not live:
            raise _Unseen  # bound again in one of the two, it may be
        return True

    # --- Definitions -----------------------------------------------------------------------------------------------

    def _function(self, statement: ast.FunctionDef | ast.AsyncFunctionDef, value: Any, prefix: str) -> bool:
        if statement.decorator_list or type(value) is not FunctionType or value.__globals__ is not self._names:
            raise _Unseen
        if (f"{prefix}{statement.name}", statement.lineno) not in self._seen:
            raise _Unseen
        arguments = statement.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = tuple(self._value(each) for each in arguments.defaults)
        keywords = {
            argument.arg: self._value(default)
            for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if default is not None
        }
        every = [*positional, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        annotated = {each.arg: each.annotation for each in every if each is not None and each.annotation is not None}
        if statement.returns is not None:
            annotated["return"] = statement.returns
        if sys.version_info >= (3, 12) and statement.type_params:
            raise _Unseen
        is_same = same(value.__defaults__ or (), defaults) and _same_values(value.__kwdefaults__ or {}, keywords)
        given = (*arguments.defaults, *filter(None, arguments.kw_defaults))
        return _found(is_same, *given) and self._same_annotations(value, annotated)

    def _same_annotations(self, value: Any, annotated: dict[str, ast.expr]) -> bool:
        if sys.version_info >= (3, 14):
            return True  # code of its own, which is compared with the rest
        live = vars(value).get("__annotations__", {}) if is_class(value) else value.__annotations__
        if self._in_strings:
            return bool(live == {name: ast.unparse(each) for name, each in annotated.items()})
        expected = {name: self._value(each) for name, each in annotated.items()}
        return _found(_same_values(live, expected), *annotated.values())

    def _class(self, statement: ast.ClassDef, value: Any, prefix: str) -> bool:
        if statement.decorator_list or statement.keywords or not is_class(value):
            raise _Unseen
        if sys.version_info >= (3, 12) and statement.type_params:
            raise _Unseen
        bases = tuple(self._value(each) for each in statement.bases) or (object,)
        if type(value) is not type or value.__module__ != own_name(self._names):
            raise _Unseen  # a metaclass does what it wants
        inside, annotated = vars(value), {}
        if not all(is_class(each) for each in bases):
            raise _Unseen  # one that stands for others, as NamedTuple does
        if not _found(same(value.__bases__, bases), *statement.bases):
            return False
        for index, inner in enumerate(statement.body):
            match inner:
                case ast.Pass():
                    continue
                case ast.Expr(value=ast.Constant(value=text)):
                    if index == 0 and isinstance(text, str) and inside.get("__doc__") != text:
                        raise _Unseen
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    if not self._function(inner, inside.get(name, ABSENT), f"{prefix}{statement.name}."):
                        return False
                case ast.ClassDef(name=name):
                    if not self._class(inner, inside.get(name, ABSENT), f"{prefix}{statement.name}."):
                        return False
                case ast.AnnAssign(target=ast.Name(id=name), annotation=kind, value=None):
                    annotated[name] = kind
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=given)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as given)
                ):
                    if isinstance(inner, ast.AnnAssign):
                        annotated[name] = inner.annotation
                    if not same(inside.get(name, ABSENT), self._value(given)):
                        raise _Unseen  # set by somebody since, it may be
                case _:
                    raise _Unseen
        return self._same_annotations(value, annotated)

    # --- Expressions -----------------------------------------------------------------------------------------------

    def _value(self, node: ast.expr) -> Any:
        """Return the value of an expression that runs no code of anybody. Raises: _Unseen for any other."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                found = self._names.get(name, vars(builtins).get(name, ABSENT))
            case ast.Attribute(value=inner, attr=attribute):
                holder = self._value(inner)
                if not is_module(holder):
                    raise _Unseen
                found = ModuleType.__getattribute__(holder, "__dict__").get(attribute, ABSENT)
            case ast.Tuple(elts=elements):
                return tuple(self._value(each) for each in elements)
            case ast.UnaryOp() | ast.BinOp(left=ast.Constant(), right=ast.Constant()):
                found = _literal(node)
            case ast.Subscript(value=inner, slice=index) if type(kind := self._value(inner)) is type:
                if kind.__module__ != "builtins":
                    raise _Unseen
                found = kind.__class_getitem__(self._value(index)) if hasattr(kind, "__class_getitem__") else ABSENT
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                one, other = self._value(left), self._value(right)
                if type(one) is not type or not (other is None or type(other) is type):
                    raise _Unseen
                found = one | other
            case _:
                raise _Unseen
        if found is ABSENT:
            raise _Unseen
        return found


def _found(is_same: bool, *expressions: ast.expr) -> bool:
    """Return `is_same`. Raises: _Unseen if it is False and a name of another module was read, which may be rebound."""
    if not is_same and any(isinstance(node, ast.Attribute) for each in expressions for node in ast.walk(each)):
        raise _Unseen
    return is_same


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError):
        return ABSENT


def _same_values(live: dict[str, Any], expected: dict[str, Any]) -> bool:
    return live.keys() == expected.keys() and all(same(live[name], value) for name, value in expected.items())


def _flag(feature: str) -> int:
    statement = ast.ImportFrom("__future__", [ast.alias(feature)], 0)
    return feature_flags(ast.Module([statement], []))
