"""The source of classes of older versions. A class knows no file, only its module's name; `inspect` asks that module.

So of all versions of a class it would show the text of one, at a line of another (3.13). Here `inspect.getfile` learns
which version made a class; `getsource`, `getsourcelines`, pdb and IPython go by what it says. For all else, and for the
classes of the version that the real file's name stands for, it is Python's own.
"""

from __future__ import annotations

import functools
import inspect
import os
import threading
from collections.abc import Iterator
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from midflight.code.source.look import carried_module, carried_name, class_names, is_class
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import known
from midflight.code.version.version import Version, version_of

__all__ = ["install", "note_classes", "version_of_class"]

_installing = threading.Lock()
_versions: WeakKeyDictionary[type[Any], Version] = WeakKeyDictionary()  # weak: no book keeps a version


def note_classes(version: Version, namespace: Namespace) -> None:
    """Note that `version`, which is current now, has the classes in `namespace`: made in its text, or kept by it."""
    for value in list(namespace.values()):
        if is_class(value) and carried_module(value) == version.name:
            for cls in _with_inner(value):
                _versions[cls] = version


def version_of_class(cls: type[Any]) -> Version | None:
    """Return the version that has `cls` as it is in its text; None if that is not known."""
    found = _versions.get(cls)
    if found is not None:
        return found
    for value in list(class_names(cls).values()):  # made by a function, or put together
        if type(value) is FunctionType and value.__module__ == carried_module(cls):
            return version_of(value.__globals__)
    return None


def _with_inner(cls: type[Any]) -> Iterator[type[Any]]:
    yield cls
    for name, value in list(class_names(cls).items()):
        if is_class(value) and carried_name(value) == f"{carried_name(cls)}.{name}":
            yield from _with_inner(value)


def install() -> None:
    """Have `inspect` ask here from now on. Once is enough; done again, it does nothing."""
    with _installing:
        _install()


def _install() -> None:
    original = inspect.getfile
    if hasattr(original, "_midflight"):
        return

    @functools.wraps(original)
    def getfile(object: Any) -> str:
        file = _file_of(object) if is_class(object) else None
        return original(object) if file is None else file

    getfile._midflight = True  # type: ignore[attr-defined]  # a mark
    inspect.getfile = getfile


def _file_of(cls: type[Any]) -> str | None:
    """Return the file with the text that `cls` was made from; None if its module's file shows that."""
    version = version_of_class(cls)
    record = None if version is None else known(version.name)
    if version is None or record is None or version.snapshot is None:
        return None
    if version is record.shown and os.path.isabs(version.path):
        return None
    return version.snapshot.file
