"""Modules whose file on disk differs from the text that runs, or is gone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from midflight.code.load.adopt import imported_modules
from midflight.code.source.unit import read_text
from midflight.code.version.import_watch import imported_text, is_changed_on_disk
from midflight.code.version.modules import all_modules
from midflight.code.version.version import Version, digest

__all__ = ["MissingModule", "file_with", "gone_modules", "missing_modules", "modified_modules", "saved_modules"]


class MissingModule(NamedTuple):
    """A module that runs and whose file is gone. `renamed_to` is a file in its folder with the same text, else None."""

    module: str
    path: str
    renamed_to: str | None

    def __str__(self) -> str:
        new = f", and {self.renamed_to} has its text" if self.renamed_to is not None else ""
        return (
            f"{self.module}: its file {self.path} is gone{new}. The module goes on with what was loaded; "
            f"code.delete({self.module!r}) lets go of it."
        )


def modified_modules() -> tuple[str, ...]:
    """Return the names of the modules whose file differs from the loaded text, sorted.

    Those too of the project's modules that were only imported, as far as that can be known.
    OTP: code:modified_modules/0.

    Example:

        code.modified_modules()  # -> ()
        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        code.modified_modules()  # -> ('shop',)
    """
    names = [module.name for module in all_modules() if _is_modified(module.current)]
    names += [name for name, _, module in imported_modules() if is_changed_on_disk(module)]
    return tuple(sorted(names))


def saved_modules(files: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the modules that come from `files`, real paths, and do not run what these have, sorted.

    A file that cannot be read as a text is not what runs either: its load says why.
    """
    wanted = set(files)
    names = [
        module.name
        for module in all_modules()
        if module.current is not None and _is_among(module.current.path, wanted) and not _is_same(module.current)
    ]
    names += [
        name
        for name, path, module in imported_modules()
        if _is_among(path, wanted) and os.path.exists(path) and is_changed_on_disk(module) is not False
    ]
    return tuple(sorted(names))


def gone_modules(files: Iterable[str]) -> tuple[MissingModule, ...]:
    """Return those of `missing_modules` whose files are among `files`."""
    wanted = set(files)
    return tuple(each for each in missing_modules() if os.path.realpath(each.path) in wanted)


def _is_among(path: str, wanted: set[str]) -> bool:
    return os.path.isabs(path) and os.path.realpath(path) in wanted


def _is_same(version: Version) -> bool:
    if not os.path.exists(version.path):
        return True  # it is gone, which is said in another way
    text = read_text(version.path)
    return isinstance(text, str) and digest(text) == version.digest


def _is_modified(version: Version | None) -> bool:
    if version is None:
        return False
    text = read_text(version.path)
    return isinstance(text, str) and digest(text) != version.digest


def missing_modules() -> tuple[MissingModule, ...]:
    """Return the modules whose file was deleted or renamed since they were loaded or imported, sorted by name.

    OTP: nothing like it; code:modified_modules/0 leaves them out.

    Example:

        code.missing_modules()  # -> ()
    """
    return tuple(sorted(_missing()))


def _missing() -> Iterator[MissingModule]:
    for record in all_modules():
        version = record.current
        if version is not None and os.path.isabs(version.path) and not os.path.exists(version.path):
            yield MissingModule(record.name, version.path, file_with(version.text, version.path))
    for name, path, module in imported_modules():
        if not os.path.exists(path) and (text := imported_text(module)) is not None:
            yield MissingModule(name, path, file_with(text, path))


def file_with(text: str | None, gone: str) -> str | None:
    """Return the path of a file next to the one that is gone, and with its text; None if there is none."""
    folder = os.path.dirname(gone)
    if text is None or not os.path.isdir(folder):
        return None
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.endswith(".py") and read_text(path) == text:
            return path
    return None
