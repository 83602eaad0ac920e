"""The findings in a text alone, before its body is run: a load refused for them has touched nothing.

A body registers classes with others, connects and starts things. So what the text alone tells is asked first. After the
body the checks are made again, with the names that it has really made.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType

import midflight.kernel
from midflight.code.checks.findings import Finding, findings
from midflight.code.source.bindings import Bindings
from midflight.code.source.definitions import definitions_of
from midflight.code.source.unit import Unit
from midflight.code.version.facade import Namespace
from midflight.code.version.version import VERSION, Version

__all__ = ["findings_before_body", "findings_of_text"]

# Words of a text that makes names by other means than a statement, or may.
MAKES_NAMES = re.compile(
    r"\b(?:globals|locals|vars|exec|eval|setattr|__dict__|global_enum|_convert_|modules)\b|import \*"
)


def findings_before_body(unit: Unit, before: Version | None, module: ModuleType) -> tuple[Finding, ...]:
    """Return the errors of a text that no run of its body can cure; none of a text that may make names unseen."""
    if unit.is_package or MAKES_NAMES.search(unit.text):  # an import of a submodule makes a name of a package
        return ()
    return tuple(each for each in findings_of_text(unit, before, module) if each.problem.severity == "error")


def findings_of_text(unit: Unit, before: Version | None, module: ModuleType) -> tuple[Finding, ...]:
    """Return the findings of the checks in a text whose body was not run. `before` is the version that is current.

    A name that the body makes by other means than a statement counts as undefined, unless `before` has it so; of a text
    with `from x import *` no name does. In a package a module of its own is a name: an import of one binds it.
    """
    bindings = Bindings(unit.tree, unit.text)
    namespace = _stand_in(unit, module, bindings)
    if unit.is_package:
        namespace |= {name: None for name in _submodules(unit.path) if name not in namespace}
    if before is not None and before.text is not None:
        stated = definitions_of(before.text)
        namespace |= {
            name: None for name in list(before.namespace or {}) if name not in stated and name not in namespace
        }
    found = findings(unit.text, unit.tree, unit.path, namespace, module, has_run=False)
    if bindings.stars:
        found = tuple(each for each in found if each.problem.code != "undefined-name")
    return found


def _submodules(path: str) -> Iterator[str]:
    """Yield the names of the modules and packages in the folder of a package."""
    try:
        entries = list(os.scandir(os.path.dirname(path)))
    except OSError:  # a text that has no file yet
        return
    for entry in entries:
        if entry.name.endswith(".py") or os.path.exists(os.path.join(entry.path, "__init__.py")):
            yield entry.name.removesuffix(".py")


async def _process_function() -> None:
    """Stand for any process function: the checks ask one for its kind, its line and its namespace, no more."""


def _plain_function() -> None:
    """Stand for any other function."""


def _stand_in(unit: Unit, module: ModuleType, bindings: Bindings) -> Namespace:
    """Return a stand-in for a namespace whose body has run: its functions, and the names that they receive with."""
    namespace: Namespace = dict.fromkeys(bindings.by_name)
    namespace |= {"__name__": unit.name, "__file__": unit.path, "__cached__": None, VERSION: 0}
    for statement in unit.tree.body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                kind = _process_function if isinstance(statement, ast.AsyncFunctionDef) else _plain_function
                code = kind.__code__.replace(co_firstlineno=statement.lineno, co_name=name)
                namespace[name] = FunctionType(code, namespace)
            case ast.Import(names=names):
                for alias in names:
                    namespace[alias.asname or alias.name] = module if alias.name == unit.name else _imported(alias)
            case ast.ImportFrom(module="midflight", level=0, names=names):
                for alias in names:
                    namespace[alias.asname or alias.name] = getattr(midflight.kernel, alias.name, None)
    return namespace


def _imported(alias: ast.alias) -> object:
    """Return the module that an import means, if that is there already. Imports nothing."""
    return sys.modules.get(alias.name if alias.asname else alias.name.partition(".")[0])
