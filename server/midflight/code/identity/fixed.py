"""Fixed classes: a library knows each of them by its name and takes it once, as SQLAlchemy does with a model.

Their statement cannot run a second time, so the class stays the same object also if its methods differ, or read other
functions of the module. A method with the same parameters gets its new code in place; one that is new, or has other
parameters, is made aside and put into the class; one that is gone is taken out. All else that the statement does at
once must be the same: bases, assignments, decorators of the library.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from inspect import CO_OPTIMIZED
from types import CellType, CodeType, FunctionType
from typing import Any

from midflight.code.source.bindings import codes_in
from midflight.code.version.facade import Namespace

__all__ = ["IsFixed", "NewMethods", "differ_in_methods_only", "pairs_of_codes", "what_runs"]

IsFixed = Callable[[type], bool]

Function = ast.FunctionDef | ast.AsyncFunctionDef

DECORATORS = frozenset({"property", "staticmethod", "classmethod"})  # those of a method that can be made aside


def what_runs(statement: ast.ClassDef) -> ast.ClassDef:
    """Return what of a class statement must be the same: all but its methods, and the bodies of other functions."""
    found = _without_bodies(_without(statement, _plain(statement)))
    assert isinstance(found, ast.ClassDef)
    found.body = found.body or [ast.copy_location(ast.Pass(), statement)]
    return found


def differ_in_methods_only(old: ast.stmt, new: ast.stmt) -> bool:
    """Say whether two class statements are the same but for methods that can be made aside, and bodies of others."""
    if not isinstance(old, ast.ClassDef) or not isinstance(new, ast.ClassDef):
        return False
    return ast.dump(what_runs(old)) == ast.dump(what_runs(new))


def pairs_of_codes(old: Sequence[CodeType], new: Sequence[CodeType]) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield the old and the new code of each function that both versions of a class have, with those inside it."""
    ones, others = _by_name(old), _by_name(new)
    for name in ones.keys() & others.keys():
        one, other = ones[name], others[name]
        if one.co_freevars != other.co_freevars:
            continue
        yield one, other
        if not one.co_flags & CO_OPTIMIZED:  # a class
            yield from pairs_of_codes(_inside(one), _inside(other))
        elif _names(one) == _names(other):
            yield from zip(codes_in(one), codes_in(other), strict=True)


class NewMethods:
    """The methods of a fixed class that are new or have other parameters, and the names of those that are gone."""

    def __init__(self, cls: type, old: ast.stmt, new: ast.stmt) -> None:
        assert isinstance(old, ast.ClassDef)  # else it is not fixed
        assert isinstance(new, ast.ClassDef)
        ours, theirs = _plain(new), _plain(old)
        self._cls = cls
        self._statement = new
        self._made: dict[str, Any] = {}
        self._gone = [name for name in theirs if name not in ours]
        self._to_make = [each for name, each in ours.items() if not _is_alike(theirs.get(name), each)]

    def make(self, namespace: Namespace, file: str, flags: int) -> None:
        """Make the methods, in the new version's namespace: their defaults and annotations run there, and may raise."""
        if not self._to_make:
            return
        aside = copy.copy(self._statement)
        aside.bases, aside.keywords, aside.decorator_list, aside.body = [], [], [], list(self._to_make)
        if sys.version_info >= (3, 12):
            aside.type_params = []
        exec(compile(ast.Module([aside], []), file, "exec", flags, dont_inherit=True), namespace)
        made = vars(namespace.pop(aside.name))
        self._made = {each.name: made[each.name] for each in self._to_make}
        for value in self._made.values():
            for cell in _class_cells(value):
                cell.cell_contents = self._cls

    def apply(self) -> None:
        """Put them into the class. Cannot fail, and may be repeated."""
        for name, value in self._made.items():
            type.__setattr__(self._cls, name, value)
        for name in self._gone:
            if name in vars(self._cls):
                type.__delattr__(self._cls, name)


def _class_cells(value: Any) -> Iterator[CellType]:
    """Yield the cells by which functions know the class that they stand in, for `super()`."""
    parts = (value.fget, value.fset, value.fdel) if isinstance(value, property) else (value,)
    for each in parts:
        function = getattr(each, "__func__", each)
        if isinstance(function, FunctionType):
            for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
                if name == "__class__":
                    yield cell


def _plain(statement: ast.ClassDef) -> dict[str, Function]:
    """Return the methods that stand directly in a class, once each, with decorators of Python's own at most."""
    count = Counter(each.name for each in statement.body if isinstance(each, Function))
    return {
        each.name: each
        for each in statement.body
        if isinstance(each, Function)
        and count[each.name] == 1
        and all(isinstance(one, ast.Name) and one.id in DECORATORS for one in each.decorator_list)
    }


def _without(statement: ast.ClassDef, methods: dict[str, Function]) -> ast.ClassDef:
    found = copy.copy(statement)
    left = set(map(id, methods.values()))
    found.body = [each for each in statement.body if id(each) not in left and not _is_words(each)]
    return found


def _is_words(statement: ast.stmt) -> bool:
    """Say whether a statement does nothing: a docstring, `pass` or `...`."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _is_alike(old: Function | None, new: Function) -> bool:
    """Say whether a method takes its new code in place: it has the same parameters, and `super()` or not."""
    return old is not None and _said(old) == _said(new) and _uses_class(old) == _uses_class(new)


def _said(statement: ast.stmt) -> str:
    return ast.dump(_without_bodies(statement))


def _without_bodies(statement: ast.stmt) -> ast.stmt:
    found = copy.deepcopy(statement)
    waiting: list[ast.stmt] = [found]
    for each in waiting:  # grows as it goes
        if isinstance(each, Function):
            each.body = [ast.copy_location(ast.Pass(), each)]
        else:
            waiting += _statements_in(each)
    return found


def _uses_class(function: Function) -> bool:
    return any(isinstance(each, ast.Name) and each.id in ("super", "__class__") for each in ast.walk(function))


def _by_name(codes: Sequence[CodeType]) -> dict[str, CodeType]:
    """Return those of the codes that have a name of their own."""
    count = Counter(each.co_qualname for each in codes)
    return {each.co_qualname: each for each in codes if count[each.co_qualname] == 1}


def _inside(code: CodeType) -> list[CodeType]:
    return [const for const in code.co_consts if isinstance(const, CodeType)]


def _names(code: CodeType) -> Sequence[tuple[str, tuple[str, ...]]]:
    return [(each.co_qualname, each.co_freevars) for each in codes_in(code)]


def _statements_in(statement: ast.stmt) -> Iterator[ast.stmt]:
    for _, value in ast.iter_fields(statement):
        for each in value if isinstance(value, list) else ():
            if isinstance(each, ast.stmt):
                yield each
            elif isinstance(each, (ast.ExceptHandler, ast.match_case)):
                yield from each.body
