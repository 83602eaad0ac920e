"""The adapter for Flask: a running application serves the views and rules of the one that the module makes now."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from midflight.code import ModuleChange

__all__ = ["changed", "found", "types"]

Flask: Any = importlib.import_module("flask.app").Flask

types: tuple[type, ...] = ()

TAKEN = (
    *("url_map", "view_functions", "error_handler_spec", "before_request_funcs", "after_request_funcs"),
    *("teardown_request_funcs", "teardown_appcontext_funcs", "template_context_processors", "url_value_preprocessors"),
    *("url_default_functions", "shell_context_processors", "blueprints"),
)


def changed(change: ModuleChange) -> Iterator[str]:
    """Give the application of the version before the views, hooks and rules of the new one."""
    for old, new in change.pairs():
        if type(old) is Flask and type(new) is Flask:
            for name in TAKEN:
                setattr(old, name, getattr(new, name))
            new.extensions.update((name, value) for name, value in old.extensions.items() if name not in new.extensions)
            yield f"Flask: the running application has the {len(new.view_functions)} views of the new one"


def found(change: ModuleChange, objects: list[Any]) -> Iterator[tuple[object, str]]:  # noqa: ARG001  # as Adapter has it
    """Do nothing: the views are those of the application."""
    return iter(())
