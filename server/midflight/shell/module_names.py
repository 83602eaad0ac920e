"""The names of an input that is evaluated in a module: those of its current version, then those of the shell."""

from __future__ import annotations

import builtins
import sys
from typing import Any

from midflight.shell.bindings import Bindings

__all__ = ["ModuleNames", "module_names_of"]


class ModuleNames:
    """The local names of one input whose globals are `module`, the namespace of a module's version.

    A name is looked for in the module, among the builtins, and then where an input of the shell finds it. An
    assignment binds the name in the module, as one in a function with `global` does.
    """

    def __init__(self, module: dict[str, Any], bindings: Bindings) -> None:
        self.module = module
        self._bindings = bindings

    def __getitem__(self, name: str) -> Any:
        if name in self.module:
            return self.module[name]
        return vars(builtins)[name] if name in vars(builtins) else self._bindings.find(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.module[name] = value

    def __delitem__(self, name: str) -> None:
        del self.module[name]


def module_names_of(name: str, bindings: Bindings) -> ModuleNames | None:
    """Return the names of an input in the current version of module `name`; None if that is not there."""
    module = sys.modules.get(name)
    return None if module is None else ModuleNames(vars(module), bindings)
