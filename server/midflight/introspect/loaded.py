"""The modules that the code server has loaded, by name."""

from __future__ import annotations

import sys

from midflight import code
from midflight.code import lowlevel

__all__ = ["find_module", "module_names", "usable_names"]


def module_names() -> list[str]:
    """Return the names of the modules that the code server has loaded, sorted."""
    return sorted(name for name in list(sys.modules) if code.is_loaded(name))


def usable_names() -> list[str]:
    """Return the names of the modules that a shell knows: loaded or imported by the project, sorted."""
    return sorted({*module_names(), *(name for name, _, _ in lowlevel.imported_modules())})


def find_module(name: str) -> object:
    """Return the module `name`, loaded or imported by the project, or the package of that name that such one is in.

    Raises: KeyError.
    """
    module = sys.modules[name]
    if _is_usable([name]) or _is_usable([each for each in list(sys.modules) if each.startswith(f"{name}.")]):
        return module
    raise KeyError(name)


def _is_usable(names: list[str]) -> bool:
    """Say whether a shell knows one of these modules. Each name of a completion asks: so no others are looked at."""
    return any(map(code.is_loaded, names)) or bool(lowlevel.imported_modules(names))
