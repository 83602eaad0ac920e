"""The adoption of a module that was only imported: it becomes version 1, where it is."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from types import ModuleType

from midflight.code.checks.findings import findings
from midflight.code.loading.lock import load_lock
from midflight.code.source.find_module import PROGRAM, ModulePlace, is_project_file
from midflight.code.source.look import is_module, module_value
from midflight.code.source.program import settle_name
from midflight.code.source.unit import Rejection, Unit, unit_at
from midflight.code.version import snapshots
from midflight.code.version.class_files import note_classes
from midflight.code.version.import_watch import imported_text, loader_of
from midflight.code.version.modules import Module, adopter, known, remember
from midflight.code.version.text_keeper import keep, write_soon
from midflight.code.version.version import Version, digest

__all__ = ["adopt", "adopt_imported", "imported_modules"]


def adopt(name: str, path: str) -> Module:
    """Return the record of the module that `sys.modules` has under `name`, made now if it has none.

    The module object, and all that hold it, stay. Its namespace becomes version 1, or the next one if the name was
    loaded before and something has put another module in its place since.
    """
    module: ModuleType = sys.modules[name]
    record = known(name)
    if record is not None and record.facade.module is module:
        return record
    new = Module(name, module, loader_of(module))
    if record is not None:
        new.versions, new.last_number, new.last_run = record.versions, record.last_number, record.last_run
    unit = _imported_unit(name, path, module)
    number = new.next_number("" if unit is None else digest(unit.text))
    if unit is None:
        version = Version(name, number, path, None, None, is_imported=True)
    else:
        snapshot = snapshots.take(name, number, path, unit.text, unit.encoding)
        version = Version(name, number, path, unit.text, snapshot, is_imported=True)
    namespace = new.facade.namespace
    if unit is not None:
        settle_name(namespace, unit.tree)
    version.settle_in(namespace)
    version.note_vsn()
    if unit is not None:
        found = findings(unit.text, unit.tree, path, namespace, module)
        version.known_problems = frozenset(finding.key for finding in found)
    new.make_current(version)
    note_classes(version, namespace)
    remember(new)
    keep([version])
    write_soon()
    return new


def _imported_unit(name: str, path: str, module: ModuleType) -> Unit | None:
    """Return the unit that the module was imported from; None if nobody can tell what that was."""
    text = imported_text(module)
    unit = None if text is None else unit_at(ModulePlace(name, path), text)
    return None if isinstance(unit, Rejection) else unit


@adopter
def adopt_imported(name: str) -> None:
    """Make version 1 of a module of the project that was imported and never loaded, so that its history is known.

    Nothing happens if the name means no such module, or if its body still runs.
    """
    for _, path, module in imported_modules([name]):
        if not _is_half_made(module):
            load_lock.call(partial(adopt, name, path))


def _is_half_made(module: ModuleType) -> bool:
    return bool(getattr(module_value(module, "__spec__"), "_initializing", False))


def imported_modules(names: Iterable[str] | None = None) -> list[tuple[str, str, ModuleType]]:
    """Return name, path and object of the project's modules that were imported and never loaded.

    `names` are those that are looked at, None for all.
    """
    items = list(sys.modules.items()) if names is None else [(each, sys.modules.get(each)) for each in names]
    return [
        (name, path, module)
        for name, module in items
        if name not in PROGRAM
        and is_module(module)
        and known(name) is None
        and type(path := module_value(module, "__file__")) is str
        and is_project_file(path)
    ]
