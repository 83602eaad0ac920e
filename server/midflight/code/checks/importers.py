"""The modules that may hold objects of a loaded one. Each is looked at once, and again only if it has changed.

A program has thousands of modules, and most of them are libraries. So the modules of the project are remembered one by
one, each with the functions and classes of others that it holds, and with what its text imports by `from`. A library is
looked at when it is first seen, and when it has got or lost a name; only what it holds of the project is remembered.

Laws:
1. A remembered name is a hint: its value is read again before anything is said of it.
2. A value is looked at by its type alone, as look.py does.
"""

from __future__ import annotations

import linecache
import re
import sys
from collections.abc import Iterator
from operator import is_
from threading import RLock
from types import ModuleType
from typing import NamedTuple

from midflight.code.report.load_report import StaleImport
from midflight.code.source.find_module import is_project_file
from midflight.code.source.from_imports import FromImports, from_imports
from midflight.code.source.look import carried_module, is_module, module_names
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import known

__all__ = ["Held", "Importer", "importers_of"]

# The last word of the name of a module that a text imports names from: "" for `from . import x`.
_SOURCE = re.compile(r"\bfrom[\s.]*(?:\w+\s*\.\s*)*(\w*)\s+import\b")


class Held(NamedTuple):
    """A name by which a module has something of another one.

    `original` is the name there, by what the text says; None for a function or class that carries its module's name.
    `stars` are the modules that it may come from as well, for the text imports all of them by `*`.
    """

    name: str
    original: str | None
    stars: tuple[str, ...] | None = None


class Importer:
    """A module, with the imports of it that are remembered."""

    __slots__ = ("_by_origin", "_file", "_holds", "_ids", "_imports", "_lines", "_sources", "_text", "name", "said")

    def __init__(self, name: str, file: object = None) -> None:
        self.name = name
        self.said: dict[str, StaleImport] = {}  # by name: what a report says of it, made once
        self._file = file if type(file) is str else None
        self._ids: tuple[int, ...] | None = None
        self._holds: dict[str, list[str]] = {}
        self._lines: object = None  # those of linecache that `_text` was made from
        self._text: str | None = None
        self._sources: frozenset[str] = frozenset()
        self._imports: FromImports | None = None
        self._by_origin: dict[str, tuple[Held, ...]] = {}

    def taken_from(self, origin: str, held: Namespace, text: str | None = None) -> tuple[Held, ...]:
        """Return the names in `held`, the module's namespace, of objects that it has from module `origin`.

        `text` is the one that `held` was made by, if it is not that of the current version.
        """
        ids = tuple(map(id, list(held.values())))
        if ids != self._ids:  # else no other text was run either
            self._holds, self._ids, self._by_origin = _origins(self.name, held), ids, {}
            if text is None:
                text = self._newest_text()
            if text is not self._text:
                self._text, self._imports = text, None
                self._sources = frozenset(_SOURCE.findall(text or ""))
        found = self._by_origin.get(origin)
        if found is None:
            carried = [Held(key, None) for key in self._holds.get(origin, ())]
            found = self._by_origin[origin] = (*carried, *self._imported(origin, held))
        return found

    def _imported(self, origin: str, held: Namespace) -> Iterator[Held]:
        text = self._text
        if text is None or self._sources.isdisjoint((origin.rpartition(".")[2], "")):
            return
        if self._imports is None:
            self._imports = from_imports(text)
        package = str(held.get("__package__") or self.name)
        for each in self._imports.names:
            if each.module(package) == origin:
                yield Held(each.name, each.original)
        sources = [each.module(package) for each in self._imports.stars]
        if origin in sources:
            for key in list(held):
                if key not in self._imports.bound:
                    yield Held(key, key, tuple(each for each in sources if each is not None and each != origin))

    def _newest_text(self) -> str | None:
        record = known(self.name)
        if record is not None and record.current is not None:
            return record.current.text
        if self._file is None:
            return None
        lines = linecache.getlines(self._file)
        if not lines:
            self._file = None  # there is nothing to read, and each question would ask the file system again
        if lines is not self._lines or self._text is None:
            self._lines = lines
            return "".join(lines)
        return self._text


def _origins(name: str, held: Namespace) -> dict[str, list[str]]:
    """Return the names of functions and classes in the namespace of module `name`, by the other module they carry."""
    found: dict[str, list[str]] = {}
    for key, value in list(held.items()):
        origin = carried_module(value)
        if origin is not None and origin != name:
            found.setdefault(origin, []).append(key)
    return found


class _Library:
    """A module that is not of the project. `size` is how many names it had when it was looked at, -1 before."""

    __slots__ = ("held", "name", "size")

    def __init__(self, name: str, held: Namespace) -> None:
        self.name, self.held, self.size = name, held, -1


class _Program:
    """All modules there are. Any thread may ask, and a signal handler."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._modules: list[object] = []  # those of sys.modules, in their order, when it was last looked at
        self._importers: dict[str, tuple[Importer, ModuleType]] = {}
        self._libraries: dict[str, _Library] = {}
        self._held_by_libraries: list[Namespace] = []
        self._sizes: list[int] = []
        self._holders: dict[str, dict[str, Importer]] = {}  # by module, the libraries that hold something of it
        self._places: dict[str, tuple[str, bool]] = {}  # by module, its file and whether that is of the project
        self._is_wide = False  # whether libraries are importers too: one of them was loaded

    def importers_of(self, name: str, file: object) -> list[tuple[Importer, ModuleType]]:
        with self._lock:
            if not self._is_wide and type(file) is str and not self._is_of_project(name, file):
                self._is_wide, self._modules = True, []
            self._look_at_modules()
            self._look_at_libraries()
            held = [(importer, sys.modules.get(importer.name)) for importer in self._holders.get(name, {}).values()]
            libraries = [(importer, module) for importer, module in held if is_module(module)]
            return [*self._importers.values(), *libraries]

    def _look_at_modules(self) -> None:
        # No pairs for that: so many new tuples would have the garbage collector look at the whole program.
        modules: list[object] = list(sys.modules.values())
        if len(modules) == len(self._modules) and all(map(is_, modules, self._modules)):
            return
        items = list(sys.modules.items())
        importers, libraries = self._importers, self._libraries
        self._importers, self._libraries = {}, {}
        for name, module in items:
            if not is_module(module) or name.partition(".")[0] in sys.stdlib_module_names:
                continue
            held = module_names(module)
            file = held.get("__file__")
            if self._is_wide or type(file) is not str or self._is_of_project(name, file):
                old = importers.get(name)
                is_new = old is None or old[1] is not module
                self._importers[name] = (Importer(name, file), module) if is_new or old is None else old
            else:
                library = libraries.get(name)
                is_new = library is None or library.held is not held
                self._libraries[name] = _Library(name, held) if is_new or library is None else library
        self._modules = [module for _, module in items]
        self._held_by_libraries = [library.held for library in self._libraries.values()]
        self._sizes = []

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
        self._sizes = sizes
        for library in self._libraries.values():
            if len(library.held) == library.size:
                continue
            library.size = len(library.held)
            for origin in _origins(library.name, library.held):
                if origin not in self._libraries and origin.partition(".")[0] not in sys.stdlib_module_names:
                    self._holders.setdefault(origin, {}).setdefault(library.name, Importer(library.name))


_program = _Program()


def importers_of(name: str, file: object) -> list[tuple[Importer, ModuleType]]:
    """Return the modules that may hold something of module `name`, which has this file, and what is known of each."""
    return _program.importers_of(name, file)
