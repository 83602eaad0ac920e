"""Recorded orders of upgrade: `midflight upgrade --plan` writes one, `midflight upgrade` without modules follows it.

A plan is a JSON file that people read and edit: its steps are done in their order, each of them whole or not at all.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from midflight.cli.show import ask, ask_for_load, root_of
from midflight.errors import NotFound, RequestError

__all__ = ["is_plan", "make_plan", "plan_of", "steps_of"]

NAME = "upgrade-plan.json"
FORMAT = 1


def is_plan(name: str) -> bool:
    return name.endswith(".json")


def make_plan(options: argparse.Namespace, modules: Sequence[str], near: str) -> dict[str, Any]:
    """Write the plan of an upgrade of `modules`, none for those that were saved; return the report of its rehearsal.

    Nothing is written if it would be refused. Raises: RequestError.
    """
    path = _path(options, options.plan if isinstance(options.plan, str) else NAME, near)
    if not is_plan(path.name):
        raise RequestError(f"{path.name} is not the name of a plan, which ends in .json; write modules before --plan")
    chosen = {name: value for name in ("extra", "timeout") if (value := getattr(options, name)) is not None}
    if options.force:
        chosen["force"] = True
    report: dict[str, Any] = ask_for_load(options, "code/plan", list(modules) or None, chosen or None, near=near)
    root = root_of(options, near)
    planned, does = report.pop("modules"), report.pop("does")
    if report["status"] == "failed":
        return report
    step = {"modules": [each[0] for each in planned], "extra": options.extra, "does": does}
    plan = {
        "midflight-upgrade-plan": FORMAT,
        "steps": [step],
        "modules": {
            name: {"path": _shown(root, file), "before": before, "after": after}
            for name, file, before, after in planned
        },
    }
    try:
        path.write_text(json.dumps(plan, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise RequestError(f"{path} could not be written ({error.strerror}); no plan was made") from error
    lines = [f"Plan written to {path}", *(f"  {line}" for line in step["does"]), "", str(report["text"])]
    return report | {"plan": str(path), "steps": [step], "text": "\n".join(lines)}


def plan_of(options: argparse.Namespace, name: str | None) -> list[dict[str, Any]]:
    """Return the steps of a plan, each with its `paths`, after a look whether all is as it was when it was made.

    Raises: RequestError if it is not, or the file is not a plan; NotFound.
    """
    path = _path(options, name or NAME, ".")
    try:
        plan = json.loads(path.read_text("utf-8"))
        steps = steps_of(plan)
        modules = plan["modules"]
        root = root_of(options)
        planned = [
            [each, str(root / modules[each]["path"]), modules[each]["before"], modules[each]["after"]]
            for step in steps
            for each in step["modules"]
        ]
    except FileNotFoundError:
        raise NotFound(
            f"There is no plan {path}; nothing was done. Name modules, or make a plan: midflight upgrade --plan"
        ) from None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise RequestError(f"{path} is not a plan of an upgrade ({error}); nothing was done. Make it again") from error
    faults = ask(options, "code/plan-check", planned) or []
    if faults:
        raise RequestError(f"{path} does not fit any more: {'; '.join(faults)}; nothing was done. Make it again")
    paths = {each[0]: each[1] for each in planned}
    return [{**step, "paths": [paths[each] for each in step["modules"]]} for step in steps]


def steps_of(plan: Any) -> list[dict[str, Any]]:
    """Return the steps of a plan. Raises: ValueError, LookupError or TypeError for another value."""
    if plan["midflight-upgrade-plan"] != FORMAT:
        raise ValueError(f"of another format than {FORMAT}")
    steps: list[dict[str, Any]] = plan["steps"]
    named = [each for step in steps for each in step["modules"]]
    if not named or sorted(named) != sorted(plan["modules"]):
        raise ValueError("the modules of its steps are not those below them")
    if any(not isinstance(step.get("extra"), str | None) for step in steps):
        raise ValueError("extra must be a text in Python, or null")
    return steps


def _path(options: argparse.Namespace, name: str, near: str) -> Path:
    return root_of(options, near) / name if name == NAME else Path(name).absolute()


def _shown(root: Path, file: str) -> str:
    path = Path(file)
    return str(path.relative_to(root)) if path.is_relative_to(root) else file
