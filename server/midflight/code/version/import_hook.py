"""The meeting with Python's import system: first loads are imports, and `importlib.reload` is a load.

A module that nobody imported yet is loaded by importing it with our finder in front: so parents come first, other
threads that import it wait for its body, and nothing stays in `sys.modules` if the body fails.
"""

from __future__ import annotations

import os
import sys
import threading
from _thread import get_ident
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import ModuleType

from midflight.code.source.look import is_module
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import all_modules
from midflight.code.version.own_loader import unwrapped
from midflight.code.version.version import Version

__all__ = [
    "VersionLoader",
    "carry_submodules",
    "fill",
    "finder",
    "loader_elsewhere",
    "put_imported_submodules",
    "spec_of",
]

Execute = Callable[[ModuleType], object]

_installing = threading.Lock()


class VersionLoader(SourceFileLoader):
    """The loader of one version: `linecache` and `inspect` get that version's text from it, not today's file.

    `execute_first` runs the body when the import system makes the module; asked again, the module is loaded.
    """

    def __init__(self, name: str, path: str, execute_first: Execute | None = None) -> None:
        super().__init__(name, path)
        self.version: Version | None = None
        self._execute_first = execute_first

    def get_source(self, fullname: str) -> str | None:
        """Return the version's text, else the contents of the file."""
        found = self.version.text if self.version is not None else None
        return super().get_source(fullname) if found is None else found

    def exec_module(self, module: ModuleType) -> None:
        """Run the first version of a new module, or load one that is there again."""
        execute, self._execute_first = self._execute_first or finder.reload, None
        execute(module)


def spec_of(name: str, path: str, loader: VersionLoader) -> ModuleSpec:
    """Return the import system's description of a module of ours."""
    if path.startswith("<"):  # a text without a file
        return ModuleSpec(name, loader, origin=path)
    is_package = os.path.basename(path) == "__init__.py"
    folders = [os.path.dirname(path)] if is_package else None
    spec = spec_from_file_location(name, path, loader=loader, submodule_search_locations=folders)
    assert spec is not None  # it is None without a loader only
    return spec


def fill(namespace: Namespace, spec: ModuleSpec, before: Namespace) -> None:
    """Put into `namespace` the names that the import system puts into a module before its body runs.

    A package's search path and its submodules stay what they are: they were imported once, and are there. So are those
    that the body of the version before has deleted from it at its end: it may name them before.
    """
    namespace.update(
        __name__=spec.name,
        __doc__=None,
        __package__=spec.parent,
        __loader__=spec.loader,
        __spec__=spec,
    )
    if spec.has_location:
        namespace.update(__file__=spec.origin, __cached__=spec.cached)
    if spec.submodule_search_locations is not None:
        namespace["__path__"] = before.get("__path__", spec.submodule_search_locations)
        put_imported_submodules(namespace, spec.name, before)
    carry_submodules(namespace, spec.name, before)


def put_imported_submodules(namespace: Namespace, name: str, before: Namespace) -> None:
    """Put the submodules of package `name` that are imported into `namespace`, but those that `before` has.

    An import of one would not do it: it finds the submodule done. At a first load there is one if an earlier load of
    the package was refused.
    """
    for full_name, module in list(sys.modules.items()):
        parent, _, key = full_name.rpartition(".")
        if parent == name and key not in before and is_module(module):
            namespace[key] = module


def carry_submodules(namespace: Namespace, name: str, before: Namespace) -> None:
    """Put the imported submodules of package `name` into `namespace`, where it has nothing of their names."""
    for key, value in list(before.items()):
        if key not in namespace and is_module(value) and sys.modules.get(f"{name}.{key}") is value:
            namespace[key] = value


class Finder:
    """In front of `sys.meta_path`: finds the modules that a load in this thread is about, and no others.

    `reload` is what `importlib.reload` does with a module of the code server.
    """

    def __init__(self) -> None:
        self._wanted: dict[tuple[int, str], ModuleSpec] = {}
        self.reload: Execute = lambda _: None
        self._refusal_of: Callable[[str], ImportError | None] = lambda _: None

    def install(self, reload: Execute, refusal_of: Callable[[str], ImportError | None]) -> None:
        """Be there from now on. `importlib.reload` calls `reload` with a module of the code server.

        `refusal_of` says why a module cannot be imported by anybody who does not load it, None if it can.
        """
        self.reload, self._refusal_of = reload, refusal_of
        with _installing:
            if self not in sys.meta_path:
                sys.meta_path.insert(0, self)

    @contextmanager
    def offering(self, specs: Sequence[ModuleSpec]) -> Iterator[None]:
        """Let this thread, and no other, find these modules while the block runs."""
        keys = {(get_ident(), spec.name): spec for spec in specs}
        self._wanted.update(keys)
        try:
            yield
        finally:
            for key in keys:
                self._wanted.pop(key, None)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002  # Python passes it to every finder
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return the spec of a module that is ours to load, None for any other.

        Raises: ImportError for one that is half made.
        """
        if target is not None:
            return _spec_to_reload(target)
        found = self._wanted.get((get_ident(), fullname))
        if found is None and (error := self._refusal_of(fullname)) is not None:
            raise error
        return found


def loader_elsewhere(name: str, path: str) -> object:
    """Return the loader by which Python would import module `name` of the file `path`; None if it finds none."""
    package = sys.modules.get(name.rpartition(".")[0])
    folders = None if package is None else vars(package).get("__path__")
    for each in list(sys.meta_path):
        try:
            found = None if each is finder else each.find_spec(name, folders, None)
        except Exception:  # it is asked at the import, and there it matters
            continue
        if found is not None:
            is_it = found.origin is not None and os.path.realpath(found.origin) == os.path.realpath(path)
            return unwrapped(found.loader) if is_it else None
    return None


def _spec_to_reload(module: ModuleType) -> ModuleSpec | None:
    for record in all_modules():
        if record.facade.module is module:
            return spec_of(record.name, record.path, VersionLoader(record.name, record.path))
    return None


finder = Finder()
