"""`check`: the diagnostics that a load of a text would give, as far as they are known without running it."""

from __future__ import annotations

import ast
import sys
from types import CellType, CodeType, FunctionType, ModuleType
from typing import NamedTuple

import midflight.kernel
from midflight.code.checks.findings import findings
from midflight.code.load.load import PathOrName
from midflight.code.report.load_report import SHOWN, Diagnostic
from midflight.code.source.bindings import codes_in
from midflight.code.source.definitions import definitions_of
from midflight.code.source.unit import Rejection, Unit, compile_unit, unit_of
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import known, loaded_places

__all__ = ["Checked", "check"]


class Checked(NamedTuple):
    """The diagnostics of a module's text. `is_refused` if a load would be refused for it."""

    module: str
    path: str
    problems: tuple[Diagnostic, ...]
    is_refused: bool

    @property
    def summary(self) -> str:
        """The one line for an echo area."""
        kept = "Nothing was run or loaded."
        if not self.problems:
            return f"{self.module}: no problem found. {kept}"
        said = [f"line {each.line}, {each.message.rstrip('.')}" for each in self.problems[:SHOWN]]
        more = f"; and {len(self.problems) - SHOWN} more" if len(self.problems) > SHOWN else ""
        would = "would not be loaded" if self.is_refused else "could be loaded"
        return f"{self.module} {would}: {'; '.join(said)}{more}. {kept}"

    @property
    def text(self) -> str:
        """All of it, each problem as path:line:column."""
        lines = (f"  {each.path}:{each.line}:{each.column}: {each.message}" for each in self.problems)
        return "\n".join([self.summary, *lines]) + "\n"


def check(path_or_name: PathOrName, source: str | None = None) -> Checked:
    """Compile a module and run a load's checks of its text. Its body is not run, and nothing changes.

    So a name that the body makes by other means than a statement counts as undefined, unless what runs has it from
    such means; of a text with `from x import *` no name does.

    Example:

        found = code.check("shop", "def price(): return prise")
        [(each.line, each.code) for each in found.problems]  # -> [(1, 'undefined-name')]
    """
    unit = unit_of(path_or_name, source, loaded_places())
    if isinstance(unit, Rejection):
        return Checked(unit.name, unit.path, (unit.problem,), True)
    code = compile_unit(unit.tree, unit, unit.path)
    if isinstance(code, Diagnostic):
        return Checked(unit.name, unit.path, (code,), True)
    record = known(unit.name)
    before = None if record is None else record.current
    module = ModuleType(unit.name) if record is None else record.facade.module
    namespace = _stand_in(unit, code, module)
    if before is not None and before.text is not None:
        stated = definitions_of(before.text)
        namespace |= {name: None for name in before.namespace or {} if name not in stated and name not in namespace}
    found = findings(unit.text, unit.tree, unit.path, namespace, module)
    if any(isinstance(each, ast.ImportFrom) and each.names[0].name == "*" for each in ast.walk(unit.tree)):
        found = tuple(each for each in found if each.problem.code != "undefined-name")
    accepted = (before.known_problems if before is not None else None) or frozenset()
    return Checked(
        unit.name,
        unit.path,
        tuple(each.problem for each in found),
        any(each.problem.severity == "error" and each.key not in accepted for each in found),
    )


def _stand_in(unit: Unit, code: CodeType, module: ModuleType) -> Namespace:
    """Return what the checks look up in a namespace whose body has run: its functions, and what they receive with."""
    namespace: Namespace = {"__name__": unit.name, "__file__": unit.path}
    own = {(each.co_name, each.co_firstlineno): each for each in codes_in(code)}
    for statement in unit.tree.body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if (name, statement.lineno) in own:
                function = own[name, statement.lineno]
                cells = tuple(CellType() for _ in function.co_freevars)  # of its type parameters
                namespace[name] = FunctionType(function, namespace, closure=cells or None)
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
