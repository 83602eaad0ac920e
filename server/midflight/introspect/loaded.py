"""The modules that the code server has loaded, by name."""

from __future__ import annotations

import sys

from midflight import code

__all__ = ["find_module", "module_names"]


def module_names() -> list[str]:
    """Return the names of the modules that the code server has loaded, sorted."""
    return sorted(name for name in list(sys.modules) if code.is_loaded(name))


def find_module(name: str) -> object:
    """Return the loaded module `name`, or the package of that name that a loaded module is in.

    Raises: KeyError.
    """
    module = sys.modules[name]
    if code.is_loaded(name) or any(each.startswith(f"{name}.") for each in module_names()):
        return module
    raise KeyError(name)
