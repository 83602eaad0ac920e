"""The names that an input can use, in two layers: its own bindings on top, and the names that are always there below.

The upper layer is a plain dict: the globals of all code of the shell, so a function defined in it sees later
bindings. The lower one stands where Python looks last, for the builtins: helpers, Midflight's public names, the
builtins, and loaded modules by name at the moment they are asked for. Forgetting a binding uncovers what it hid.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = ["Bindings"]

ModuleFinder = Callable[[str], object]  # raises KeyError for a name that is not a loaded module


class _Beneath(dict[str, Any]):
    """The lower layer of names; one that is not in it is looked for among the loaded modules."""

    def __init__(self, names: Mapping[str, Any], find_module: ModuleFinder) -> None:
        super().__init__(names)
        self._find_module = find_module

    def __missing__(self, name: str) -> Any:
        return self._find_module(name)


class Bindings:
    """The names that the inputs of one shell have bound. `namespace` is their globals."""

    def __init__(self, always: Mapping[str, Any], find_module: ModuleFinder) -> None:
        self._beneath = _Beneath({**vars(builtins), **always}, find_module)
        self._hidden = {"__builtins__": self._beneath, "__name__": "__shell__"}
        self.namespace: dict[str, Any] = dict(self._hidden)

    def __contains__(self, name: object) -> bool:
        return name in self.namespace and name not in self._hidden

    def items(self) -> list[tuple[str, Any]]:
        """Return the bindings in the order they were first made; copied, so any thread may ask."""
        return [(name, value) for name, value in list(self.namespace.items()) if not _is_special(name)]

    def forget(self, name: str | None = None) -> None:
        """Forget one binding, or all of them; one that is not there is not an error. OTP: f/0, f/1 of the shell."""
        if name is None:
            self.namespace.clear()
        else:
            self.namespace.pop(name, None)
        for special, value in self._hidden.items():
            self.namespace.setdefault(special, value)

    def find(self, name: str) -> Any:
        """Return the object that `name` means to an input. Raises: KeyError if none."""
        return self.namespace[name] if name in self.namespace else self._beneath[name]

    def names(self, modules: Iterable[str] = ()) -> set[str]:
        """Return all names that mean something to an input: bound names, built-in ones, keywords and `modules`."""
        names = {*list(self.namespace), *list(self._beneath), *modules, *keyword.kwlist}
        return {name for name in names if name not in self._hidden and name != "__show__"}


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
