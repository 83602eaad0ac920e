"""The modules of a folder for a load of several: of its files, the ones that the program has."""

from __future__ import annotations

import os

from midflight.code.load.adopt import imported_modules
from midflight.code.version.modules import all_modules

__all__ = ["files_in"]


def files_in(folder: str | os.PathLike[str]) -> list[str]:
    """Return the files of the loaded and imported modules in `folder` and below it, sorted.

    If there are none, the `__init__.py` of the package that it is, whose import brings the modules that it needs; none
    if it is not a package. Files that nobody has imported stay out: a test or a script would run.
    """
    inside = os.path.realpath(folder) + os.sep
    loaded = [(record.name, record.path) for record in all_modules()]
    places = [*loaded, *((name, path) for name, path, _ in imported_modules())]
    found = {path for _, path in places if os.path.realpath(path).startswith(inside) and os.path.isfile(path)}
    if not found:
        found = {path for path in [os.path.join(os.path.abspath(folder), "__init__.py")] if os.path.isfile(path)}
    return sorted(found)
