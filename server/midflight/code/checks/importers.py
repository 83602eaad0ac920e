"""The modules that hold objects of a loaded one, found by an index that is kept up as modules change.

A program has thousands of modules, and most of them are libraries. So the modules of the project are remembered one by
one. A library is looked at when it is first seen, and when it has got or lost a name; it is remembered if it holds
something of the project. For each loaded module those that hold something of it are in groups: they have the same
objects by the same names, so a load asks once for all of a group. Only a module whose values are others than before is
looked at again.

Law: that the values are the same as before is known by their identities, one pass over all that is remembered; it is
the only work of a load that grows with the program.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import chain
from operator import attrgetter, is_
from threading import RLock
from types import ModuleType
from typing import NamedTuple

from midflight.code.checks.importer import Held, Importer, origins_of
from midflight.code.checks.watched_values import NOTHING
from midflight.code.report.load_report import StaleImport
from midflight.code.source.find_module import PROGRAM, is_project_file, name_of_program
from midflight.code.source.look import is_module, module_names
from midflight.code.version.facade import Namespace

__all__ = ["ABSENT", "Group", "holders_of"]

ABSENT = object()

_position = attrgetter("position")
_Key = tuple[tuple[Held, ...], tuple[int, ...]]  # names, and the identities of the objects behind them


class Group:
    """Importers that have the same objects of a module, `values`, by the same names, those in `held`."""

    def __init__(self, held: tuple[Held, ...], importers: Iterable[Importer]) -> None:
        self.held = held
        self.importers = tuple(sorted(importers, key=_position))
        self._said: dict[tuple[str, ...], tuple[StaleImport, ...]] = {}

    def values(self) -> dict[str, object]:
        """Return the objects by their names, as the first importer has them."""
        names = module_names(self.importers[0].module)
        return {each.name: names.get(each.name, ABSENT) for each in self.held}

    def without(self, names: Iterable[str]) -> Group | None:
        """Return the group without the modules of these names, None if nobody is left."""
        left = [each for each in self.importers if each.name not in names]
        return self if len(left) == len(self.importers) else Group(self.held, left) if left else None

    def said(self, names: tuple[str, ...]) -> tuple[StaleImport, ...]:
        """Return what a report says of these names in all of them, in the order of the modules."""
        found = self._said.get(names)
        if found is None:
            found = self._said[names] = tuple(chain.from_iterable(each.said(names) for each in self.importers))
        return found


class _Holders:
    """The importers that hold something of module `name`, in their groups. Those in `waiting` are not looked at yet.

    Ctrl-C may come in the midst: one waits until all about it is right.
    """

    def __init__(self, name: str, importers: Iterable[Importer]) -> None:
        self._name = name
        self.waiting = dict.fromkeys(importers)
        self._keys: dict[Importer, _Key] = {}
        self._members: dict[_Key, dict[Importer, None]] = {}
        self._groups: dict[_Key, Group] = {}

    def leave(self, importer: Importer) -> None:
        """Take out a module."""
        self.waiting.pop(importer, None)
        self._leave_group(importer)

    def groups(self) -> list[Group]:
        """Look at those that wait; return all groups."""
        for importer in list(self.waiting):
            if importer.name != self._name:
                self._leave_group(importer)
                self._join_group(importer)
            self.waiting.pop(importer, None)
        for key, members in self._members.items():
            if key not in self._groups:
                self._groups[key] = Group(key[0], members)
        return list(self._groups.values())

    def _leave_group(self, importer: Importer) -> None:
        key = self._keys.get(importer)
        if key is None:
            return
        members = self._members.get(key, {})
        members.pop(importer, None)
        self._groups.pop(key, None)
        if not members:
            self._members.pop(key, None)
        del self._keys[importer]

    def _join_group(self, importer: Importer) -> None:
        names = module_names(importer.module)
        held = importer.taken_from(self._name, names)
        if held:
            key = self._keys[importer] = held, tuple(id(names.get(each.name, ABSENT)) for each in held)
            self._members.setdefault(key, {})[importer] = None
            self._groups.pop(key, None)


class _Library(NamedTuple):
    """A module that is not of the project."""

    name: str
    module: ModuleType
    held: Namespace


class _Program:
    """All modules there are. Any thread may ask, and a signal handler."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._modules: list[object] = []  # those of sys.modules, in their order, when it was last looked at
        self._importers: dict[str, Importer] = {}
        self._values = NOTHING
        self._libraries: dict[str, _Library] = {}
        self._held_by_libraries: list[Namespace] = []
        self._sizes: list[int] = []  # how many names each library had
        self._size_of: dict[str, int] = {}
        self._libraries_with: dict[str, dict[str, None]] = {}  # by module, the libraries that hold something of it
        self._holding: dict[str, Importer] = {}  # those that hold something of a module that was loaded
        self._holders: dict[str, _Holders] = {}  # by the name of a module that was loaded
        self._places: dict[str, tuple[str, bool]] = {}  # by module, its file and whether that is of the project
        self._is_wide = False  # whether libraries are importers too: one of them was loaded

    def holders_of(self, name: str, file: object) -> list[Group]:
        with self._lock:
            if not self._is_wide and type(file) is str and not self._is_of_project(name, file):
                self._is_wide, self._modules = True, []
            self._look_at_modules()
            self._look_at_libraries()
            self._watch_libraries_with(name)
            self._look_at_values()
            found = self._holders.get(name)
            if found is None:
                found = self._holders[name] = _Holders(name, self._values.importers())
            return found.groups()

    def _look_at_modules(self) -> None:
        # No pairs for that: so many new tuples would have the garbage collector look at the whole program.
        modules: list[object] = list(sys.modules.values())
        if len(modules) == len(self._modules) and all(map(is_, modules, self._modules)):
            return
        items = list(sys.modules.items())
        importers, libraries = self._importers, self._libraries
        self._importers, self._libraries = {}, {}
        for position, (name, module) in enumerate(items):
            if not is_module(module) or name.partition(".")[0] in sys.stdlib_module_names:
                continue
            if name in PROGRAM and name_of_program() is not None:
                continue  # it is a module under that name, too
            held = module_names(module)
            file = held.get("__file__")
            if self._is_wide or type(file) is not str or self._is_of_project(name, file):
                self._importers[name] = self._importer(importers.get(name), name, module, file, position)
            else:
                library = libraries.get(name)
                if library is None or library.held is not held:
                    library = _Library(name, module, held)
                    self._size_of.pop(name, None)
                self._libraries[name] = library
        self._holding = {
            name: self._importer(importer, name, library.module, None, len(items))
            for name, importer in self._holding.items()
            if (library := self._libraries.get(name)) is not None
        }
        self._held_by_libraries = [library.held for library in self._libraries.values()]
        self._sizes = []
        self._watch()
        self._modules = [module for _, module in items]  # last: else Ctrl-C before would leave it half done

    def _importer(self, known: Importer | None, name: str, module: ModuleType, file: object, position: int) -> Importer:
        found = known if known is not None and known.module is module else Importer(name, module, file)
        found.position = position
        return found

    def _watch(self) -> None:
        """Have the values of all importers looked at that there are now, and of no others."""
        values = self._values.watching([*self._importers.values(), *self._holding.values()])
        old, new = self._values.importers(), values.importers()
        for holders in self._holders.values():
            for each in old.keys() - new.keys():
                holders.leave(each)
            holders.waiting.update(dict.fromkeys(each for each in new if each not in old))
        self._values = values

    def _is_of_project(self, name: str, file: str) -> bool:
        """Say whether a module is of the project. That asks the file system, so it is asked once."""
        found = self._places.get(name)
        if found is None or found[0] != file:
            found = self._places[name] = (file, is_project_file(file))
        return found[1]

    def _look_at_libraries(self) -> None:
        sizes = list(map(len, self._held_by_libraries))
        if sizes == self._sizes:
            return
        for name, library in self._libraries.items():
            if len(library.held) == self._size_of.get(name):
                continue
            size = len(library.held)
            for origin in filter(self._is_of_interest, origins_of(name, library.held)):
                self._libraries_with.setdefault(origin, {})[name] = None
            self._size_of[name] = size
        self._sizes = sizes

    def _watch_libraries_with(self, origin: str) -> None:
        """Take the libraries that hold something of module `origin` for importers."""
        for name in self._libraries_with.get(origin, ()):
            if name not in self._holding and (library := self._libraries.get(name)) is not None:
                self._holding[name] = self._importer(None, name, library.module, None, len(self._modules))
        if len(self._values) != len(self._importers) + len(self._holding):
            self._watch()

    def _is_of_interest(self, origin: str) -> bool:
        return origin not in self._libraries and origin.partition(".")[0] not in sys.stdlib_module_names

    def _look_at_values(self) -> None:
        changed, values = self._values.look()
        if not changed:
            return
        for importer in changed:
            importer.has_changed = True
        for holders in self._holders.values():
            holders.waiting.update(dict.fromkeys(changed))
        self._values = values  # last: else Ctrl-C before would have it forgotten who has changed


_program = _Program()


def holders_of(name: str, file: object) -> list[Group]:
    """Return the modules that hold something of module `name`, which has this file, in their groups."""
    return _program.holders_of(name, file)
