"""The adapter for aiohttp: a running application answers with the current handlers, and with routes that were added.

An application that the module itself makes gets the router of the new one, with all its routes. In one that is made
elsewhere each route gets the current handler, and the routes that a `RouteTableDef` of the module has more than before
are added.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from midflight.code import ModuleChange

__all__ = ["changed", "found", "types"]

Application: Any = importlib.import_module("aiohttp.web_app").Application
RouteTableDef: Any = importlib.import_module("aiohttp.web_routedef").RouteTableDef
AbstractView: Any = importlib.import_module("aiohttp.abc").AbstractView

types: tuple[type, ...] = (Application,)


def changed(change: ModuleChange) -> Iterator[str]:
    """Give a running application of the module the router and middlewares of the new one, which gets its state."""
    for old, new in change.pairs():
        if type(old) is Application and type(new) is Application and old.frozen:
            for key, value in new._state.items():
                old._state.setdefault(key, value)
            new._state = old._state
            new.pre_freeze()
            for name in ("_router", "_middlewares", "_middlewares_handlers", "_run_middlewares"):
                setattr(old, name, getattr(new, name))
            yield f"aiohttp: the running application has the {len(new.router.routes())} routes of the new one"


def found(change: ModuleChange, objects: list[Any]) -> Iterator[tuple[object, str]]:
    """Give each route the current handler, and add the routes of the module's tables that are new."""
    current = {id(old): new for old, new in change.pairs() if callable(old)}
    tables = [pair for pair in change.pairs() if type(pair[0]) is RouteTableDef and type(pair[1]) is RouteTableDef]
    for app in objects:
        known = {id(route.handler) for route in app.router.routes()}
        for route in app.router.routes():
            new = current.get(id(route.handler))
            if new is not None and _is_of_its_kind(route.handler, new):
                route._handler = new
                yield route, f"aiohttp: {route.method} {_path(route)} calls the current one"
        for old, new in tables:
            if any(id(each.handler) in known for each in old):
                yield from _added(app, old, new)


def _is_of_its_kind(old: Any, new: Any) -> bool:
    return isinstance(old, type) == isinstance(new, type)


def _path(route: Any) -> str:
    return str(route.resource.canonical) if route.resource is not None else "?"


def _added(app: Any, old: Any, new: Any) -> Iterator[tuple[object, str]]:
    """Add the routes of a table that it had not before. A router is closed when the application runs: for a moment it
    is opened."""
    before = {(each.method, each.path) for each in old}
    router = app.router
    for each in new:
        if (each.method, each.path) not in before:
            router._frozen = False
            try:
                each.register(router)
            finally:
                router.freeze()
            yield router, f"aiohttp: {each.method} {each.path} was added"
