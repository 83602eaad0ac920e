"""Methods about recorded orders of upgrade.

(call 4 code/plan (("store" "desk") nil))
(return 4 (:status "dry-run" :modules (("desk" "/project/desk.py" "3fa4..." "90bc...") ...)
           :does ("load desk as version 2" ...) :text ... :reports ... ))
"""

from __future__ import annotations

from typing import Any

from midflight import code
from midflight.code import lowlevel
from midflight.epc.method import Method
from midflight.epc.methods.arguments import modules_of
from midflight.epc.methods.code import CodeMethods
from midflight.epc.methods.loading import Plist
from midflight.errors import LoadError, RequestError

__all__ = ["PlanMethods"]


class PlanMethods:
    """Plans of upgrades, as one connection may make and check them. `upgrades` rehearses them."""

    def __init__(self, upgrades: CodeMethods) -> None:
        self._upgrades = upgrades

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (Method("code/plan", self.plan), Method("code/plan-check", self.check))

    def plan(self, modules: object, options: object = None) -> Plist:
        """Rehearse an upgrade of MODULES, nil for those whose file was changed, and say in which order they are made.

        The answer is that of a dry run of code/upgrade-many, with `:modules`, each (MODULE PATH BEFORE AFTER), and
        `:does`, the steps in words.
        """
        wanted = list(code.modified_modules()) if modules is None else modules_of(modules)
        if not wanted:
            raise RequestError(
                "No module's file differs from what runs; no plan was made. Save a change, or name some."
            )
        given = dict(options) if isinstance(options, dict) else {}
        try:
            planned = lowlevel.planned_modules(wanted)
        except LoadError as error:
            raise RequestError(f"No plan was made. {error}") from None
        except ValueError as error:
            raise RequestError(f"{error}.") from None
        found = self._upgrades.upgrade_many([each.path for each in planned], {**given, "dry_run": True})
        return found | {"modules": [list(each) for each in planned], "does": _steps(found)}

    def check(self, planned: object) -> list[str]:
        """Say what has changed since a plan was made; PLANNED is the `:modules` of it."""
        match planned:
            case list() if all(isinstance(each, list) and len(each) == 4 for each in planned):
                return list(lowlevel.plan_faults(lowlevel.PlannedModule(*map(str, each)) for each in planned))
        raise RequestError(f"PLANNED must be the modules of a plan, received {planned!r}; nothing was done.")


def _steps(report: Plist) -> list[str]:
    """Say what an upgrade does, in its order: the modules as they are made, then their servers; [] if it is refused."""
    if report["status"] == "failed":
        return []
    reports: Any = report["reports"]
    loads = [f"load {each['module']} as version {each['version']}" for each in reports]
    servers = [each for module in reports for each in module["upgraded"] or []]
    changes = [
        f"{each['pid']}{' (' + each['name'] + ')' if each['name'] else ''}: {each['before']} -> {each['after']}"
        for each in servers
        if each["before"] != each["after"]
    ]
    held = [f"suspend {len(servers)} server{'s' * (len(servers) != 1)}", *changes] if servers else []
    return [*loads, *held, "make all of it current in one step", *(["resume them"] if servers else [])]
