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
    if code.is_loaded(name) or any(each == name or each.startswith(f"{name}.") for each in usable_names()):
        return module
    raise KeyError(name)
