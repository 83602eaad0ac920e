"""The adapter for celery: a registered task runs the function that the module has now, with its options.

Celery keeps a task under its name for good and gives the registered one to a decorator that comes again, so the object
stays the same for all who have it: the registry, a worker's strategies, chains, other modules.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from types import FunctionType
from typing import Any, NamedTuple

from midflight.code import ModuleChange

__all__ = ["changed", "found", "settles", "types"]

state: Any = importlib.import_module("celery._state")
trace: Any = importlib.import_module("celery.app.trace")

types: tuple[type, ...] = ()

_renewed: list[str] = []  # names of tasks, by the last call of `changed`


class _Registration(NamedTuple):
    """A function that a decorator has made known to celery, for applications to come, with the decorator's options."""

    callback: Any
    function: Any
    options: dict[str, Any]

    def name_in(self, app: Any) -> str:
        """Return the name of its task."""
        return str(self.options.get("name") or app.gen_task_name(self.function.__name__, self.function.__module__))


def changed(change: ModuleChange) -> Iterator[str]:
    """Make each task of the module what the new function and options say, and forget older ones."""
    _renewed.clear()
    new: list[_Registration] = []
    older: list[_Registration] = []
    for each in _registrations(change.module):
        (new if _is_of(each.function, change.new) else older).append(each)
    for app in list(state._get_active_apps()):
        names = {each.name_in(app) for each in new} if app.finalized else set()
        for each in new if app.finalized else ():
            if _renew(app, each):
                _renewed.append(each.name_in(app))
                yield f"celery: {each.name_in(app)} runs the current function"
        for name in sorted({each.name_in(app) for each in older} - names if app.finalized else ()):
            if name in app._tasks:
                yield f"celery: {name} stays registered, with the function of the version before"
    for each in older:  # an application that is made later would take it
        state._on_app_finalizers.discard(each.callback)


def found(change: ModuleChange, objects: list[Any]) -> Iterator[tuple[object, str]]:  # noqa: ARG001  # as Adapter has it
    """Do nothing: the tasks are those of the registry."""
    return iter(())


def settles(text: str) -> bool:
    """Say whether celery warns that a task runs the function before, which was renewed since."""
    return text.startswith("DuplicateTaskNameWarning: ") and any(f"{each!r} is already" in text for each in _renewed)


def _registrations(module: str) -> Iterator[_Registration]:
    """Yield the functions of a module that `task` and `shared_task` have noted, in the order of the text."""
    registrations = []
    for callback in list(state._on_app_finalizers):
        if type(callback) is not FunctionType:
            continue
        names = callback.__code__.co_freevars
        held = dict(zip(names, (cell.cell_contents for cell in callback.__closure__ or ()), strict=True))
        function, options = held.get("fun"), held.get("opts", held.get("options"))
        if type(function) is FunctionType and function.__module__ == module and isinstance(options, dict):
            registrations.append(_Registration(callback, function, options))
    yield from sorted(registrations, key=lambda each: each.function.__code__.co_firstlineno)


def _is_of(function: Any, namespace: Any) -> bool:
    inner: Any = inspect.unwrap(function)
    return function.__globals__ is namespace or getattr(inner, "__globals__", None) is namespace


def _renew(app: Any, registration: _Registration) -> bool:
    """Make the registered task the one that celery makes of a function; say whether it was another."""
    name, options = registration.name_in(app), registration.options
    tasks = app._tasks
    task = tasks.get(name)
    if task is None or getattr(task, "_decorated_fun", None) is registration.function:
        return False
    if type(task).__module__ != registration.function.__module__:  # the task of somebody else
        return False
    made = _made(app, name, registration.function, options)
    tracer = task.__trace__
    task.__class__ = type(made)
    vars(task).clear()
    vars(task).update(vars(made))
    if tracer is not None:  # a worker has made it, of what the task was
        task.__trace__ = trace.build_tracer(name, task, app.loader, app=app)
    app._duplicate_task_names_warned.discard(name)
    return True


def _made(app: Any, name: str, function: Any, options: dict[str, Any]) -> Any:
    """Return the task that celery makes of a function; the registry is as it was afterwards."""
    task = app._tasks.pop(name)
    try:
        return app._task_from_fun(function, **options)
    finally:
        app._tasks[name] = task
