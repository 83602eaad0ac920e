"""The module that a path means, and the file of a module's name.

The name of a path: (1) a module loaded from that file keeps its name; (2) the `source-roots` of `[tool.midflight]` in
the nearest pyproject.toml; (3) the chain of folders with an `__init__.py` in them, and above them those of a namespace
package that the program imports from.
"""

from __future__ import annotations

import importlib.util
import keyword
import os
import sys
import sysconfig
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from typing import Any, Protocol

from midflight import errors
from midflight.code.report.load_report import Diagnostic
from midflight.code.source.look import is_module, module_value
from midflight.code.source.namespace_package import root_of_namespace_package

__all__ = [
    "NOTHING",
    "PROGRAM",
    "ModulePlace",
    "Modules",
    "is_midflights",
    "is_own_file",
    "is_project_file",
    "is_project_module",
    "locate",
    "locate_file",
    "name_of_program",
    "note_project",
    "refusal",
]

PROGRAM = ("__main__", "__mp_main__")  # the names of what runs; multiprocessing gives it the second one

_OURS = os.path.dirname(os.path.realpath(errors.__file__))
_PATHS = {key: os.path.realpath(path) for key, path in sysconfig.get_paths().items()}
_LIBRARY = (_PATHS["stdlib"], _PATHS["platstdlib"])
_INSTALLED = (_PATHS["purelib"], _PATHS["platlib"])
_INSTALLATIONS = ("site-packages", "dist-packages")  # folders of that name, of whatever Python

_project: list[str] = []  # the root of the server's project and its source roots; empty if no server runs


class Modules(Protocol):
    """Modules that have files, in some order."""

    def file_of(self, name: str) -> str | None:
        """Return the file of a module, None if it is not among them."""

    def files_called(self, base: str) -> Iterable[tuple[str, str]]:
        """Return name and file of each module whose file is called so in its folder."""


class _Nothing:
    """No modules."""

    def file_of(self, name: str) -> None:
        """Know none."""

    def files_called(self, base: str) -> tuple[()]:  # noqa: ARG002  # as Modules has it
        """Know none."""
        return ()


NOTHING = _Nothing()


@dataclass(frozen=True, slots=True)
class ModulePlace:
    """A module's name and file. `root` is the folder that must be on `sys.path` for others to import it, if any."""

    name: str
    path: str
    root: str | None = None


def locate(
    path_or_name: str | os.PathLike[str], loaded: Modules = NOTHING, *, has_text: bool = False
) -> ModulePlace | Diagnostic:
    """Return the place that a path or a dotted name means, or why there is none.

    An argument that is not a string, has a separator in it or ends in .py is a path. `loaded` are the modules
    that the code server knows, which come before those that were only imported. With `has_text` a name that no
    file has is a place too: the text is there without one.
    """
    given = os.fspath(path_or_name)
    if given in PROGRAM:
        given = path_or_name = name_of_program() or given
    if not isinstance(path_or_name, str) or os.path.basename(given) != given or given.endswith(".py"):
        path = os.path.abspath(given)
        found = _place_of_path(path, loaded)
    else:
        path, found = given, _place_of_name(given, loaded)
        if has_text and isinstance(found, Diagnostic) and found.code == "not-found":
            found = _place_without_file(given) or found
    if isinstance(found, ModulePlace) and (why := refusal(found.name, found.path)):
        return _problem(path, why, "refused")
    return found


def locate_file(path: str) -> str | None:
    """Return the dotted name of a file, if the folder that it begins at is on `sys.path`; None else."""
    found = _from_source_roots(path) or _from_packages(path)
    if isinstance(found, Diagnostic) or found.root is None:
        return None
    root = os.path.realpath(found.root)
    return found.name if any(os.path.realpath(each or os.curdir) == root for each in sys.path) else None


def refusal(name: str, path: str) -> str | None:
    """Say why the module `name` of the file `path` can have no versions; None if it can."""
    top, real = name.partition(".")[0], os.path.realpath(path)
    if top == "midflight" or _is_in(real, (_OURS,)):
        return "it is a part of Midflight, which runs what you load"
    if path.endswith(tuple(EXTENSION_SUFFIXES)):
        return f"{os.path.basename(path)} is a C extension, which Python cannot load twice"
    if _is_in(real, _LIBRARY) and not _is_in(real, _INSTALLED):
        return "it is a part of Python's standard library, which Midflight itself runs on"
    if top in sys.stdlib_module_names:
        if not path:
            return f"{name} is a part of Python's standard library, which Midflight itself runs on"
        return f"{name} is the name of a module of Python's standard library; rename {os.path.basename(path)}"
    if top in PROGRAM:
        return f"{top} is the program itself, and nobody calls it by name; load its file under the file's name"
    return None


def note_project(root: str | os.PathLike[str]) -> Callable[[], None]:
    """Take `root` for the project from now on: only files in it, or in its `source-roots`, are the project's.

    Call what is returned to take back what was before, if nobody has noted another project since.
    """
    top = os.path.realpath(root)
    found = _source_roots(os.path.join(top, "pyproject.toml"))
    before = _project[:]
    noted = _project[:] = [top, *(map(os.path.realpath, found) if isinstance(found, list) else ())]

    def take_back() -> None:
        if _project == noted:
            _project[:] = before

    return take_back


def is_midflights(path: str) -> bool:
    """Say whether `path` is a file of Midflight itself."""
    return _is_in(os.path.realpath(path), (_OURS,))


def is_project_file(path: str) -> bool:
    """Say whether `path` is a file of the project: one of our own, and below its root if a server has one."""
    return is_own_file(path) and (not _project or _is_in(os.path.realpath(path), _project))


def is_project_module(name: str) -> bool:
    """Say whether a module is one of the project: `__main__`, or one whose file is."""
    if name == "__main__":
        return True
    file = _file_of(sys.modules.get(name))
    return file is not None and is_project_file(file)


def is_own_file(path: str) -> bool:
    """Say whether `path` is a Python file that nobody installed: not Midflight's, Python's or a package's."""
    return path.endswith(".py") and _is_own_folder(os.path.dirname(path))


@lru_cache(maxsize=4096)
def _is_own_folder(folder: str) -> bool:
    """Do so for the files of a folder. Cached: a program has a thousand modules, and this asks the file system."""
    real = os.path.realpath(folder)
    if _is_in(real + os.sep, (_OURS, *_LIBRARY, *_INSTALLED)) or set(real.split(os.sep)) & set(_INSTALLATIONS):
        return False
    while not os.path.exists(os.path.join(real, "pyvenv.cfg")):
        if real == (real := os.path.dirname(real)):
            return True
    return False


def _is_in(path: str, folders: Iterable[str]) -> bool:
    return any(path.startswith(folder + os.sep) for folder in folders)


def _problem(path: str, message: str, code: str) -> Diagnostic:
    return Diagnostic(path, 1, 0, 1, 0, "error", message, code)


# --- From a path -----------------------------------------------------------------------------------------


def _place_of_path(path: str, loaded: Modules) -> ModulePlace | Diagnostic:
    base = os.path.basename(path)
    if path.endswith(tuple(EXTENSION_SUFFIXES)):
        return _problem(path, f"{base} is a C extension, which Python cannot load twice", "refused")
    if os.path.isdir(path):
        why = f"{path} is a folder, and the program has imported no module of it; give the path of a file"
        if os.path.isfile(os.path.join(path, "__init__.py")):
            why = f"{path} is a package: load_many([{path + os.sep!r}]) loads its modules, as midflight load does"
        return _problem(path, why, "name")
    if not base.endswith(".py"):
        return _problem(path, f"{base} is no Python source file: its name does not end in .py", "name")
    derived = _from_source_roots(path) or _from_packages(path)
    if isinstance(derived, Diagnostic):
        return derived
    if names := _from_file(path, loaded.files_called(base)) or _from_file(path, _imported()):
        return ModulePlace(derived.name if derived.name in names else names[0], path)
    for part in derived.name.split("."):
        if not part.isidentifier() or keyword.iskeyword(part):
            why = f"no program can import {derived.name!r}: {part!r} is no Python name; rename the file or folder"
            return _problem(path, why, "name")
    return derived


def _from_file(path: str, modules: Iterable[tuple[str, str]]) -> list[str]:
    """Return the names of those modules that come from this file; __main__ is nobody's import."""
    base = os.path.basename(path)
    return [
        name
        for name, file in modules
        if name not in PROGRAM and os.path.basename(file) == base and _is_same_file(file, path)
    ]


def _is_same_file(one: str, other: str) -> bool:
    return one == other or os.path.realpath(one) == os.path.realpath(other)


def _imported() -> Iterator[tuple[str, str]]:
    """Yield name and file of every module that was imported."""
    for name, module in list(sys.modules.items()):
        if (file := _file_of(module)) is not None:
            yield name, file


def _file_of(module: object) -> str | None:
    file = module_value(module, "__file__") if is_module(module) else None
    return file if type(file) is str else None


def _from_source_roots(path: str) -> ModulePlace | Diagnostic | None:
    folder = os.path.dirname(path)
    while not os.path.isfile(project := os.path.join(folder, "pyproject.toml")):
        if folder == (folder := os.path.dirname(folder)):
            return None
    roots = _source_roots(project)
    if isinstance(roots, Diagnostic):
        return roots
    for root in sorted(roots, key=len, reverse=True):
        if _is_in(path, (root.rstrip(os.sep),)):
            return ModulePlace(_dotted(os.path.relpath(path, root)), path, root)
    return None


def _source_roots(project: str) -> list[str] | Diagnostic:
    """Return the `source-roots` of a pyproject.toml, as paths; none if there is no such file."""
    try:
        with open(project, "rb") as stream:
            table = _written_roots(stream.read())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        return _problem(project, f"pyproject.toml cannot be read: {error}", "name")
    if not isinstance(table, (list, dict)) or not all(isinstance(root, str) for root in table):
        why = f"source-roots of [tool.midflight] must be a list of folders, such as ['src'], not {table!r}"
        return _problem(project, why, "name")
    return [os.path.normpath(os.path.join(os.path.dirname(project), root)) for root in table]


@lru_cache(maxsize=16)
def _written_roots(text: bytes) -> Any:
    """Return what stands as `source-roots` in the text of a pyproject.toml. Cached: to parse it takes a millisecond.

    Raises: ValueError, if it is not TOML.
    """
    table: Any = tomllib.loads(text.decode("utf-8"))
    for key in ("tool", "midflight", "source-roots"):
        table = table.get(key, {}) if isinstance(table, dict) else {}
    return table


def _from_packages(path: str) -> ModulePlace:
    folder = os.path.dirname(path)
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        if folder == (folder := os.path.dirname(folder)):
            break
    folder = root_of_namespace_package(path, folder) or folder
    return ModulePlace(_dotted(os.path.relpath(path, folder)), path, folder)


def _dotted(relative: str) -> str:
    parts = relative.removesuffix(".py").split(os.sep)
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts)


def name_of_program() -> str | None:
    """Return the name by which others import what runs as `__main__`; None if none does."""
    module = sys.modules.get(PROGRAM[0])
    return next((name for name, each in list(sys.modules.items()) if each is module and name not in PROGRAM), None)


# --- From a name -----------------------------------------------------------------------------------------


def _place_without_file(name: str) -> ModulePlace | None:
    """Return the place of a module that is a text alone: its path is its name in angle brackets, which no file has."""
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in name.split(".")):
        return None
    return ModulePlace(name, f"<{name}>")


def _place_of_name(name: str, loaded: Modules) -> ModulePlace | Diagnostic:
    if (file := loaded.file_of(name)) is not None:
        return ModulePlace(name, file)
    if why := refusal(name, ""):
        return _problem(name, why, "refused")
    module = sys.modules.get(name)
    spec: ModuleSpec | None = module_value(module, "__spec__") if is_module(module) else None
    if module is None:
        try:
            spec = importlib.util.find_spec(name)
        except Exception as error:  # whatever the body of a parent package raised
            return _problem(name, f"no module {name!r} was found: {type(error).__name__}: {error}", "not-found")
        if spec is None:
            return _problem(name, f"no module {name!r} was found on sys.path; give the path of its file", "not-found")
    path = (spec.origin if spec is not None and spec.has_location else None) or _file_of(module)
    if path is None:
        return _problem(name, f"{name} comes from no source file, so there is nothing to load again", "refused")
    if not path.endswith(".py"):
        return _problem(path, refusal(name, path) or f"{name} was not loaded from a .py file", "refused")
    return ModulePlace(name, os.path.abspath(path))
