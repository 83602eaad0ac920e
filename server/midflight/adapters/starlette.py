"""The adapter for Starlette and FastAPI: a running application serves the routes of the one that the module makes now.

Its state, its lifespan and its connections stay its own; the new application shares the state.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from midflight.code import ModuleChange

__all__ = ["changed", "found", "types"]

Starlette: Any = importlib.import_module("starlette.applications").Starlette

types: tuple[type, ...] = ()

TAKEN = ("exception_handlers", "user_middleware", "title", "version", "description", "dependency_overrides")


def changed(change: ModuleChange) -> Iterator[str]:
    """Give the application of the version before the routes, middlewares and handlers of the new one."""
    for old, new in change.pairs():
        if isinstance(old, Starlette) and isinstance(new, Starlette) and old is not new:
            for name, value in new.state._state.items():
                old.state._state.setdefault(name, value)
            new.state = old.state
            router = old.router
            lifespan = router.lifespan_context
            vars(router).update(vars(new.router))
            router.lifespan_context = lifespan  # the one that runs
            for name in TAKEN:
                if name in vars(new):
                    setattr(old, name, getattr(new, name))
            old.middleware_stack = None
            if "openapi_schema" in vars(old):
                old.openapi_schema = None
            yield f"{_library(old)}: the running application has the {len(new.routes)} routes of the new one"


def found(change: ModuleChange, objects: list[Any]) -> Iterator[tuple[object, str]]:  # noqa: ARG001  # as Adapter has it
    """Do nothing: a route keeps what it found out about its function when it was made."""
    return iter(())


def _library(app: Any) -> str:
    return "FastAPI" if type(app).__module__.startswith("fastapi") else "Starlette"
