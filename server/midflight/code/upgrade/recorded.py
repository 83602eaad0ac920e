"""A recorded order of upgrade: the modules, the texts they come from and go to, and what has changed since. A relup."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from midflight.code.load.load import PathAndText, PathOrName, units_of
from midflight.code.load.load_order import in_order
from midflight.code.load.transaction import units_in
from midflight.code.source.unit import Rejection, unit_of
from midflight.code.version.modules import LOADED, module_of
from midflight.code.version.version import digest
from midflight.errors import UnknownModuleError

__all__ = ["PlannedModule", "plan_faults", "planned_modules"]


class PlannedModule(NamedTuple):
    """A module of a plan. `before` and `after` are digests of the text that runs, "" for none, and of the new one."""

    module: str
    path: str
    before: str
    after: str


def planned_modules(modules: Iterable[PathOrName | PathAndText]) -> tuple[PlannedModule, ...]:
    """Return the modules in the order in which an upgrade of all makes them: one that is imported comes first.

    Raises: LoadError for one that has no text, or a text with a syntax error; ValueError for one given twice.
    """
    units = in_order(units_in(units_of(modules))).units
    return tuple(PlannedModule(each.name, each.path, _running(each.name), digest(each.text)) for each in units)


def plan_faults(planned: Iterable[PlannedModule]) -> tuple[str, ...]:
    """Say of each module that is not as it was when the plan was made what is different; nothing if all are."""
    return tuple(fault for each in planned if (fault := _fault(each)))


def _fault(planned: PlannedModule) -> str | None:
    running, unit = _running(planned.module), unit_of(planned.path, None, LOADED)
    if running == planned.after:
        return f"{planned.module} runs the plan's new text already"
    if running != planned.before:
        return f"{planned.module} runs another text than when the plan was made"
    if isinstance(unit, Rejection):
        return f"{planned.module}: {unit.problem.message}"
    return None if digest(unit.text) == planned.after else f"{planned.path} was changed since the plan was made"


def _running(name: str) -> str:
    try:
        current = module_of(name).current
    except UnknownModuleError:
        return ""
    return "" if current is None else current.digest
