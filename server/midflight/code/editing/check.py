"""`check`: the diagnostics that a load of a text would give, as far as they are known without running it."""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

from midflight.code.checks.before_body import findings_of_text
from midflight.code.load.load import PathOrName
from midflight.code.report.load_report import SHOWN, Diagnostic
from midflight.code.source.unit import Rejection, compile_unit, unit_of
from midflight.code.version.modules import LOADED, known

__all__ = ["Checked", "check"]


class Checked(NamedTuple):
    """The diagnostics of a module's text. `is_refused` if a load would be refused for it."""

    module: str
    path: str
    problems: tuple[Diagnostic, ...]
    is_refused: bool

    @property
    def summary(self) -> str:
        """The summary for an echo area, in one line."""
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
    unit = unit_of(path_or_name, source, LOADED)
    if isinstance(unit, Rejection):
        return Checked(unit.name, unit.path, (unit.problem,), True)
    code = compile_unit(unit.tree, unit, unit.path)
    if isinstance(code, Diagnostic):
        return Checked(unit.name, unit.path, (code,), True)
    record = known(unit.name)
    before = None if record is None else record.current
    module = ModuleType(unit.name) if record is None else record.facade.module
    found = findings_of_text(unit, before, module)
    accepted = (before.known_problems if before is not None else None) or frozenset()
    return Checked(
        unit.name,
        unit.path,
        tuple(each.problem for each in found),
        any(each.problem.severity == "error" and each.key not in accepted for each in found),
    )
