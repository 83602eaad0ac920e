"""Modules that keep objects of older versions, by `from ... import` or otherwise."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from midflight.code.checks.importers import Importer, importers_of
from midflight.code.report.load_report import StaleImport
from midflight.code.source.look import carried_module, carried_name, is_module, module_names
from midflight.code.source.same_value import same
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import known

__all__ = ["stale_imports", "stale_names"]

ABSENT = object()


def stale_imports(name: str, namespace: Namespace, group: Mapping[str, Namespace]) -> Iterator[StaleImport]:
    """Yield the names in other modules that will hold an older object once `namespace` is current for module `name`.

    Functions and classes are known by the module and name that they carry. Constants carry none: those are found by
    the text of the project's modules, where it says `from ... import`. `group` are the namespaces of the modules that
    become current together with it.
    """
    comparison = _Comparison(name, namespace)
    for importer, module in importers_of(name, namespace.get("__file__")):
        if importer.name != name:
            made = group.get(importer.name)
            for key in comparison.stale(importer, module_names(module) if made is None else made):
                if key not in importer.said:
                    importer.said[key] = StaleImport(importer.name, key)
                yield importer.said[key]


def stale_names(name: str, namespace: Namespace, other: str, held: Namespace, text: str | None) -> Iterator[str]:
    """Yield the names in module `other`, whose namespace is `held`, as `stale_imports` does. `text` is its own."""
    return iter(_Comparison(name, namespace).stale(Importer(other), held, text))


class _Comparison:
    """The comparison of values in other modules with the namespace that is to become current for module `name`."""

    def __init__(self, name: str, namespace: Namespace) -> None:
        self._name = name
        self._namespace = namespace
        self._verdicts: dict[str | None, dict[int, bool]] = {}  # by original name and value: many hold the same

    def stale(self, importer: Importer, held: Namespace, text: str | None = None) -> list[str]:
        """Return the names in `held`, the namespace of the importer, of what is older, each once."""
        found: list[str] = []
        for each in importer.taken_from(self._name, held, text):
            value = held.get(each.name, ABSENT)
            verdicts = self._verdicts.get(each.original)
            if verdicts is None:
                verdicts = self._verdicts[each.original] = {}
            verdict = verdicts.get(id(value))
            if verdict is None:
                verdict = verdicts[id(value)] = self._is_older(value, each.original)
            if verdict and each.name not in found and (each.stars is None or self._is_by_star(each.name, each.stars)):
                found.append(each.name)
        return found

    def _is_older(self, value: object, original: str | None) -> bool:
        if original is not None:
            new = self._namespace.get(original, ABSENT)
            return value is not ABSENT and not is_module(value) and not same(value, new)
        if carried_module(value) != self._name:
            return False
        qualified = str(carried_name(value))
        return "." not in qualified and self._namespace.get(qualified) is not value

    def _is_by_star(self, key: str, others: Iterable[str]) -> bool:
        """Say whether `*` takes `key` from the module, in its old version or in the new one, and from no other."""
        if key not in self._exported:
            return False
        modules = (sys.modules.get(other) for other in others)
        return not any(key in _by_star(module_names(module)) for module in modules if is_module(module))

    @cached_property
    def _exported(self) -> set[str]:
        record = known(self._name)
        old = record.current.namespace if record is not None and record.current is not None else None
        return _by_star(self._namespace) | _by_star(old or {})


def _by_star(namespace: Namespace) -> set[str]:
    """Return the names that `from m import *` takes from a module with this namespace."""
    names: Any = namespace.get("__all__")
    if type(names) in (list, tuple):
        return {name for name in tuple(names) if type(name) is str}
    return {name for name in list(namespace) if not name.startswith("_")}
