"""The adoption of a module that was only imported: it becomes version 1, where it is."""

from __future__ import annotations

import ast
import os
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER
from types import CodeType, FunctionType, ModuleType
from typing import Any

from midflight.code.checks.findings import findings
from midflight.code.source.bindings import codes_in
from midflight.code.source.find_module import PROGRAM, ModulePlace, is_project_file
from midflight.code.source.same_value import same
from midflight.code.source.unit import Rejection, Unit, unit_at
from midflight.code.version import snapshots
from midflight.code.version.class_files import note_classes
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import Module, known, remember
from midflight.code.version.version import Version
from midflight.parsing import UNPARSABLE

__all__ = ["adopt", "changed_since_import", "imported_modules"]


def adopt(name: str, path: str) -> Module:
    """Return the record of the module that `sys.modules` has under `name`, made now if it has none.

    The module object, and all that hold it, stay. Its namespace becomes version 1, or the next one if the name was
    loaded before and something has put another module in its place since.
    """
    module: ModuleType = sys.modules[name]
    record = known(name)
    if record is not None and record.facade.module is module:
        return record
    new = Module(name, module)
    if record is not None:
        new.versions, new.last_number = record.versions, record.last_number
    number = new.last_number + 1
    unit = _imported_unit(name, path, module)
    if unit is None:
        version = Version(name, number, path, None, None, is_imported=True)
    else:
        snapshot = snapshots.take(name, number, path, unit.text, unit.encoding)
        version = Version(name, number, path, unit.text, snapshot, is_imported=True)
    namespace = new.facade.namespace
    version.settle_in(namespace)
    version.note_vsn()
    if unit is not None:
        found = findings(unit.text, unit.tree, path, namespace, module)
        version.known_problems = frozenset(finding.key for finding in found)
    new.make_current(version)
    note_classes(version, namespace)
    remember(new)
    return new


def _imported_unit(name: str, path: str, module: ModuleType) -> Unit | None:
    """Return the unit that the module was imported from; None if its file has changed since: nobody can tell."""
    unit = unit_at(ModulePlace(name, path), None)
    if isinstance(unit, Rejection) or changed_since_import(unit, module) is not False:
        return None
    return unit


def changed_since_import(unit: Unit, module: ModuleType) -> bool | None:
    """Say whether a module's file, as read in `unit`, differs from what was imported; None if that cannot be known.

    The cached byte code tells when the source was compiled. Without it, functions and constants tell: if those of the
    file are the ones in the module, byte for byte, the text is taken for the same.
    """
    if type(getattr(module, "__loader__", None)) is not SourceFileLoader:
        return None  # one that may make other code of the source, as pytest's does of tests
    cached = getattr(module, "__cached__", None)
    by_cache = _changed_by_cache(unit.path, cached)
    if by_cache or (by_cache is False and not _is_too_fresh(unit.path, cached)):
        return by_cache
    try:
        compiled = compile(unit.text, unit.path, "exec", dont_inherit=True)
    except UNPARSABLE:
        return True
    expected = {code.co_qualname: code for code in codes_in(compiled)}
    namespace = vars(module)
    found = _functions(namespace)
    compared = [code == expected.get(name) for name, code in found.items()]
    compared += [same(namespace.get(name, ...), value) for name, value in _constants(unit.tree)]
    return not all(compared) if compared else by_cache


def _changed_by_cache(path: str, cached: object) -> bool | None:
    if not isinstance(cached, str):
        return None
    try:
        with open(cached, "rb") as stream:
            header = stream.read(16)
        status = os.stat(path)
    except OSError:
        return None
    if len(header) < 16 or header[:4] != MAGIC_NUMBER or header[4:8] != bytes(4):
        return None  # of another interpreter, or told apart by the source's hash
    expected = [int(status.st_mtime), status.st_size]
    noted = [int.from_bytes(header[start : start + 4], "little") for start in (8, 12)]
    return noted != [number & 0xFFFFFFFF for number in expected]


def _is_too_fresh(path: str, cached: Any) -> bool:
    """Say whether the byte code was written within two seconds of the text: its time then proves nothing."""
    try:
        return os.stat(cached).st_mtime - os.stat(path).st_mtime < 2
    except OSError:
        return True


def _constants(tree: ast.Module) -> Iterator[tuple[str, object]]:
    """Yield the names that a text binds once only, to a number, a text or the like, each with that."""
    bound = Counter(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    rebound = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                if bound[name] == 1 and name not in rebound:
                    yield name, value


def _functions(namespace: Namespace) -> dict[str, CodeType]:
    """Return the code of the functions that the module's own text defines at the top level, as they are."""
    return {
        name: value.__code__
        for name, value in namespace.items()
        if isinstance(value, FunctionType) and value.__globals__ is namespace and value.__code__.co_qualname == name
    }


def imported_modules() -> list[tuple[str, str, ModuleType]]:
    """Return name, path and object of the project's modules that were imported and never loaded."""
    return [
        (name, path, module)
        for name, module in list(sys.modules.items())
        if name not in PROGRAM
        and isinstance(module, ModuleType)
        and known(name) is None
        and isinstance(path := vars(module).get("__file__"), str)
        and is_project_file(path)
    ]
