"""The running version of a file that is being edited: its module, and the text of the module's current version."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from midflight.code.source.find_module import ModulePlace, locate
from midflight.code.source.look import is_module
from midflight.code.version.import_watch import imported_text
from midflight.code.version.modules import LOADED, known

__all__ = ["Running", "running_at"]


@dataclass(frozen=True, slots=True)
class Running:
    """The running module of a file. `version` is None for a module that was only imported, `text` if not known."""

    name: str
    version: int | None
    text: str | None


def running_at(path: str) -> Running | None:
    """Return the running module of the file `path`; None if no module of it is loaded or imported. Changes nothing."""
    place = locate(os.path.abspath(path), LOADED)
    if not isinstance(place, ModulePlace):
        return None
    record = known(place.name)
    if record is not None:
        current = record.current
        if current is None or not _is_same(current.path, path):
            return None
        return Running(place.name, current.number, current.text)
    module = sys.modules.get(place.name)
    file = getattr(module, "__file__", None)
    if not is_module(module) or not isinstance(file, str) or not _is_same(file, path):
        return None
    return Running(place.name, None, imported_text(module))


def _is_same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
