"""Which modules keep objects of older versions, by `from ... import` or otherwise."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import FunctionType, ModuleType

from midflight.code.facade import Namespace
from midflight.code.report import StaleImport

__all__ = ["stale_imports"]


def stale_imports(name: str, namespace: Namespace, group: Mapping[str, Namespace]) -> Iterator[StaleImport]:
    """Yield the names in other modules that will hold an older object once `namespace` is current for module `name`.

    Functions and classes are known by the module and name that they carry; constants carry none, so they cannot be
    found. `group` are the namespaces of the modules that become current together with it.
    """
    for other, module in list(sys.modules.items()):
        if other == name or other.partition(".")[0] in sys.stdlib_module_names or not isinstance(module, ModuleType):
            continue
        # Read past whatever the module's class does: a lazy module must not be imported by a look at it.
        held = group.get(other) or ModuleType.__getattribute__(module, "__dict__")
        for key, value in list(held.items()):
            if isinstance(value, (FunctionType, type)) and getattr(value, "__module__", None) == name:
                qualified = value.__qualname__
                if "." not in qualified and namespace.get(qualified) is not value:
                    yield StaleImport(other, key)
