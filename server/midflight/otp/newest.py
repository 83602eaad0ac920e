"""The newest version of a class or function that a behaviour holds. All of otp's questions to the code server."""

from __future__ import annotations

import functools
import inspect
import sys
from types import FunctionType, MethodType, ModuleType
from typing import Any

from midflight.code import current, is_renewed

__all__ = ["home_of", "newest"]

NOWHERE = ModuleType("nowhere")


def newest(value: Any) -> Any:
    """Return what the name of `value`, a class or a function, means now; `value` itself if the name is gone."""
    if isinstance(value, MethodType) and isinstance(value.__self__, type):  # Counter.start_link: of the newest Counter
        return getattr(newest(value.__self__), value.__name__, value)
    if isinstance(value, functools.partial):
        return functools.partial(newest(value.func), *value.args, **value.keywords)
    if isinstance(value, FunctionType) and not _is_what_its_name_means(value):
        return value
    try:
        return current(value)
    except LookupError:
        return value


def _is_what_its_name_means(function: FunctionType) -> bool:
    """Say whether `function` was to be had by its name in its own version.

    One that was wrapped in passing, as in ChildSpec("x", retry(worker)), has the name of what is in it: to look that up
    would take the wrapping off.
    """
    inner: Any = inspect.unwrap(function)
    found: Any = getattr(inner, "__globals__", {})
    first, *rest = function.__qualname__.split(".")
    found = found.get(first)
    for part in rest:
        found = getattr(found, part, None)
    return found is function or is_renewed(function)


def home_of(value: Any) -> ModuleType:
    """Return the module of the class of `value`. Its `__dict__` is another object after each load, and only then."""
    return sys.modules.get(type(value).__module__, NOWHERE)
