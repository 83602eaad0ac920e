"""The pytest plugin of one run of a package's tests: its modules are imported and loaded first, as the plan says.

The plan is a file of JSON, named by MIDFLIGHT_PLAN: {"modules": ["h11._util", ...], "order": "import", "seed": 1,
"said": FILE}. Orders: "plain" (nothing is loaded), "import", "random", "together". At random, what the reports say is
done afterwards: the modules that they name under stale imports are loaded together. Each module is loaded three times:
as it is, with a comment, with a docstring edited. FILE gets a line of JSON for each of the three:

    {"edit": "comment", "loaded": 12, "refused": {"h11._events": "h11._events not loaded: ..."}, "mixed": ["h11.Data"]}
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from peers.packages.edits import with_comment, with_docstring

EDITS: dict[str, Callable[[str], str]] = {"none": str, "comment": with_comment, "docstring": with_docstring}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None, Any, Any]:
    """Load before any test or conftest.py imports the package: pytest imports those in a wrapper of this hook.

    Outside of a runtime, in which `sys.stdout` is another object: structlog keeps the one that it was imported with.
    """
    plan = json.loads(Path(os.environ["MIDFLIGHT_PLAN"]).read_text(encoding="utf-8"))
    if plan["order"] != "plain":
        from midflight.code import lowlevel

        lowlevel.watch_imports()
        _load_all(plan)
    return (yield)


def _load_all(plan: dict[str, Any]) -> None:
    modules: list[str] = plan["modules"]
    shuffled = random.Random(plan["seed"])
    for name in modules:
        importlib.import_module(name)
    paths = {name: Path(sys.modules[name].__file__ or "") for name in modules}
    texts = {name: path.read_text(encoding="utf-8") for name, path in paths.items()}
    for title, edit in EDITS.items():
        for name, path in paths.items():
            path.write_text(edit(texts[name]), encoding="utf-8")
        match plan["order"]:
            case "import":
                refused, _ = _load_each(modules)
            case "random":
                refused, stale = _load_each(shuffled.sample(modules, len(modules)))
                refused |= _load_together([name for name in modules if name in stale])
            case _:
                refused = _load_together(modules)
        said = {
            "edit": title,
            "loaded": len(modules) - len(refused),
            "refused": refused,
            "mixed": list(_mixed(modules)),
        }
        with open(plan["said"], "a", encoding="utf-8") as out:
            out.write(json.dumps(said) + "\n")


def _load_each(names: list[str]) -> tuple[dict[str, str], set[str]]:
    """Load one after the other; return who was refused, and the modules that reports want loaded together."""
    from midflight import code

    refused: dict[str, str] = {}
    wanted: set[str] = set()
    for name in names:
        try:
            stale = {each.module for each in code.load(name).stale_imports}
            wanted |= {name, *stale} if stale else set()
        except code.LoadError as error:
            refused[name] = str(error)
    return refused, wanted


def _load_together(names: list[str]) -> dict[str, str]:
    from midflight import code

    try:
        code.load_many(names)
    except code.LoadError as error:
        return dict.fromkeys(names, str(error))
    return {}


def _mixed(modules: list[str]) -> Iterator[str]:
    """Yield the names in `modules` whose function or class is not what the module that made it has now."""
    for name in modules:
        for key, value in list(vars(sys.modules[name]).items()):
            if type(value) is not FunctionType and not isinstance(value, type):
                continue
            maker = sys.modules.get(value.__module__)
            if value.__module__ in modules and maker is not None:
                now = vars(maker).get(value.__qualname__)
                if now is not None and now is not value and type(now) is type(value):
                    yield f"{name}.{key}"
