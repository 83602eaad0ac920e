"""Modules that change under a test: a project folder, and the versions in tests/modules put into it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

from midflight import code
from midflight.code.version import hooks, modules

MODULES = Path(__file__).parent.parent / "modules"


def text_of(version: str) -> str:
    """Return the text of a file of tests/modules, as `counter_v1`."""
    return (MODULES / f"{version}.py").read_text(encoding="utf-8")


class Project:
    """A folder with modules in it that are loaded from there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, relative: str) -> str:
        """Return the path of a file of the project."""
        return str(self.root / relative)

    def write(self, relative: str, text: str) -> str:
        """Write a file of the project and return its path."""
        path = self.root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return str(path)

    def put(self, version: str) -> str:
        """Write `counter_v1` of tests/modules as counter.py and return its path."""
        return self.write(f"{version.partition('_')[0]}.py", text_of(version))

    def load(self, version: str, **options: Any) -> code.LoadReport:
        """Put a version of tests/modules into the project and load it."""
        return code.load(self.put(version), **options)

    def load_text(self, name: str, text: str, **options: Any) -> code.LoadReport:
        """Write the module `name` of the project and load it."""
        return code.load(self.write(f"{name}.py", text), **options)


def modules_of(project: Project, loaded: dict[str, ModuleType]) -> list[str]:
    """Return the names in `loaded` of the modules whose file or folder is in the project."""
    root = str(project.root)
    found = []
    for name, module in loaded.items():
        names = vars(module) if isinstance(module, ModuleType) else {}
        if any(str(place).startswith(root) for place in (names.get("__file__"), *names.get("__path__", ()))):
            found.append(name)
    return found


@contextmanager
def project_in(root: Path) -> Iterator[Project]:
    """Give the project in folder `root`. What was loaded from it is gone after the block, as in a new interpreter."""
    project = Project(root)
    path, known, values = list(sys.path), dict(modules._modules), dict(hooks._values)
    try:
        yield project
    finally:
        for name in modules_of(project, dict(sys.modules)):
            del sys.modules[name]
        sys.path[:] = path
        modules._modules.clear()
        modules._modules.update(known)
        hooks._values.clear()
        hooks._values.update(values)


def forget_modules_in(folder: Path) -> None:
    """Let the interpreter and the code server know nothing of the modules whose files are in `folder`.

    There is one code server in an interpreter, so the next test would find them: a name taken, a number used.
    """
    ours = [name for name, module in sys.modules.items() if _is_in(folder, getattr(module, "__file__", None))]
    ours += [name for name, module in modules._modules.items() if _is_in(folder, module.path)]
    for name in ours:
        sys.modules.pop(name, None)
        modules._modules.pop(name, None)


def _is_in(folder: Path, file: object) -> bool:
    return isinstance(file, str) and Path(file).is_relative_to(folder)
