"""`Others`: copies of the containers that bodies of a load may register with, as they were before the bodies ran.

Those are of the project's own modules that a body imports from: their variables, the attributes of their classes and of
objects of those, the variables that their functions enclose, and the registries of imported `singledispatch` functions.
What libraries keep is not looked at: its parts belong together in ways that only the library knows.

Copies are as deep as LEVELS, and of few items: a load must not cost what a program holds.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from midflight.code.held.on_change import Undo, remembered
from midflight.code.source.find_module import is_own_file
from midflight.code.source.look import carried_module, class_names, is_class, is_module, module_names, mro_of
from midflight.code.source.unit import Unit

__all__ = ["Others", "Seen"]

LEVELS = 3  # containers in one another: an object, a dictionary in it, lists in that
MOST = 10_000  # items of a container, and of all of a load
DICTIONARIES = frozenset({dict, OrderedDict, defaultdict})
KINDS = DICTIONARIES | {list, set, deque}  # of the interpreter: one of a class of others would run its code


class Seen(NamedTuple):
    """A container, a copy of it, and the words for its place. A class stands for its attributes."""

    container: Any
    before: Any
    where: str


class Others:
    """The containers that were seen, by identity, and the functions whose caches go with one."""

    def __init__(self) -> None:
        self.seen: dict[int, Seen] = {}
        self.cached: list[FunctionType] = []
        self.libraries: list[Undo] = []  # what takes back what is done to a library
        self._modules: set[str] = set()
        self._left = MOST

    def note(self, unit: Unit, not_of: frozenset[str]) -> None:
        """See the containers that the body of a unit may register with, but those of the modules in `not_of`."""
        values: list[Any] = []
        for statement in unit.tree.body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                values += _imported(statement, unit)
        for value in values:
            self._note_import(value, not_of)
        if values:
            self.libraries += remembered(values)

    def _note_import(self, value: Any, not_of: frozenset[str]) -> None:
        names = [carried_module(value)]
        if is_module(value):
            names = [module_names(value).get("__name__")]
        elif is_class(value):
            names = [carried_module(each) for each in mro_of(value)]
        elif type(value) is FunctionType and value.__closure__:
            self._look(value, f"{value.__module__}.{value.__qualname__}", 1)
        for name in names:
            module = sys.modules.get(name) if type(name) is str and name not in self._modules else None
            if type(name) is not str or module is None or name in not_of or not is_module(module):
                continue
            self._modules.add(name)
            file = module_names(module).get("__file__")
            if type(file) is str and is_own_file(file):
                self._look_into(module_names(module), name, LEVELS, name)

    def _look_into(self, names: Any, where: str, level: int, module: str | None = None) -> None:
        """See a dictionary, and what is in it. `module` is the one whose own classes are looked into."""
        copy = dict(names)
        if len(copy) > self._left:
            return
        self._left -= len(copy)
        self.seen[id(names)] = Seen(names, copy, where)
        if level == 0:
            return
        for key, value in copy.items():
            kind = type(value)
            if kind in PLAIN or (type(key) is str and key.startswith("__")):
                continue
            place = f"{where}.{key}" if type(key) is str and key.isidentifier() else where
            if is_class(value):
                if module is not None and carried_module(value) == module:
                    self._look_into_class(value, place, level - 1)
            else:
                self._look(value, place, level - 1)

    def _look_into_class(self, cls: type, where: str, level: int) -> None:
        names = dict(class_names(cls))
        self.seen[id(cls)] = Seen(cls, names, where)
        for key, value in names.items():
            if type(value) in KINDS and not key.startswith("__"):
                self._look(value, f"{where}.{key}", level)

    def _look(self, value: Any, where: str, level: int) -> None:
        """See a value, if it is a container or leads to one."""
        kind = type(value)
        if id(value) in self.seen:
            return
        if kind is FunctionType:
            for cell in value.__closure__ or ():
                content = _content(cell)
                if type(content) in KINDS:
                    self._look(content, where, level - 1)
            if "_clear_cache" in vars(value) and type(register := vars(value).get("register")) is FunctionType:
                self.cached.append(value)
                self._look(register, where, level)
        elif kind in DICTIONARIES:
            self._look_into(value, where, max(level, 0))
        elif kind in KINDS:
            if len(value) <= self._left:
                self._left -= len(value)
                self.seen[id(value)] = Seen(value, list(value), where)
                for each in list(value) if level > 0 else ():
                    if type(each) in KINDS:
                        self._look(each, where, level - 1)
        elif level > 0 and (attributes := _attributes(value)) is not None:
            self._look_into(attributes, where, level)


# What leads to no container that is worth a look.
PLAIN = frozenset(
    {str, bytes, int, float, bool, type(None), ModuleType, type(len), property, staticmethod, classmethod}
)


def _imported(statement: ast.Import | ast.ImportFrom, unit: Unit) -> Iterator[Any]:
    """Yield the modules and objects that an import means, as far as they are there. Imports nothing."""
    if isinstance(statement, ast.Import):
        yield from (sys.modules.get(alias.name) for alias in statement.names)
        return
    name = statement.module or ""
    if statement.level:
        package = unit.name if unit.is_package else unit.name.rpartition(".")[0]
        try:
            name = importlib.util.resolve_name("." * statement.level + name, package)
        except ImportError:  # the body will say so
            return
    module = sys.modules.get(name)
    if not is_module(module):
        return
    yield module
    for alias in statement.names:
        yield module_names(module).get(alias.name, sys.modules.get(f"{name}.{alias.name}"))


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return None


def _attributes(value: Any) -> dict[str, Any] | None:
    """Return the attributes of an object of the project's own class, past all that its class says."""
    module = sys.modules.get(carried_module(type(value)) or "")
    file = module_names(module).get("__file__") if is_module(module) else None
    if type(file) is not str or not is_own_file(file):
        return None
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return found if type(found) is dict else None
