"""Functions by the names that people give them: MODULE.NAME, MODULE.CLASS.METHOD."""

from __future__ import annotations

import inspect
import sys
from types import FunctionType
from typing import Any, NamedTuple

from midflight.errors import NotFound, RequestError

__all__ = ["NamedFunction", "function_named"]


class NamedFunction(NamedTuple):
    """The module in which a function is defined, its qualified name there, and the module's names."""

    module: str
    qualified_name: str
    namespace: dict[str, Any]


def function_named(name: str) -> NamedFunction:
    """Return the function that `name` stands for now; of a decorated one, the function below that has a name.

    No property is run. Raises: NotFound if there is none, RequestError if it is not a function in Python.
    """
    parts = name.split(".")
    for size in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:size]))
        if module is not None:
            break
    else:
        raise NotFound(f"No loaded module begins {name!r}; nothing is traced. Write MODULE.FUNCTION; see midflight ps.")
    found: Any = module
    for part in parts[size:]:
        try:
            found = inspect.getattr_static(found, part)
        except AttributeError:
            raise NotFound(
                f"{module.__name__} has no {'.'.join(parts[size:])}; nothing is traced. See its definitions."
            ) from None
    if isinstance(found, staticmethod | classmethod):
        found = found.__func__
    if callable(found):
        found = inspect.unwrap(found)
    if not isinstance(found, FunctionType):
        raise RequestError(f"{name} is not a function in Python; nothing is traced. Name a function or a method.")
    return NamedFunction(str(found.__globals__.get("__name__")), found.__code__.co_qualname, found.__globals__)
