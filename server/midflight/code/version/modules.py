"""The loaded modules: one record for each, with its versions. Nothing here runs, checks or swaps code."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import ModuleType

from midflight.code.version.facade import Facade
from midflight.code.version.snapshots import show_at
from midflight.code.version.text_keeper import Past, past_of, text_keepers
from midflight.code.version.version import Version
from midflight.errors import UnknownModuleError, UnknownVersionError

__all__ = ["LOADED", "Module", "Versions", "adopter", "all_modules", "known", "module_of", "remember", "versions_of"]

KEPT = 100  # texts of a module, for rollback

Adopter = Callable[[str], None]

_adopters: list[Adopter] = []
_modules: dict[str, Module] = {}
_by_base: dict[str, dict[str, None]] = {}  # by the last part of a path, the modules that have or had such a file


class Versions:
    """The versions of a module whose text is kept, by number; of one that was never loaded, those of before.

    `current` is None then, and after `delete`. `last_number` is never given again. `last_run` is the version that an
    earlier interpreter ran last, until this one has a version of its own.
    """

    __slots__ = ("current", "last_number", "last_run", "name", "versions")

    def __init__(self, name: str) -> None:
        self.name = name
        self.versions: dict[int, Version] = {}
        self.current: Version | None = None
        self.last_number = 0
        self.last_run: Version | None = None
        if text_keepers:
            self._take_past(past_of(name))

    @property
    def path(self) -> str:
        """The file of the newest version."""
        return self.versions[self.last_number].path

    def version(self, number: int | None) -> Version:
        """Return version `number`, the current one for None. Raises: UnknownVersionError."""
        found = self.current if number is None else self.versions.get(number)
        if found is None:
            raise UnknownVersionError(self.name, number, sorted(self.versions))
        return found

    def next_number(self, digest: str) -> int:
        """Return the number of the next version, whose text has that digest."""
        last = self.last_run
        return last.number if last is not None and digest == last.digest else self.last_number + 1

    def _take_past(self, past: Past) -> None:
        """Take in the versions of earlier interpreters. Those that are there already keep the order, after these."""
        own = [version for _, version in sorted(self.versions.items()) if not version.is_earlier]
        newest = max(past.versions, default=0)
        if own and own[0].number <= newest:
            is_same = past.last is not None and past.last.digest == own[0].digest and past.last.number == newest
            by = newest + (not is_same) - own[0].number
            for version in own:
                version.renumber(version.number + by)
        self.versions = past.versions | {
            version.number: version for version in (*filter(_is_earlier, self.versions.values()), *own)
        }
        self.last_number = max(self.versions, default=0)
        if not own:
            self.last_run = past.last


def _is_earlier(version: Version) -> bool:
    return version.is_earlier


class Module(Versions):
    """A module that was loaded: its versions, and its facade.

    `shown` is the version whose text stands for the real path. `loader` is the one that Python would import or has
    imported the module by, None if none is known.
    """

    __slots__ = ("facade", "loader", "shown")

    def __init__(self, name: str, module: ModuleType, loader: object = None) -> None:
        super().__init__(name)
        self.loader = loader
        self.facade = Facade(module)
        self.shown: Version | None = None

    def take_past(self, past: Past) -> None:
        """Take in the versions of earlier interpreters, which have come to be known now."""
        if past.versions:
            self._take_past(past)

    def make_current(self, version: Version) -> None:
        """Take `version` as the current one, and let go of the oldest texts. Cannot fail."""
        self.current, self.last_run = version, None
        self.versions[version.number] = version
        self.last_number = max(self.last_number, version.number)
        for number in [number for number in self.versions if number <= version.number - KEPT]:
            if self.versions[number].namespace is None:  # else somebody runs it, and its tracebacks need the text
                old = self.versions.pop(number)
                if old.snapshot is not None:
                    old.snapshot.remove()
        self._show()

    def leave_current(self) -> None:
        """Have no current version any more."""
        self.current = None

    def _show(self) -> None:
        """Choose the text that is shown for the real path.

        Python itself compiled the first version of a module that was imported before it was loaded, under the real
        path: as long as something can run that, its tracebacks need its text. Else it is the current version's.
        """
        imported = [each for each in self.versions.values() if each.is_imported and each.namespace is not None]
        self.shown = shown = imported[0] if imported else self.current
        if shown is not None:
            show_at(shown.path, shown.text)


def known(name: str) -> Module | None:
    """Return the record of module `name`, None if it was never loaded."""
    return _modules.get(name)


def module_of(name: str) -> Module:
    """Return the record of module `name`, made now if the project has imported it and never loaded it.

    Raises: UnknownModuleError.
    """
    if name not in _modules:
        for adopt in _adopters:
            adopt(name)
    found = _modules.get(name)
    if found is None:
        raise UnknownModuleError(name)
    return found


def versions_of(name: str) -> Versions:
    """Return the versions of module `name`, whose record is made as by `module_of`, or that a store has kept.

    Raises: UnknownModuleError.
    """
    try:
        return module_of(name)
    except UnknownModuleError:
        found = Versions(name)
        if not found.versions:
            raise
        return found


def adopter(function: Adopter) -> Adopter:
    """Have `function` make a record of a module that was imported only, when somebody asks for that."""
    _adopters.append(function)
    return function


def remember(module: Module) -> None:
    """Keep the record of a module; of that name there was none, or one of another module object."""
    _by_base.setdefault(os.path.basename(module.path), {})[module.name] = None
    _modules[module.name] = module


def all_modules() -> tuple[Module, ...]:
    """Return the records of all modules, in the order of their first load."""
    return tuple(_modules.values())


class _Loaded:
    """The modules that were loaded, as `locate` asks for them."""

    def file_of(self, name: str) -> str | None:
        """Return the file of a module, None if it was never loaded."""
        found = known(name)
        return None if found is None else found.path

    def files_called(self, base: str) -> list[tuple[str, str]]:
        """Return name and file of each module whose file is called so in its folder."""
        records = map(known, list(_by_base.get(base, ())))
        places = [(record.name, record.path) for record in records if record is not None]
        return [(name, path) for name, path in places if os.path.basename(path) == base]


LOADED = _Loaded()
"""The modules that were loaded."""
