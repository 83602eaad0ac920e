"""The calls of `@on_load` and `@on_unload` functions: what they raise is a warning, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType

from midflight.code.report.load_report import Diagnostic
from midflight.code.version import hooks
from midflight.code.version.facade import Namespace
from midflight.text import exception_said

__all__ = ["hook_problem", "run_unload_hooks"]


def run_unload_hooks(path: str, namespace: Namespace) -> Iterator[Diagnostic]:
    """Call the unload hooks of a version, and yield the exceptions that they raised."""
    for hook in hooks.hooks_of(namespace, "unload"):
        try:
            hook()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a hook's fault is a warning, whatever it is
            yield hook_problem(path, hook, "unload", error)


def hook_problem(path: str, hook: Callable[[], object], kind: str, error: BaseException) -> Diagnostic:
    """Return the warning that a hook of that kind, "load" or "unload", raised `error`."""
    name = getattr(hook, "__qualname__", repr(hook))
    line = hook.__code__.co_firstlineno if isinstance(hook, FunctionType) else 1
    text = f"@on_{kind} {name} raised {exception_said(error)}"
    return Diagnostic(path, line, 0, line, 0, "warning", text, "hook")
