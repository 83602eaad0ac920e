"""`Importer`: what one module holds of others, by its values and by what its text imports by `from`.

Laws:
1. What is remembered is a hint: the value behind a name is read again before anything is said of it.
2. A value is looked at by its type alone, as look.py does.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import NamedTuple

from midflight.code.report.load_report import StaleImport
from midflight.code.source.from_imports import FromImports, from_imports
from midflight.code.source.look import carried_module
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import known

__all__ = ["Held", "Importer", "held_of", "origins_of"]

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
    """A module with what it holds, as it was when it was last looked at. `position` orders a program's modules.

    `has_changed` says that its values are others than then. Until they are, no other text was run.
    `file` is the one that its text is read from while it is not loaded, None if only its values count.
    """

    __slots__ = (
        "_by_origin",
        "_file",
        "_holds",
        "_imports",
        "_lines",
        "_said",
        "_sources",
        "_text",
        "has_changed",
        "module",
        "name",
        "position",
    )

    def __init__(self, name: str, module: ModuleType, file: object = None) -> None:
        self.name = name
        self.module = module
        self.position = 0
        self.has_changed = True
        self._file = file if type(file) is str else None
        self._holds: dict[str, list[str]] = {}
        self._lines: object = None  # those of linecache that `_text` was made from
        self._text: str | None = None
        self._sources: frozenset[str] = frozenset()
        self._imports: FromImports | None = None
        self._by_origin: dict[str, tuple[Held, ...]] = {}
        self._said: dict[Sequence[str], tuple[StaleImport, ...]] = {}

    def taken_from(self, origin: str, held: Namespace) -> tuple[Held, ...]:
        """Return the names in `held`, the module's namespace, of objects that it has from module `origin`."""
        if self.has_changed:
            self.read(held, self._newest_text())
        found = self._by_origin.get(origin)
        if found is None:
            carried = [Held(key, None) for key in self._holds.get(origin, ())]
            found = self._by_origin[origin] = (*carried, *self._imported(origin, held))
        return found

    def read(self, held: Namespace, text: str | None) -> None:
        """Look at `held`, which `text` has made. In one step at its end: Ctrl-C may come before."""
        holds, sources = origins_of(self.name, held), self._sources
        if text is not self._text:
            sources = frozenset(_SOURCE.findall(text or ""))
            self._imports = None
        self._holds, self._by_origin, self._text, self._sources = holds, {}, text, sources
        self.has_changed = False

    def said(self, names: Sequence[str]) -> tuple[StaleImport, ...]:
        """Return what a report says of these names in the module. It is made once."""
        found = self._said.get(names)
        if found is None:
            found = self._said[names] = tuple(StaleImport(self.name, name) for name in names)
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


def held_of(origin: str, name: str, held: Namespace, text: str | None) -> tuple[Held, ...]:
    """Return the names of objects of module `origin` in `held`, a namespace of module `name` that `text` has made."""
    importer = Importer(name, ModuleType(name))
    importer.read(held, text)
    return importer.taken_from(origin, held)


def origins_of(name: str, held: Namespace) -> dict[str, list[str]]:
    """Return the names of functions and classes in the namespace of module `name`, by the other module they carry."""
    found: dict[str, list[str]] = {}
    for key, value in list(held.items()):
        origin = carried_module(value)
        if origin is not None and origin != name:
            found.setdefault(origin, []).append(key)
    return found
