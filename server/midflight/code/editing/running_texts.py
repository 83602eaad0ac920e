"""The texts that run of one file, each with the file name that its code has, for a debugger."""

from __future__ import annotations

import os
from dataclasses import dataclass

from midflight.code.source.find_module import ModulePlace, locate
from midflight.code.version.modules import LOADED, Module, all_modules, module_of
from midflight.code.version.snapshots import real_path
from midflight.code.version.version import Version
from midflight.errors import UnknownModuleError

__all__ = ["RunningText", "running_texts", "text_behind"]


@dataclass(frozen=True, slots=True)
class RunningText:
    """The text of one version that something can run. `file` is what its code names as its file, `path` what people
    edit; they are the same for a version that Python itself imported."""

    module: str
    version: int
    file: str
    path: str
    text: str
    is_current: bool


def running_texts(path: str) -> tuple[RunningText, ...]:
    """Return what runs, or can, of the file `path`, oldest first, the current version last; () if nothing is known."""
    place = locate(os.path.abspath(path), LOADED)
    if not isinstance(place, ModulePlace):
        return ()
    try:
        record = module_of(place.name)
    except UnknownModuleError:
        return ()
    versions = [each for each in record.versions.values() if each.namespace is not None or each is record.current]
    found = [_running(record, each) for each in versions if os.path.realpath(each.path) == os.path.realpath(path)]
    return tuple(sorted((each for each in found if each is not None), key=lambda it: (it.is_current, it.version)))


def text_behind(file: str) -> RunningText | None:
    """Return the text that code runs whose file name is `file`; None if that is not known to be of a version."""
    path, number = real_path(file)
    if number is None:
        return next((each for each in running_texts(path) if each.file == file), None)
    for record in all_modules():
        version = record.versions.get(number)
        if version is not None and version.snapshot is not None and version.snapshot.file == file:
            return _running(record, version)
    return None


def _running(record: Module, version: Version) -> RunningText | None:
    text = version.text
    file = version.path if version.is_imported or version.snapshot is None else version.snapshot.file
    if text is None:
        return None
    return RunningText(record.name, version.number, file, version.path, text, version is record.current)
