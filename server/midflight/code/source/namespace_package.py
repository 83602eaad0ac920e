"""Folders without an `__init__.py` that a program imports from by their name, as `app.worker`.

To Python each folder below one of `sys.path` is such a package, so only the program says which it means: a file that
imports `app.worker`, or a relative import. A folder of scripts that import each other by their bare names is not one.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

__all__ = ["root_of_namespace_package"]

MOST_FILES = 400  # looked at for an import; a project with more says it with `source-roots`
MOST_BYTES = 500_000

RELATIVE = re.compile(rb"^[ \t]*from[ \t]+\.", re.MULTILINE)


def root_of_namespace_package(path: str, folder: str) -> str | None:
    """Return the folder of `sys.path` from which the program imports the file `path`, in `folder`, by a dotted name.

    None if `folder` is in `sys.path` itself, or nothing in the program says that it is a package.
    """
    if folder in sys.path:  # the common case, and the file system need not be asked
        return None
    entries = {os.path.realpath(entry) for entry in sys.path}  # "" is the working folder
    real = os.path.realpath(folder)
    if real in entries:
        return None
    root = os.path.dirname(real)
    while root not in entries:
        if root == (root := os.path.dirname(root)):
            return None
    parts = os.path.relpath(real, root).split(os.sep)
    if not all(part.isidentifier() for part in parts):
        return None
    return root if _is_imported_from(path, root, ".".join(parts)) else None


def _is_imported_from(path: str, root: str, package: str) -> bool:
    own = _read(path)
    last = os.path.basename(path).removesuffix(".py").encode()
    if re.search(rb"^[ \t]*(?:import|from)[ \t]+%s\b(?!\.)" % re.escape(last), own, re.MULTILINE):
        return False  # it imports itself by its bare name, as a process function does to change its version
    if package in sys.modules or RELATIVE.search(own):
        return True
    importing = re.compile(
        rb"^[ \t]*(?:import|from)[ \t]+%s(?:\.\w|[ \t]+import\b)" % re.escape(package.encode()), re.MULTILINE
    )
    return importing.search(own) is not None or any(importing.search(_read(file)) for file in _files(root))


def _files(root: str) -> Iterator[str]:
    """Yield the Python files below `root` that may be the program's, no more than MOST_FILES."""
    count = 0
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name.isidentifier() and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        )
        for name in sorted(files):
            if name.endswith(".py"):
                count += 1
                if count > MOST_FILES:
                    return
                yield os.path.join(folder, name)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(MOST_BYTES)
    except OSError:
        return b""
