"""The objects that the body of a version saw behind `a.b`, where `a` is a module that is loaded again and again.

The name `a` means the same module object in every version. So only the value that `a.Base` had then tells whether a
class with `a.Base` as its base means the same in two versions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import CodeType, ModuleType
from typing import Any

from midflight.code.source.bindings import qualified_reads_of
from midflight.code.source.look import OwnReference, is_module, module_value
from midflight.code.source.same_value import same
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import Module, known

__all__ = ["changed_since", "has_modules", "note_seen", "read_in_body"]

SEEN = "__midflight_seen__"

ABSENT: Any = object()


def has_modules(namespace: Namespace) -> bool:
    """Say whether a namespace has modules that may be loaded again: else there is no need to look for such reads."""
    return bool(_modules_in(namespace))


def _modules_in(namespace: Namespace) -> list[str]:
    """Return the names of the modules in a namespace that may be loaded again."""
    return [
        name
        for name, value in list(namespace.items())
        if issubclass(type(value), ModuleType) and _name_of(value).partition(".")[0] not in sys.stdlib_module_names
    ]


def note_seen(namespace: Namespace, code: CodeType) -> None:
    """Note in a version's namespace the object behind each such read of its body, `code`, which has just run."""
    modules = _modules_in(namespace)
    if not modules:
        return
    namespace[SEEN] = {
        words: _held(vars(found.facade.module).get(words[-1], ABSENT))
        for words in qualified_reads_of(code, modules)
        if (found := _loaded_module(namespace, words)) is not None
    }


def _held(value: Any) -> Callable[[], Any]:
    """Return a function that gives `value`, weakly if that can be: a look must not keep a version in memory.

    A value that is gone is not the current one, so nothing is compared. A constant knows no version, and is kept.
    """
    try:
        held = OwnReference(value)
    except TypeError:
        return lambda: value
    return lambda: ABSENT if (found := held()) is None else found


def changed_since(old: Namespace, new: Namespace, words: tuple[str, ...]) -> str | None:
    """Say how the object behind the read of these words has changed since the version before; None if not."""
    found = _loaded_module(new, words)
    if found is None:
        return None
    held = old.get(SEEN, {}).get(words)
    if held is None:  # that version was imported by Python itself
        return None if found.last_number <= 1 else "and nobody knows what that was"
    return None if same(held(), vars(found.facade.module).get(words[-1], ABSENT)) else "which is another object now"


def read_in_body(namespace: Namespace, names: Iterable[str]) -> str | None:
    """Return such a read, through one of these modules, that the body of this version did; None if it did none."""
    wanted = set(names)
    for words in namespace.get(SEEN, {}):
        found = _loaded_module(namespace, words)
        if found is not None and found.name in wanted:
            return ".".join(words)
    return None


def _loaded_module(namespace: Namespace, words: tuple[str, ...]) -> Module | None:
    """Return the record of the module that the last of `words` is read from; None if it is not a loaded module."""
    value = namespace.get(words[0])
    for word in words[1:-1]:
        if not is_module(value):
            return None
        value = module_value(value, word)
    record = known(_name_of(value)) if is_module(value) else None
    return record if record is not None and record.facade.module is value else None


def _name_of(module: ModuleType) -> str:
    name = module_value(module, "__name__")
    return name if type(name) is str else ""
