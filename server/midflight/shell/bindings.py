"""The names that an input can use, in two layers: what it binds itself, and beneath that what is always there.

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

ModuleFinder = Callable[[str], object]  # raises KeyError for a name that is no loaded module


class _Beneath(dict[str, Any]):
    """The lower layer; what is not in it is looked for among the loaded modules."""

    def __init__(self, names: Mapping[str, Any], find_module: ModuleFinder) -> None:
        super().__init__(names)
        self._find_module = find_module

    def __missing__(self, name: str) -> Any:
        return self._find_module(name)


class Bindings:
    """What the inputs of one shell have bound. `namespace` is their globals."""

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
        """Forget one binding, or all of them; one that is not there is no error. OTP: f/0, f/1 of the shell."""
        if name is None:
            self.namespace.clear()
        else:
            self.namespace.pop(name, None)
        for special, value in self._hidden.items():
            self.namespace.setdefault(special, value)

    def find(self, name: str) -> Any:
        """Return what `name` means to an input. Raises: KeyError if nothing."""
        return self.namespace[name] if name in self.namespace else self._beneath[name]

    def complete(self, text: str, modules: Iterable[str] = ()) -> list[str]:
        """Return what the name or dotted name at the end of `text` can become, whole and sorted.

        Looks at attributes, so it runs properties of what is bound; whatever these raise ends the search.
        """
        start = len(text)
        while start and (text[start - 1].isalnum() or text[start - 1] in "_."):
            start -= 1
        *path, last = text[start:].split(".")
        if not path:
            names = {*self.namespace, *self._beneath, *modules, *keyword.kwlist}
            return sorted(name for name in names if name.startswith(last) and (last or not _is_special(name)))
        try:
            owner = self.find(path[0])
            for name in path[1:]:
                owner = getattr(owner, name)
            names = set(dir(owner))
        except Exception:  # nothing to complete: the input that is being written may be wrong, and says so later
            return []
        prefix = ".".join(path)
        return sorted(
            f"{prefix}.{name}"
            for name in names
            if name.startswith(last) and (last.startswith("_") or not name.startswith("_"))
        )


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
