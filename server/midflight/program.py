"""The function that a program begins with: named on the command line, or in `[tool.midflight] start` of its project."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from midflight import code
from midflight.code.lowlevel import last_text_of
from midflight.errors import RequestError

__all__ = [
    "configured_applications",
    "configured_code",
    "configured_start",
    "configured_store",
    "forwards",
    "function_of",
    "runs_bodies_on_runtime",
    "takes_plain_cookie",
]


def function_of(target: str) -> Callable[..., Any]:
    """Load the module of `target`, FILE:FUNCTION or MODULE:FUNCTION, and return the function.

    If a store has offered the text that ran last (`code="last"`) that is loaded.

    Raises: LoadError; RequestError if the target has another form or the module no such function.
    """
    module, _, name = target.rpartition(":")
    if not module or not name.isidentifier():
        raise RequestError(
            f"{target!r} names no function; nothing was run. Write FILE:FUNCTION or MODULE:FUNCTION, "
            "for instance counter.py:start."
        )
    meant = os.path.abspath(module) if module.endswith(".py") else module
    report = code.load(meant, source=last_text_of(meant))
    function: Callable[..., Any] | None = getattr(sys.modules[report.module], name, None)
    if not callable(function):
        raise RequestError(f"{report.module} has no function {name}; nothing was run. See its definitions.")
    return function


def configured_start(root: Path) -> str | None:
    """Return `start` of `[tool.midflight]` in the project's pyproject.toml, None if there is none.

    A file in it is meant from the project's root. Raises: RequestError if it cannot be read.
    """
    table = _configured(root, "start", "nothing of it was started")
    if table is None:
        return None
    if not isinstance(table, str):
        path = root / "pyproject.toml"
        raise RequestError(f'{path}: start must be like "app:start", not {table!r}; nothing was started. Mend it.')
    module, colon, name = table.rpartition(":")
    return f"{root / module}{colon}{name}" if module.endswith(".py") else table


def configured_store(root: Path, given: str | None, name: str) -> Path | None:
    """Return the file that keeps the states of durable servers: `given`, else `store` of `[tool.midflight]`, else None.

    `{name}` in it stands for the `name` of the server. It is meant from the project's root.
    Raises: RequestError if it is not a path, or the table cannot be read.
    """
    found = given if given is not None else _configured(root, "store", "nothing was started")
    if found is None:
        return None
    if not isinstance(found, str) or not found:
        path = root / "pyproject.toml"
        raise RequestError(
            f'{path}: store must be a file, like "state-{{name}}.sqlite", not {found!r}; nothing was started. Mend it.'
        )
    return root / found.replace("{name}", name)


def configured_code(root: Path, given: str | None) -> str:
    """Return what a start runs: "disk", the files, or "last", what ran last: `given`, else `code` of the project.

    Raises: RequestError if it is neither, or the table cannot be read.
    """
    found = given if given is not None else _configured(root, "code", "nothing was started")
    if found not in (None, "disk", "last"):
        path = root / "pyproject.toml"
        raise RequestError(f'{path}: code must be "disk" or "last", not {found!r}; nothing was started. Mend it.')
    return found or "disk"


def configured_applications(root: Path) -> dict[str, Any]:
    """Return the tables `[tool.midflight.applications.NAME]` of the project, by name, in their order.

    Raises: RequestError if they cannot be read, or are not tables.
    """
    tables = _configured(root, "applications", "no application was started")
    if tables is None or isinstance(tables, dict):
        return tables or {}
    path, form = root / "pyproject.toml", "[tool.midflight.applications.NAME]"
    raise RequestError(f"{path}: applications must be tables {form}, not {tables!r}; none was started. Mend it.")


def runs_bodies_on_runtime(root: Path) -> bool:
    """Say whether `body = "runtime"` stands in `[tool.midflight]`: bodies are to run on the runtime's thread.

    Raises: RequestError if it cannot be read, or says anything else.
    """
    value = _configured(root, "body", "bodies run as usual")
    if value not in (None, "runtime"):
        path = root / "pyproject.toml"
        raise RequestError(f'{path}: body must be "runtime", not {value!r}; bodies run as usual. Mend it.')
    return value is not None


def takes_plain_cookie(root: Path) -> bool:
    """Say whether clients may show the cookie itself: `plain_cookie` of `[tool.midflight]`, true unless given.

    What is neither true nor false, or cannot be read, counts as false: nothing is opened by a slip.
    """
    try:
        return _configured(root, "plain_cookie", "") in (None, True)
    except RequestError:
        return False


def forwards(root: Path) -> bool:
    """Say whether loads forward the functions that others hold: `forward = true` in `[tool.midflight]`."""
    try:
        return _configured(root, "forward", "") is True
    except RequestError:
        return False


def _configured(root: Path, name: str, unchanged: str) -> Any:
    """Return `name` of `[tool.midflight]` in the project's pyproject.toml, None if there is none.

    Raises: RequestError if the file cannot be read.
    """
    path = root / "pyproject.toml"
    try:
        table: Any = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RequestError(f"{path} cannot be read ({error}); {unchanged}. Mend it.") from error
    for key in ("tool", "midflight", name):
        table = table.get(key) if isinstance(table, dict) else None
    return table
